import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChangeJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { storm } from '../support/storm.js';
import type { Tree } from '../support/tree.js';

describe('diff', { timeout: 300_000 }, () => {
  it('of any two versions makes the paths of the one into those of the other', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    const trees: Tree[] = [];
    for (let version = 0; version < 5; version += 1) {
      {
        using mount = lxc.mount('mysql');
        storm(mount.path, { seed: 7000 + version, steps: 40 });
      }
      trees.push(lxc.tree('mysql'));
      await lxc.commit('mysql', `Version ${version}`);
    }
    for (const [from, before] of trees.entries()) {
      for (const [to, after] of trees.entries()) {
        if (from >= to) continue;
        const { changes } = await lxc.json<{ changes: ChangeJson[] }>('diff', `mysql@${from}`, `mysql@${to}`);
        const paths = new Set(before.keys());
        for (const change of changes) {
          if (change.kind === 'added') paths.add(pathOf(change));
          if (change.kind === 'removed') paths.delete(pathOf(change));
        }
        expect([...paths].sort()).toEqual([...after.keys()].sort());
        expect(changes.length).toBeGreaterThan(5);
      }
    }
  });

  it('tells moves and modes, and goes through the pager where it is longer than the screen', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    write(lxc, (root) => {
      mkdirSync(join(root, 'srv'));
      writeFileSync(join(root, 'srv/old'), 'moved');
    });
    await lxc.commit('mysql', 'First');
    write(lxc, (root) => {
      renameSync(join(root, 'srv/old'), join(root, 'srv/new\x1b[31m'));
      chmodSync(join(root, 'etc/passwd'), 0o4711);
      for (let file = 0; file < 60; file += 1) writeFileSync(join(root, `srv/${file}`), '');
    });
    const { stdout } = await lxc.lxcv('diff', 'mysql');
    expect(stdout).toContain('R\tsrv/old\t"srv/new\\033[31m"\n');
    const metadata = await lxc.lxcv('diff', '--metadata', 'mysql', '--', '/etc');
    expect(metadata.stderr).toBe('');
    expect(metadata.stdout).toMatch(/mode rw-\S+ -> rws--x--x/);
    const command = `${process.execPath} ${LXCV} diff -P ${lxc.lxcpath} --name-status mysql`;
    const env = { LXCV_PAGER: 'sed s/^/paged:/', NO_COLOR: '1', TERM: 'xterm' };
    const shown = await lxc.program('script', ['-qefc', command, '/dev/null'], { env });
    expect(shown.stdout.match(/^paged:A\tsrv/gm)).toHaveLength(60);
  });
});

function write(lxc: TestLxc, change: (root: string) => void): void {
  using mount = lxc.mount('mysql');
  change(mount.path);
}

function pathOf({ path, pathBytes }: ChangeJson): string {
  return (pathBytes === undefined ? Buffer.from(path, 'utf8') : Buffer.from(pathBytes, 'base64')).toString('latin1');
}
