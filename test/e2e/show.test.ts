import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { parseRevision } from '../../src/model/revision.js';
import { type ChangeJson, type ErrorJson, LXCV, type TestLxc, temporaryLxc, type VersionJson } from '../support/lxc.js';
import { mountOverlay } from '../support/overlay.js';
import { fifo, plant } from '../support/plant.js';
import { storm } from '../support/storm.js';
import { readTree, type Tree } from '../support/tree.js';

const OUTSIDE = 'a secret of the host';

describe('lxcv show', () => {
  let lxc: TestLxc;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    writeFileSync(join(lxc.directory, 'secret'), OUTSIDE);
    change(lxc, (root) => {
      mkdirSync(join(root, 'etc/mysql'));
      writeFileSync(join(root, 'etc/mysql/my.cnf'), 'one\n');
    });
    await lxc.commit('mysql', 'First');
    change(lxc, (root) => {
      writeFileSync(join(root, 'etc/mysql/my.cnf'), 'two\n\t\x1b[31mred\x07\n');
      writeFileSync(join(root, 'etc/zeros'), 'a\0b');
      writeFileSync(join(root, 'etc/line\n\x1b[2Jbreak'), '');
      rmSync(join(root, 'home'), { recursive: true });
      symlinkSync(lxc.directory, join(root, 'home'));
      symlinkSync('/\x1b[2J\nup', join(root, 'etc/odd'));
      plant(root, { 'etc/fifo': fifo });
      execFileSync('mknod', [join(root, 'etc/device'), 'c', '259', '70000']);
      writeFileSync(join(root, 'etc/huge'), '');
      truncateSync(join(root, 'etc/huge'), 10 * 2 ** 30);
    });
    await lxc.commit('mysql', 'Second\n\nWith a \x1b[31mbody');
    change(lxc, (root) => storm(root, { seed: 7, steps: 120 }));
    await lxc.commit('mysql', 'Stormy');
  });
  afterAll(() => lxc[Symbol.dispose]());

  it('tells what is known of a version, and what it changed in its parent', async () => {
    const { stdout } = await lxc.lxcv('show', 'mysql@1');
    expect(stdout).toMatch(/^version @1 [a-z0-9]{12}\n/);
    expect(stdout).toMatch(/\nParents: +@0 [a-z0-9]{12}\n/);
    expect(stdout).toMatch(/\nMade from: +mysql, then on branch mysql\n/);
    expect(stdout).toContain(`\nBases:      ${join(lxc.lxcpath, 'base/rootfs')}\n`);
    expect(stdout).toContain('\n    Second\n\n    With a \\x1b[31mbody\n');
    expect(stdout).toContain('\nModified (2):\n  etc/mysql/my.cnf\n');
    expect(controlsIn(stdout)).toEqual([]);
    const { version, changes } = await lxc.json<{ version: VersionJson; changes: ChangeJson[] }>('show', 'mysql@1');
    expect(version).toMatchObject({ number: 1, message: expect.stringMatching(/^Second/), changes: { modified: 2 } });
    expect(changes).toContainEqual({ path: 'etc/mysql/my.cnf', kind: 'modified', type: 'file' });
    const first = await lxc.json<{ changes: ChangeJson[] }>('show', 'mysql@0');
    expect(first.changes).toEqual([
      { path: 'etc/mysql', kind: 'added', type: 'directory' },
      { path: 'etc/mysql/my.cnf', kind: 'added', type: 'file' },
    ]);
  });

  it('shows every path of a version as its mount does', async () => {
    const engine = await openEngine({ lxcpath: lxc.lxcpath });
    await lxc.checkout('mysql@2', 'mounted');
    const { lowers } = lxc.rootfs('mounted');
    using mount = mountOverlay({ lowers });
    const tree: Tree = readTree(mount.path, { content: false });
    expect(tree.size).toBeGreaterThan(300);
    const revision = parseRevision('mysql@2');
    for (const [path, node] of tree) {
      using shown = await engine.showPath({ revision, path: path as BytePath, content: 'bytes' });
      const { info, entries, bytes } = shown;
      const { type, mode, uid, gid, mtimeNs, target } = node;
      expect(info, path).toMatchObject({ type, mode, uid, gid, mtimeNs, ...(target === undefined ? {} : { target }) });
      if (node.size !== undefined) expect(info.size, path).toBe(node.size);
      if (node.device !== undefined) expect(info.device, path).toEqual(splitDevice(node.device));
      expect(
        entries?.map(({ name }) => name),
        path,
      ).toEqual(type === 'directory' ? childrenOf(tree, path) : undefined);
      if (bytes === undefined || path === 'etc/huge') continue;
      const whole = Buffer.concat(Array.from(bytes(), (piece) => Buffer.from(piece)));
      const file = readFileSync(Buffer.from(`${mount.path}/${path}`, 'latin1'));
      expect(whole.equals(file), path).toBe(true);
    }
  });

  it('prints the bytes of a file, also of what a container holds now and of what lies under it', async () => {
    const shown = async (what: string) => (await lxc.lxcv('show', what)).stdout;
    expect(await shown('mysql@0:/etc/mysql/my.cnf')).toBe('one\n');
    expect(await shown('mysql@1:etc/mysql/my.cnf')).toBe('two\n\t\x1b[31mred\x07\n');
    expect(await shown('mysql@1:etc/zeros')).toBe('a\0b');
    expect(await shown('mysql@BASE:etc/passwd')).toBe(
      readFileSync(join(lxc.lxcpath, 'base/rootfs/etc/passwd'), 'utf8'),
    );
    await lxc.checkout('mysql@0', 'busy');
    change(lxc, (root) => writeFileSync(join(root, 'etc/mysql/my.cnf'), 'now\n'), 'busy');
    expect(await shown('busy@WORK:etc/mysql/my.cnf')).toBe('now\n');
  });

  it('lists a directory, and tells what is no file in a line', async () => {
    const { stdout } = await lxc.lxcv('show', 'mysql@1:etc');
    expect(stdout).toMatch(/^prw\S+ +0 +0 +0 +2020-09-13 12:26:40Z {2}fifo$/m);
    expect(stdout).toMatch(/^crw\S+ +0 +0 +259, 70000 .* device$/m);
    expect(stdout).toMatch(/^-rw-r--r-- .* 10737418240 .* huge$/m);
    expect(stdout).toContain('  "line\\n\\033[2Jbreak"\n');
    expect(stdout).toContain('  odd -> "/\\033[2J\\nup"\n');
    expect((await lxc.lxcv('show', 'mysql@1:etc/odd')).stdout).toBe('-> "/\\033[2J\\nup"\n');
    expect((await lxc.lxcv('show', 'mysql@1:etc/fifo')).stdout).toMatch(/^prw.* etc\/fifo\n$/);
    const json = await lxc.json<object>('show', 'mysql@1:etc/mysql/my.cnf');
    expect(json).toEqual({
      ...{ path: 'etc/mysql/my.cnf', type: 'file', mode: '0644', uid: 0, gid: 0, size: 15 },
      mtime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      sha256: sha256('two\n\t\x1b[31mred\x07\n'),
    });
    const directory = await lxc.json<{ entries: unknown[] }>('show', 'mysql@1:/etc/mysql');
    expect(directory.entries).toMatchObject([{ name: 'my.cnf', type: 'file', mode: '0644' }]);
  });

  it('follows no link out of the root, nor one in it', async () => {
    const { exitCode, stdout, stderr } = await lxc.lxcv('show', 'mysql@1:home/secret');
    expect([exitCode, stdout]).toEqual([4, '']);
    expect(stderr).not.toContain(OUTSIDE);
    const upwards = await lxc.lxcv('show', 'mysql@1:../secret', '--json');
    expect((JSON.parse(upwards.stdout) as ErrorJson).error.code).toBe('bad-path');
  });

  it('streams a file of 10 GB that is all hole, in little memory', async () => {
    const command = `ulimit -d 600000; '${process.execPath}' '${LXCV}' show -P '${lxc.lxcpath}' mysql@1:etc/huge | head -c 300000000 | wc -c`;
    expect((await lxc.program('bash', ['-c', command])).stdout).toBe('300000000\n');
  });

  it('goes through the pager where it is longer than the screen: a version, a directory, a text', async () => {
    for (const what of ['mysql@2', 'mysql@1:etc', 'mysql@1:etc/udhcpc/default.script']) {
      const paged = await onTerminal(lxc, what, 'sed s/^/paged:/');
      expect([what, paged.match(/^paged:/gm)?.length]).toEqual([what, paged.trimEnd().split('\n').length]);
    }
    expect(await onTerminal(lxc, 'mysql@1:etc/odd', 'sed s/^/paged:/')).not.toContain('paged:');
  });

  it('sends a terminal nothing that it would obey', async () => {
    const text = await onTerminal(lxc, 'mysql@1:etc/mysql/my.cnf');
    expect(text).toBe('two\n\t\\x1b[31mred\\a\n');
    const refused = await onTerminal(lxc, 'mysql@1:etc/zeros');
    expect(refused).toMatch(/^lxcv: the file is not text, and standard output is a terminal\n.*> FILE behind it\.\n$/);
    for (const what of ['mysql@1:etc', 'mysql@1:etc/odd', 'mysql@1', 'mysql@2']) {
      const shown = await onTerminal(lxc, what);
      expect(shown).not.toBe('');
      expect(controlsIn(shown), what).toEqual([]);
    }
  });
});

