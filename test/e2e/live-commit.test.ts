import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { type Host, machine } from '../../src/host/host.js';
import type { ContainerName } from '../../src/model/version.js';
import { type CommitJson, type ErrorJson, type LogJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { compareTrees, expectSameTree } from '../support/tree.js';
import { until } from '../support/until.js';

/** Until a file that was just written may be shared by the versions that have it. */
const SETTLED_MS = 100;

describe('a commit of a running container', () => {
  it('says for how long the container stood still, and notes it in the version', async () => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'Told', 'mysql');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\[mysql @1 \w+\] Told\n.*, the container stood still for \d+ ms\n$/);

    await lxc.attach('mysql', 'echo two >/home/two');
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'As JSON', 'mysql');
    const { pause } = manifest(lxc, version.id);
    expect(pause).toBeGreaterThan(0);
    expect(version).toMatchObject({ pause });
    const { versions } = await lxc.json<LogJson>('log', 'mysql');
    expect(versions.find(({ number }) => number === 2)).toMatchObject({ pause });

    await lxc.stop('mysql');
    const stopped = await lxc.lxcv('commit', '-m', 'Stopped', 'mysql', '--allow-empty');
    expect(stopped.stdout).not.toContain('stood still');
    const [last] = (await lxc.json<LogJson>('log', 'mysql')).versions;
    expect(last).not.toHaveProperty('pause');
  });

  it('leaves it running on the same file system, of which every version is as it was', async () => {
    using lxc = await runningContainer();
    const { pid } = await lxc.info('mysql');
    const config = lxc.readConfig('mysql');
    const trees = [];
    for (const name of ['one', 'two', 'three']) {
      await lxc.attach('mysql', `echo ${name} >/home/${name}; mkdir /home/d; mv /home/d /home/d-${name}`);
      trees.push(lxc.tree('mysql'));
      await lxc.json('commit', '-m', name, 'mysql');
    }
    expect(await lxc.info('mysql')).toEqual({ state: 'RUNNING', pid });
    expect(lxc.readConfig('mysql')).toBe(config);
    await lxc.attach('mysql', 'rm -r /home/one /home/d-one; echo changed >/home/two');
    for (const [index, tree] of trees.entries()) {
      await lxc.checkout(`mysql@${index + 1}`, `copy-${index}`);
      expectSameTree(lxc.tree(`copy-${index}`), tree);
    }
  });

  it('shares with the last one the files that did not change', async () => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'mkdir /home/d; echo same >/home/d/same; echo before >/home/changed; sync');
    await pause(SETTLED_MS);
    const first = await lxc.json<CommitJson>('commit', '-m', 'First', 'mysql');
    await lxc.attach('mysql', 'echo after! >/home/changed');
    await pause(SETTLED_MS);
    const second = await lxc.json<CommitJson>('commit', '-m', 'Second', 'mysql');
    await lxc.attach('mysql', 'echo >/home/new');
    const third = await lxc.json<CommitJson>('commit', '-m', 'Third', 'mysql');

    const inode = ({ version }: CommitJson, path: string) => lstatSync(join(deltaOf(lxc, version.id), path)).ino;
    expect(inode(second, 'home/d/same')).toBe(inode(first, 'home/d/same'));
    expect(inode(third, 'home/d/same')).toBe(inode(first, 'home/d/same'));
    expect(inode(second, 'home/changed')).not.toBe(inode(first, 'home/changed'));
    expect(inode(third, 'home/changed')).toBe(inode(second, 'home/changed'));
    expect(inode(first, 'home/d/same')).not.toBe(lstatSync(join(lxc.rootfs('mysql').upper, 'home/d/same')).ino);
    expect(readFileSync(join(deltaOf(lxc, first.version.id), 'home/changed'), 'utf8')).toBe('before\n');
    expect(await lxc.json('fsck', 'mysql')).toEqual({ findings: [] });
  });

  it('leaves one that its owner froze as it is', async () => {
    using lxc = await runningContainer();
    hook(lxc, 'pre-freeze', 'exit 1');
    await lxc.attach('mysql', 'echo one >/home/one');
    expect((await lxc.tool('lxc-freeze', '-n', 'mysql')).exitCode).toBe(0);
    const tree = lxc.tree('mysql');
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'Frozen', 'mysql');
    expect(version).toMatchObject({ pause: 0 });
    expect((await lxc.info('mysql')).state).toBe('FROZEN');
    await lxc.checkout('mysql@1', 'copy');
    expectSameTree(lxc.tree('copy'), tree);
    expect((await lxc.tool('lxc-unfreeze', '-n', 'mysql')).exitCode).toBe(0);
    expect(await lxc.attach('mysql', 'cat /home/one')).toBe('one\n');
  });

  it('refuses what overlayfs would not keep, as that of a stopped one does', async () => {
    using lxc = await runningContainer();
    const { pid } = await lxc.info('mysql');
    await lxc.attach('mysql', 'echo one >/home/one');
    const path = `/proc/${pid}/root/home/one`;
    execFileSync('chattr', ['+i', path]);
    try {
      const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'Immutable', 'mysql', '--json');
      expect([exitCode, (JSON.parse(stdout) as Partial<ErrorJson>).error?.code]).toEqual([3, 'delta-not-keepable']);
    } finally {
      execFileSync('chattr', ['-i', path]);
    }
    await lxc.attach('mysql', 'cp -p /home/one /home/other && mv /home/other /home/one');
    await lxc.json('commit', '-m', 'Not so any more', 'mysql');
  });
});

