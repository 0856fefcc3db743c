import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CommitJson, type LogJson, type StatusJson, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { expectSameTree, readTree, type Tree } from '../support/tree.js';

describe("LXC's own tools", () => {
  it('start, enter, tell of, list and stop a versioned container', async () => {
    using lxc = await withVersions();
    await lxc.checkout('mysql@0', 'mysql_tmp');
    for (const [name, files] of Object.entries({ mysql: 'first\nsecond\n', mysql_tmp: 'first\n' })) {
      await lxc.start(name);
      expect(await lxc.info(name)).toEqual({ state: 'RUNNING', pid: expect.any(Number) });
      expect(await lxc.attach(name, 'cd /home && ls')).toBe(files);
      expect(await lxc.attach(name, 'hostname')).toBe(`${name}\n`);
      await lxc.stop(name);
      expect((await lxc.info(name)).state).toBe('STOPPED');
    }
    expect((await lxc.tool('lxc-ls', '-1')).stdout.trim().split('\n').sort()).toEqual(['base', 'mysql', 'mysql_tmp']);
  });

  it('copy a versioned container, be its name the repository or not, to one that begins a history of its own', async () => {
    using lxc = await withVersions();
    await lxc.checkout('mysql@0', 'other');
    addFile(lxc, 'other', 'work');
    for (const name of ['mysql', 'other']) {
      const tree = lxc.tree(name);
      const copied = await lxc.tool('lxc-copy', '-n', name, '-N', `${name}-ship`, '-B', 'dir');
      expect(copied).toMatchObject({ exitCode: 0 });
      // rsync, by which LXC copies, leaves some times as they are where less than a second lies between.
      const ignore = (_: string, attribute: string) => attribute === 'mtime';
      expectSameTree(readTree(join(lxc.lxcpath, `${name}-ship/rootfs`)), tree, { ignore });
      expectSameTree(lxc.tree(name), tree);
      await lxc.start(`${name}-ship`);
      await lxc.stop(`${name}-ship`);
    }
    expect((await lxc.lxcv('status', 'other-ship')).exitCode).toBe(4);
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'Its own', 'other-ship');
    expect(version).toMatchObject({ number: 0, parents: [], branch: 'other-ship' });
    expect((await lxc.json<LogJson>('log', 'other-ship')).repository).toBe('other-ship');
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(2);
  });

  it('cannot rename a versioned container, and leave it as it was', async () => {
    using lxc = await withVersions();
    const tree = lxc.tree('mysql');
    expect((await lxc.tool('lxc-copy', '-n', 'mysql', '-N', 'renamed', '-R')).exitCode).not.toBe(0);
    expectSameTree(lxc.tree('mysql'), tree);
    await lxc.start('mysql');
  });

  it('destroy a versioned container, but none of its versions', async () => {
    using lxc = await withVersions();
    const tree = lxc.tree('mysql');
    addFile(lxc, 'mysql', 'lost');
    await lxc.checkout('mysql@0', 'other');
    await lxc.destroy('other');
    await lxc.destroy('mysql');
    expect(readdirSync(lxc.lxcpath)).toEqual(['base']);

    expect((await lxc.lxcv('list')).stdout).toMatch(/mysql.*2/);
    expect((await lxc.json<LogJson>('log', 'mysql')).versions.map(({ number }) => number)).toEqual([1, 0]);
    await lxc.json('checkout', 'mysql');
    expectSameTree(lxc.tree('mysql'), tree);
    expect(await lxc.json<StatusJson>('status', 'mysql')).toMatchObject({ branch: 'mysql', changes: [] });
    await lxc.start('mysql');
    await lxc.stop('mysql');
    addFile(lxc, 'mysql', 'third');
    await lxc.json('commit', '-m', 'Goes on', 'mysql');
  });

  it('do not destroy a container that versions stand on, not even when no container does any more', async () => {
    using lxc = await withVersions();
    const [base, tree] = [lxc.tree('base'), lxc.tree('mysql')];
    await expectBaseKept(lxc, base);
    await lxc.destroy('mysql');
    await expectBaseKept(lxc, base);
    await lxc.json('checkout', 'mysql', 'again');
    expectSameTree(lxc.tree('again'), tree);
  });

  it('find the repository among the clones of its base, also where the path of another one ends alike', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    const clones = join(lxc.lxcpath, 'base/lxc_snapshots');
    writeFileSync(clones, `/elsewhere${lxc.store}\nmysql\n${readFileSync(clones, 'utf8')}`);
    await lxc.commit('mysql', 'First');
    expect(readFileSync(clones, 'utf8').split('\n')).toContain(lxc.store);
  });

  it('go on with the clones of a container on a plain directory that lxcv took over', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    addFile(lxc, 'mysql', 'mine');
    const trees = { base: lxc.tree('base'), mysql: lxc.tree('mysql') };
    await lxc.json('commit', '-m', 'Base', 'base');
    for (const [name, tree] of Object.entries(trees)) {
      expectSameTree(lxc.tree(name), tree);
      await lxc.start(name);
      await lxc.stop(name);
    }
    addFile(lxc, 'base', 'only in base');
    await lxc.json('commit', '-m', 'Base goes on', 'base');
    const now = lxc.tree('mysql');
    await lxc.json('commit', '-m', 'Clone', 'mysql');
    await lxc.json('checkout', 'mysql@0', 'again');
    expectSameTree(lxc.tree('again'), now);
    expect(now.has('home/only in base')).toBe(false);
  });
});