function change(lxc: TestLxc, act: (root: string) => void, name = 'mysql'): void {
  using root = lxc.mount(name);
  act(root.path);
}

function childrenOf(tree: Tree, path: string): string[] {
  const start = path === '' ? '' : `${path}/`;
  const below = [...tree.keys()].filter((other) => other !== '' && other.startsWith(start));
  return below.map((other) => other.slice(start.length)).filter((name) => !name.includes('/'));
}

function splitDevice(raw: bigint): { major: number; minor: number } {
  return {
    major: Number(((raw >> 8n) & 0xfffn) | ((raw >> 32n) & 0xfffff000n)),
    minor: Number((raw & 0xffn) | ((raw >> 12n) & 0xffffff00n)),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function controlsIn(text: string): string[] {
  return text.match(/(?!\n)\p{Cc}/gu) ?? [];
}

/** What show prints to a terminal of four lines that shows no colours. */
async function onTerminal(lxc: TestLxc, what: string, pager = 'cat'): Promise<string> {
  const command = [process.execPath, LXCV, 'show', what, '-P', lxc.lxcpath].map((word) => `'${word}'`).join(' ');
  const { stdout } = await lxc.program('script', ['-qefc', `stty rows 4 cols 80; exec ${command}`, '/dev/null'], {
    env: { NO_COLOR: '1', TERM: 'xterm', LXCV_PAGER: pager },
  });
  return stdout.replaceAll('\r\n', '\n');
}
