import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type GitFile, openGit } from '../../src/host/git.js';
import { readAll } from '../../src/model/bytes.js';
import { temporaryDirectory } from '../support/overlay.js';

describe('a repository of git that lives for a question', () => {
  it('holds whole trees, whatever the names and the bytes, and shows them as git does', async () => {
    using git = await openGit();
    const odd = 'a "b"\\\n\t\xff é/c\xc3\xa9';
    const [first, second] = await git.import([
      { parents: [], files: [file('plain', 'one\n'), file(odd, 'x\xff\0y'), file('link', '/etc/passwd', 'symlink')] },
      { parents: [1], files: [file('plain', 'one\ntwo\n', 'executable'), file(odd, 'x\xff\0z')] },
    ]);
    const listed = await git.run('ls-tree', '-r', '-z', first as string);
    expect(
      listed
        .toString('latin1')
        .split('\0')
        .slice(0, -1)
        .map((line) => line.replace(/ blob \w+\t/, ' ')),
    ).toEqual([`100644 ${odd}`, '120000 link', '100644 plain']);
    using patch = await git.diff('--no-color', first as string, second as string);
    // It stays when all else of git's is gone.
    git[Symbol.dispose]();
    const diff = readAll(patch).toString('latin1');
    expect(diff).toContain('old mode 100644\nnew mode 100755');
    expect(diff).toContain('\n+two\n');
    expect(diff).toContain('deleted file mode 120000');
    expect(diff).toContain('Binary files');
  });

  it('knows merges, and an empty tree', async () => {
    using git = await openGit();
    const ids = await git.import([
      { parents: [], files: [] },
      { parents: [1], files: [file('a', '1')] },
      { parents: [1], files: [file('b', '1')] },
      { parents: [2, 3], files: [file('a', '1'), file('b', '1')] },
    ]);
    const parents = (await git.run('rev-list', '--parents', '-1', ids[3] as string)).toString().trim().split(' ');
    expect(parents).toEqual([ids[3], ids[1], ids[2]]);
  });

  it('leaves nothing behind', async () => {
    using place = temporaryDirectory();
    const { TMPDIR } = process.env;
    process.env.TMPDIR = place.path;
    try {
      using git = await openGit();
      await git.import([{ parents: [], files: [file('a', '1')] }]);
      expect(readdirSync(place.path)).toHaveLength(1);
      await expect(git.run('no-such-command')).rejects.toMatchObject({ code: 'failed' });
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('is missed in plain words where git is not installed', async () => {
    const { PATH } = process.env;
    process.env.PATH = '/nowhere';
    try {
      await expect(openGit()).rejects.toMatchObject({
        code: 'failed',
        hint: expect.stringContaining('apt-get install git'),
      });
    } finally {
      process.env.PATH = PATH;
    }
    expect(existsSync('/nowhere')).toBe(false);
  });
});

function file(path: string, content: string, mode: GitFile['mode'] = 'file'): GitFile {
  return { path, content: Buffer.from(content, 'latin1'), mode };
}