describe('hooks', () => {
  it('are run in order, and know what for', async () => {
    using lxc = await runningContainer();
    const said = join(lxc.directory, 'said');
    const say = [
      'state=$(lxc-info -P "$LXCV_LXCPATH" -n "$LXCV_CONTAINER" -sH)',
      `versions=$(ls ${lxc.store}/mysql/versions/*/manifest.json | wc -l)`,
      `echo "$LXCV_HOOK $LXCV_CONTAINER $LXCV_LXCPATH $state $versions" >>${said}`,
    ].join('\n');
    for (const name of ['pre-commit', 'pre-freeze', 'post-thaw', 'post-commit']) hook(lxc, name, say);
    await lxc.attach('mysql', 'echo one >/home/one');
    await lxc.json('commit', '-m', 'Running', 'mysql');
    expect(readFileSync(said, 'utf8').trimEnd().split('\n')).toEqual([
      `pre-commit mysql ${lxc.lxcpath} RUNNING 1`,
      `pre-freeze mysql ${lxc.lxcpath} RUNNING 1`,
      `post-thaw mysql ${lxc.lxcpath} RUNNING 1`,
      `post-commit mysql ${lxc.lxcpath} RUNNING 2`,
    ]);

    await lxc.stop('mysql');
    rmSync(said);
    await lxc.json('commit', '-m', 'Stopped', 'mysql', '--allow-empty');
    expect(readFileSync(said, 'utf8').trimEnd().split('\n')).toEqual([
      `pre-commit mysql ${lxc.lxcpath} STOPPED 2`,
      `post-commit mysql ${lxc.lxcpath} STOPPED 3`,
    ]);
  });

  it('see to it that what they do before the freeze is in the version', async () => {
    using lxc = await runningContainer();
    const attach = 'lxc-attach -P "$LXCV_LXCPATH" -n "$LXCV_CONTAINER" -- sh -c';
    hook(lxc, 'pre-freeze', `${attach} 'echo quiet >/home/state'`);
    hook(lxc, 'post-thaw', `${attach} 'echo busy >/home/state'`);
    await lxc.attach('mysql', 'echo busy >/home/state');
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'Quiet', 'mysql');
    expect(readFileSync(join(deltaOf(lxc, version.id), 'home/state'), 'utf8')).toBe('quiet\n');
    expect(await lxc.attach('mysql', 'cat /home/state')).toBe('busy\n');
  });

  it.each(['pre-commit', 'pre-freeze'])('refuse a commit, of which nothing is left then (%s)', async (name) => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    hook(lxc, name, 'echo starting; echo oh no >&2; echo not now >&2; exit 7');
    const before = [lxc.listing(), lxc.tree('mysql')] as const;
    const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'Refused', 'mysql', '--json');
    expect(exitCode).toBe(3);
    const { error } = JSON.parse(stdout) as ErrorJson;
    expect(error).toMatchObject({ code: 'hook-refused', message: `the hook ${name} ended with 7: not now` });
    expect(error.hint).toContain(hookPath(lxc, name));

    const ignore = (path: string, attribute: string) => path === 'lxcv/mysql/operations' || attribute === 'mtime';
    expect(compareTrees(lxc.listing(), before[0], { ignore })).toEqual([]);
    expectSameTree(lxc.tree('mysql'), before[1]);
    expect((await lxc.info('mysql')).state).toBe('RUNNING');
    rmSync(hookPath(lxc, name));
    expect((await lxc.json<CommitJson>('commit', '-m', 'Again', 'mysql')).version.number).toBe(1);
  });

  it.each(['post-thaw', 'post-commit'])('that fail afterwards are told, and no more (%s)', async (name) => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    hook(lxc, name, 'echo too late >&2; exit 1');
    const { exitCode, stdout, stderr } = await lxc.lxcv('commit', '-m', 'Done', 'mysql');
    expect([exitCode, stdout.split('\n')[0]]).toEqual([0, expect.stringMatching(/^\[mysql @1 \w+\] Done$/)]);
    expect(stderr).toContain(`the hook ${name} ended with 1: too late`);
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(2);
  });

  it('are run after the thaw also where the copy failed', async () => {
    using lxc = await runningContainer();
    const said = join(lxc.directory, 'said');
    const attach = 'lxc-attach -P "$LXCV_LXCPATH" -n "$LXCV_CONTAINER" -- sh -c';
    hook(lxc, 'pre-freeze', `${attach} 'echo late >/home/late'`);
    hook(lxc, 'post-thaw', `lxc-info -P "$LXCV_LXCPATH" -n "$LXCV_CONTAINER" -sH >${said}`);
    hook(lxc, 'post-commit', `echo never >>${said}`);
    await expect(commitOn(lxc, failingOnceFrozen())).rejects.toThrow('EIO');
    expect(readFileSync(said, 'utf8')).toBe('RUNNING\n');
    expect((await lxc.info('mysql')).state).toBe('RUNNING');
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(1);
    expect(await commitOn(lxc, machine)).toMatchObject({ number: 1 });
    expect(readFileSync(said, 'utf8')).toBe('RUNNING\nnever\n');
  });

  it('may leave a process behind, for another one to end', async () => {
    using lxc = await runningContainer();
    const pid = join(lxc.directory, 'pid');
    hook(lxc, 'pre-freeze', `sleep 30 & echo $! >${pid}`);
    hook(lxc, 'post-thaw', `kill $(cat ${pid})`);
    await lxc.attach('mysql', 'echo one >/home/one');
    const started = performance.now();
    const { exitCode, stderr } = await lxc.lxcv('commit', '-m', 'Quiet', 'mysql');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('that cannot be run refuse too, and files that are not executable are none', async () => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    hook(lxc, 'pre-commit', 'exit 1');
    chmodSync(hookPath(lxc, 'pre-commit'), 0o644);
    await lxc.json('commit', '-m', 'Ignored', 'mysql');
    await lxc.attach('mysql', 'echo two >/home/two');
    writeFileSync(hookPath(lxc, 'pre-commit'), '#!/nowhere/at/all\n');
    chmodSync(hookPath(lxc, 'pre-commit'), 0o755);
    const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'Refused', 'mysql', '--json');
    expect([exitCode, (JSON.parse(stdout) as ErrorJson).error.code]).toEqual([3, 'hook-refused']);
  });
});