describe('the config of a container', () => {
  it('keeps every line that is not the root file system, in its order, through commits and checkouts', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    lxc.editConfig('mysql', (text) =>
      [
        '# by Ada: do not touch',
        '',
        'lxc.environment = A=1',
        text.trimEnd().replace(/^(lxc\.rootfs\.path.*)$/m, '#before\n  $1  \n\t# behind'),
        'lxc.environment=B=2',
        'lxc.log.level   =   WARN',
        '# the end\n',
      ].join('\n'),
    );
    const lines = ownLines(lxc, 'mysql');
    await lxc.json('commit', '-m', 'First', 'mysql');
    expect(ownLines(lxc, 'mysql')).toEqual(lines);
    addFile(lxc, 'mysql', 'second');
    lxc.editConfig('mysql', (text) => `${text.trimEnd()}\n# by Bob\n`);
    await lxc.json('commit', '-m', 'Second', 'mysql');
    await lxc.json('checkout', 'mysql@0');
    expect(ownLines(lxc, 'mysql')).toEqual([...lines.slice(0, -1), '# by Bob', '']);
    await lxc.json('checkout', 'mysql@0', 'new');
    const renamed = lines.map((line) => line.replace(/^(lxc\.uts\.name.*)mysql/, '$1new'));
    expect(ownLines(lxc, 'new')).toEqual(renamed);
    await lxc.start('new');
    expect(await lxc.attach('new', 'hostname')).toBe('new\n');
  });

  it('gets addresses and a host name of its own with a new name, and keeps them otherwise', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    const [first, second] = ['00:16:3e:aa:bb:cc', '00:16:3e:dd:ee:ff'];
    lxc.editConfig(
      'mysql',
      (text) => `${text}lxc.net.0.hwaddr = ${first}\nlxc.net.1.type = empty\nlxc.net.1.hwaddr = ${second}\n`,
    );
    await commitFile(lxc, 'mysql', 'first');
    await commitFile(lxc, 'mysql', 'second');
    await lxc.json('checkout', 'mysql@0');
    expect(identity(lxc, 'mysql')).toEqual(['mysql', first, second]);

    await lxc.json('checkout', 'mysql@1', 'new');
    const [name, ...addresses] = identity(lxc, 'new');
    expect([name, new Set([...addresses, first, second]).size]).toEqual(['new', 4]);
    for (const address of addresses) expect(address).toMatch(/^00:16:3e(:[0-9a-f]{2}){3}$/);
    await lxc.destroy('mysql');
    await lxc.json('checkout', 'mysql@1', 'mysql');
    expect(identity(lxc, 'mysql')).toEqual(['mysql', first, second]);
  });

  it('carries its private hook and fstab along, and both work', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    const directory = join(lxc.lxcpath, 'mysql');
    mkdirSync(join(directory, 'hooks'));
    writeFileSync(join(directory, 'hooks/start'), '#!/bin/sh\necho "$LXC_NAME $4" >"$(dirname "$0")/ran"\n');
    chmodSync(join(directory, 'hooks/start'), 0o755);
    writeFileSync(join(directory, 'fstab'), 'tmpfs mnt tmpfs size=64k 0 0\n');
    lxc.editConfig(
      'mysql',
      (text) => `${text}lxc.hook.pre-start = ${directory}/hooks/start word\nlxc.mount.fstab = ${directory}/fstab\n`,
    );
    await commitFile(lxc, 'mysql', 'first');
    await commitFile(lxc, 'mysql', 'second');
    await lxc.destroy('mysql');

    for (const name of ['new', 'mysql']) {
      await lxc.json('checkout', 'mysql@0', name);
      await lxc.start(name);
      expect(readFileSync(join(lxc.lxcpath, name, 'hooks/ran'), 'utf8')).toContain(name);
      expect(await lxc.attach(name, 'mount')).toMatch(/on \/mnt type tmpfs/);
      await lxc.stop(name);
    }
    rmSync(join(lxc.lxcpath, 'new'), { recursive: true });
    await commitFile(lxc, 'mysql', 'third');
    await lxc.json('checkout', 'mysql@HEAD', 'new');
    await lxc.start('new');
    expect(existsSync(join(lxc.lxcpath, 'new/hooks/ran'))).toBe(true);
  });

  it('may name its root file system in an include', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    const included = join(lxc.directory, 'mysql.conf');
    const path = /^lxc\.rootfs\.path.*\n/m;
    writeFileSync(included, `${path.exec(lxc.readConfig('mysql'))?.[0]}lxc.environment = INCLUDED=yes\n`);
    lxc.editConfig('mysql', (text) => text.replace(path, `lxc.include = ${included}\n`));
    await lxc.start('mysql');
    await lxc.attach('mysql', 'echo first >/home/first');
    await lxc.stop('mysql');
    const tree = lxc.tree('mysql');
    const text = readFileSync(included, 'utf8');

    await lxc.json('commit', '-m', 'First', 'mysql');
    expectSameTree(lxc.tree('mysql'), tree);
    await commitFile(lxc, 'mysql', 'second');
    await lxc.json('checkout', 'mysql@0', 'new');
    expectSameTree(lxc.tree('new'), tree);
    for (const name of ['mysql', 'new']) {
      await lxc.start(name);
      expect(await lxc.attach(name, 'cat /home/first; tr "\\0" "\\n" </proc/1/environ')).toMatch(
        /^first\n.*INCLUDED=yes/s,
      );
    }
    expect(readFileSync(included, 'utf8')).toBe(text);
  });
});

