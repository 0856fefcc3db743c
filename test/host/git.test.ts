import { chmodSync, existsSync, readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { type GitFile, openGit } from '../../src/host/git.js';
import { readAll } from '../../src/model/bytes.js';
import { temporaryDirectory } from '../support/overlay.js';
import { recorder } from '../support/recorder.js';

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
    const modes = [
      { path: 'a b', before: 0o644, after: 0o600 },
      { path: 'q"\xe9', before: 0o755, after: 0o4755 },
    ];
    using patch = await git.diff(['--no-color', first as string, second as string], modes);
    // It stays when all else of git's is gone.
    git[Symbol.dispose]();
    const diff = readAll(patch).toString('latin1');
    expect(diff).toContain('old mode 100644\nnew mode 100755');
    expect(diff).toContain('\n+two\n');
    expect(diff).toMatch(
      /\ndiff --git a\/a b b\/a b\nold mode 100644\nnew mode 100600\ndiff --git "a\/q\\042\\351" "b\/q\\042\\351"\nold mode 100755\nnew mode 104755\n$/,
    );
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
    chmodSync(place.path, 0o755);
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

  it('is made elsewhere where the temporary directory is closed to others', async () => {
    using place = temporaryDirectory();
    chmodSync(place.path, 0o700);
    vi.stubEnv('TMPDIR', place.path);
    using git = await openGit();
    expect(await git.import([{ parents: [], files: [file('a', '1')] }])).toHaveLength(1);
    expect(readdirSync(place.path)).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('gives git no name that newer ones refuse, and shows paths as they are', async () => {
    using git = await openGit();
    const path = 'etc/.git/config';
    const [first, second] = await git.import([
      { parents: [], files: [file(path, 'one\n'), file('a', '/lxcv~.git\n')] },
      { parents: [], files: [file(path, '--- a/lxcv~.git\n'), file('a', 'b/lxcv~.git\n')] },
    ]);
    const names = (await git.run('ls-tree', '-r', '--name-only', first as string)).toString().trim().split('\n');
    // What refuses such a name is in every git for its index; in the import it is only from 2.48 on.
    for (const name of names) await git.run('update-index', '--add', '--cacheinfo', `100644,${'1'.repeat(40)},${name}`);
    await expect(git.run('update-index', '--add', '--cacheinfo', `100644,${'1'.repeat(40)},${path}`)).rejects.toThrow();
    using patch = await git.diff(['--no-color', first as string, second as string], []);
    expect(readAll(patch).toString()).toBe(`diff --git a/a b/a
index ${/^index .*$/m.exec(readAll(patch).toString())?.[0].slice(6)}
--- a/a
+++ b/a
@@ -1 +1 @@
-/lxcv~.git
+b/lxcv~.git
diff --git a/${path} b/${path}
index ${
      [
        ...readAll(patch)
          .toString()
          .matchAll(/^index (.*)$/gm),
      ].at(-1)?.[1]
    }
--- a/${path}
+++ b/${path}
@@ -1 +1 @@
-one
+--- a/lxcv~.git
`);
  });

  it('is asked of a git that is nobody, without power and within limits', async () => {
    using told = recorder('git');
    vi.stubEnv('PATH', told.path);
    using git = await openGit();
    const nobody = { uid: '65534', effective: '0'.repeat(16), bounding: '0'.repeat(16), noNewPrivileges: '1' };
    const ids = await git.import([
      { parents: [], files: [] },
      { parents: [], files: [file('a', '1')] },
    ]);
    expect(told.told()).toMatchObject({ ...nobody, cpu: '600', memory: `${2 ** 32}`, file: `${2 ** 32}` });
    using _ = await git.diff([ids[0] as string, ids[1] as string], []);
    expect(told.told()).toMatchObject(nobody);
    expect(told.told().namespace).not.toBe(readlinkSync('/proc/self/ns/mnt'));
    vi.unstubAllEnvs();
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