describe('a container whose lxcv is killed', () => {
  /** What stands in for the shell that freezes, as sh(1): `real` is the true one, `meet` tells the test and waits for it. */
  const MOMENTS = {
    'before it is frozen': 'meet; real "$@"',
    'while it is frozen': 'real "$@" | { read -r frozen; meet; echo "$frozen"; }',
  };

  it.each(Object.entries(MOMENTS))('%s runs again without any lxcv', async (moment, script) => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    const directory = join(lxc.directory, 'bin');
    const [met, go, done] = ['met', 'go', 'done'].map((name) => join(directory, name)) as [string, string, string];
    const real = execFileSync('sh', ['-c', 'command -v sh'], { encoding: 'utf8' }).trim();
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'sh'),
      `#!/bin/sh
      real() { ${real} "$@"; }
      meet() { : >${met}; until [ -e ${go} ]; do sleep .01; done; }
      ${script}
      : >${done}`,
      { mode: 0o755 },
    );
    const env = { PATH: `${directory}:${process.env.PATH}`, HOME: lxc.directory };
    const child = spawn(process.execPath, [LXCV, 'commit', '-m', '', 'mysql', '-P', lxc.lxcpath], {
      stdio: 'ignore',
      env,
    });
    try {
      await until(() => existsSync(met), true);
      const isFrozen = moment === 'while it is frozen';
      const state = async () => (await lxc.info('mysql')).state;
      await until(state, isFrozen ? 'FROZEN' : 'RUNNING');
    } finally {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      writeFileSync(go, '');
    }
    await until(() => existsSync(done), true);
    const state = async () => (await lxc.info('mysql')).state;
    await until(state, 'RUNNING');
    await pause(500);
    expect(await state()).toBe('RUNNING');
    expect(await lxc.attach('mysql', 'cat /home/one')).toBe('one\n');

    expect((await lxc.lxcv('fsck')).exitCode).toBe(0);
    expect((await lxc.json<CommitJson>('commit', '-m', 'Whole', 'mysql')).version.number).toBe(1);
    expect(readdirSync(join(lxc.store, 'mysql/versions'))).toHaveLength(3);
  });
});