describe('a commit and a start at the same time', () => {
  it('never let a container write to a version', async () => {
    using lxc = await withVersions();
    const deltas = new Map<string, Tree>();
    for (let round = 0; round < 20; round += 1) {
      addFile(lxc, 'mysql', `round-${round}`);
      const delay = ((round * 7) % 20) / 400;
      const [, version] = await Promise.all([
        lxc.program('sh', ['-c', `sleep ${delay}; exec lxc-start -P ${lxc.lxcpath} -n mysql`]),
        lxc.commit('mysql', `Round ${round}`),
      ]);
      const delta = join(lxc.store, 'mysql/versions', version.id, 'delta');
      deltas.set(delta, readTree(delta));
      const { state, pid } = await lxc.info('mysql');
      if (state !== 'RUNNING') continue;
      expect(uppersOf(pid)).toEqual([lxc.rootfs('mysql').upper]);
      await lxc.attach('mysql', `echo ${round} >>/home/late; rm -f /home/round-*; chmod 700 /home`);
      await lxc.stop('mysql');
    }
    for (const [delta, tree] of deltas) expectSameTree(readTree(delta), tree);
    expect(deltas.size).toBe(20);
    await lxc.start('mysql');
    expect(uppersOf((await lxc.info('mysql')).pid).filter((upper) => deltas.has(upper))).toEqual([]);
  });
});

/** A clone `mysql` of two versions, each of which adds a file of its own to /home. */
async function withVersions(): Promise<TestLxc> {
  const lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  await commitFile(lxc, 'mysql', 'first');
  await commitFile(lxc, 'mysql', 'second');
  return lxc;
}

function addFile(lxc: TestLxc, name: string, file: string): void {
  using mount = lxc.mount(name);
  writeFileSync(join(mount.path, 'home', file), file);
}

async function commitFile(lxc: TestLxc, name: string, file: string): Promise<void> {
  addFile(lxc, name, file);
  await lxc.commit(name, file);
}

async function expectBaseKept(lxc: TestLxc, tree: Tree): Promise<void> {
  const { exitCode } = await lxc.tool('lxc-destroy', '-n', 'base');
  expect(exitCode).not.toBe(0);
  expectSameTree(lxc.tree('base'), tree);
}

/** The lines of a config that are not lxcv's to write. */
function ownLines(lxc: TestLxc, name: string): string[] {
  return lxc
    .readConfig(name)
    .split('\n')
    .filter((line) => !/^\s*lxc\.rootfs\.(path|options)\b|^# lxcv: /.test(line));
}

/** The host name, and the hardware addresses in their order. */
function identity(lxc: TestLxc, name: string): string[] {
  return [...lxc.readConfig(name).matchAll(/^lxc\.(?:uts\.name|net\.\d+\.hwaddr)\s*=\s*(\S+)$/gm)]
    .sort(([a], [b]) => Number(b.includes('uts')) - Number(a.includes('uts')))
    .map(([, value = '']) => value);
}

/** The upper directory of the root that a process sees. */
function uppersOf(pid: number): string[] {
  const roots = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4] === '/');
  return roots.map((line) => /upperdir=([^,\s]*)/.exec(line)?.[1] ?? '');
}
