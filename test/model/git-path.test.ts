import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BytePath } from '../../src/model/byte-path.js';
import { markPath, unmarkPatch, unmarkPath } from '../../src/model/git-path.js';

const name = fc.oneof(
  fc.constantFrom('.git', '.GIT', '.gitmodules', 'git~1', '.git ', 'lxcv~', 'lxcv~.git', 'lxcv~lxcv~x', 'etc', 'LXCV~'),
  fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !text.includes('/')),
);
const paths = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/') as BytePath);

describe('a path for git', () => {
  it('has no name that git refuses, and comes back as it was', () => {
    fc.assert(
      fc.property(paths, (path) => {
        expect(unmarkPath(markPath(path))).toBe(path);
        expect(markPath(path)).not.toMatch(/(^|\/)(\.git|git~)/i);
      }),
    );
  });

  it('stays what it is where nothing is wrong with it', () => {
    expect(markPath('etc/git/x.git' as BytePath)).toBe('etc/git/x.git');
  });
});

describe('a patch', () => {
  it('has its paths back in the headers, and its lines as they are', () => {
    const patch = [
      'diff --git a/etc/lxcv~.git/x "b/lxcv~.git/\\"y"',
      'similarity index 90%',
      'rename from lxcv~.git/x',
      'rename to "lxcv~.git/\\"y"',
      '--- a/etc/lxcv~.git/x',
      '+++ b/lxcv~lxcv~x',
      '@@ -1,2 +1,2 @@ /lxcv~.git',
      '--- a/lxcv~.git',
      '+++ b/lxcv~.git',
      ' /lxcv~.git',
      '\\ No newline at end of file',
      'Binary files a/lxcv~.git/x and /dev/null differ',
    ];
    expect([...unmarkPatch(patch)]).toEqual([
      'diff --git a/etc/.git/x "b/.git/\\"y"',
      'similarity index 90%',
      'rename from .git/x',
      'rename to ".git/\\"y"',
      '--- a/etc/.git/x',
      '+++ b/lxcv~x',
      ...patch.slice(6, 11),
      'Binary files a/.git/x and /dev/null differ',
    ]);
  });
});