/** A container with one version that runs since. */
async function runningContainer(): Promise<TestLxc> {
  const lxc = temporaryLxc();
  try {
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    await lxc.commit('mysql', 'First');
    await lxc.start('mysql');
    await booted(lxc);
    return lxc;
  } catch (error) {
    lxc[Symbol.dispose]();
    throw error;
  }
}

/** Waits until the programs that a container starts have written all that they write. */
async function booted(lxc: TestLxc): Promise<void> {
  for (let before = lxc.listing(); ; ) {
    await pause(300);
    const now = lxc.listing();
    if (compareTrees(now, before).length === 0) return;
    before = now;
  }
}

function hookPath(lxc: TestLxc, name: string): string {
  return join(lxc.store, 'mysql/hooks', name);
}

function hook(lxc: TestLxc, name: string, script: string): void {
  mkdirSync(join(lxc.store, 'mysql/hooks'), { recursive: true });
  writeFileSync(hookPath(lxc, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  expect(statSync(hookPath(lxc, name)).mode & 0o111).not.toBe(0);
}

function manifest(lxc: TestLxc, id: string): { readonly chain: readonly string[]; readonly pause?: number } {
  return JSON.parse(readFileSync(join(lxc.store, 'mysql/versions', id, 'manifest.json'), 'utf8'));
}

/** The layer that a version added. */
function deltaOf(lxc: TestLxc, id: string): string {
  return join(lxc.store, 'mysql', manifest(lxc, id).chain[0] as string);
}

async function commitOn(lxc: TestLxc, host: Host) {
  const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
  const author = { name: 'Ada', email: 'ada@example.org' };
  const container = 'mysql' as ContainerName;
  return await engine.commit({ container, message: '', author, allowEmpty: false, acceptBase: false });
}

/** A machine that cannot copy a file from the moment on in which a container stands still. */
function failingOnceFrozen(): Host {
  let frozen = false;
  return {
    ...machine,
    lxc: {
      ...machine.lxc,
      freeze: async (lxcpath, name) => {
        frozen = true;
        return await machine.lxc.freeze(lxcpath, name);
      },
    },
    files: {
      ...machine.files,
      copyContent: (from, to) => {
        if (frozen) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
        machine.files.copyContent(from, to);
      },
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
