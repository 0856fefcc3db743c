import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { type Host, machine } from '../../src/host/host.js';
import type { ContainerName } from '../../src/model/version.js';
import { type CommitJson, type ErrorJson, type LogJson, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { compareTrees, expectSameTree } from '../support/tree.js';

/** Until a file that was just written may be shared by the versions that have it. */
const SETTLED_MS = 100;

describe('a commit of a running container', () => {
  it('says for how long the container stood still, and notes it in the version', async () => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'Told', 'mysql');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\[mysql @1 \w+\] Told\n.*, the container was frozen for \d+ ms\n$/);

    await lxc.attach('mysql', 'echo two >/home/two');
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'As JSON', 'mysql');
    const { pause } = manifest(lxc, version.id);
    expect(pause).toBeGreaterThan(0);
    expect(version).toMatchObject({ pause });
    const { versions } = await lxc.json<LogJson>('log', 'mysql');
    expect(versions.find(({ number }) => number === 2)).toMatchObject({ pause });

    await lxc.stop('mysql');
    const stopped = await lxc.lxcv('commit', '-m', 'Stopped', 'mysql', '--allow-empty');
    expect(stopped.stdout).not.toContain('was frozen');
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

  it('leaves one that its owner froze while it was copied as it is', async () => {
    using lxc = await runningContainer();
    hook(lxc, 'pre-freeze', 'exec lxc-freeze -P "$LXCV_LXCPATH" -n "$LXCV_CONTAINER"');
    await lxc.attach('mysql', 'echo one >/home/one');
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'Frozen', 'mysql');
    expect(version).toMatchObject({ pause: 0 });
    expect((await lxc.info('mysql')).state).toBe('FROZEN');
    expect((await lxc.tool('lxc-unfreeze', '-n', 'mysql')).exitCode).toBe(0);
  });

  it('refuses what overlayfs would not keep, as that of a stopped one does', async () => {
    using lxc = await runningContainer();
    const { pid } = await lxc.info('mysql');
    await lxc.attach('mysql', 'echo one >/home/one');
    await lxc.attach('mysql', `echo one >"/home/it's \\$(false)"`);
    execFileSync('chattr', ['+i', `/proc/${pid}/root/home/one`]);
    execFileSync('chattr', ['+a', `/proc/${pid}/root/home/it's $(false)`]);
    // What the hint says is done.
    for (const _ of ['one', 'the other']) {
      const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'Immutable', 'mysql', '--json');
      const { error } = JSON.parse(stdout) as ErrorJson;
      expect([exitCode, error]).toEqual([3, expect.objectContaining({ code: 'delta-not-keepable' })]);
      execFileSync('bash', ['-c', /chattr .*$/.exec(error.hint)?.[0] ?? 'false']);
    }
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
    hook(lxc, name, 'seq 1000; echo starting; echo oh no >&2; echo not now; exit 7');
    const before = [lxc.listing(), lxc.tree('mysql')] as const;
    const { exitCode, stdout, stderr } = await lxc.lxcv('commit', '-m', 'Refused', 'mysql', '--json');
    expect(exitCode).toBe(3);
    // The end of what it printed is told, and not all.
    expect(stderr).toMatch(new RegExp(`^lxcv: ${name}: 983\n[\\s\\S]*lxcv: ${name}: starting\nlxcv: ${name}: oh no\n`));
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
    hook(lxc, 'pre-freeze', `sleep 60 & echo $! >${pid}`);
    // Had lxcv waited for it, it would be over.
    hook(lxc, 'post-thaw', `kill $(cat ${pid})`);
    await lxc.attach('mysql', 'echo one >/home/one');
    const { exitCode, stderr } = await lxc.lxcv('commit', '-m', 'Quiet', 'mysql');
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  it('that cannot be run or are killed refuse too, and say so, and files that are not executable are none', async () => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    hook(lxc, 'pre-commit', 'exit 1');
    chmodSync(hookPath(lxc, 'pre-commit'), 0o644);
    const ignored = await lxc.lxcv('commit', '-m', 'Ignored', 'mysql');
    const told = `the hook pre-commit is not executable, and was not run; to have it run: chmod +x ${hookPath(lxc, 'pre-commit')}`;
    expect([ignored.exitCode, ignored.stderr]).toEqual([0, `lxcv: ${told}\n`]);
    await lxc.attach('mysql', 'echo two >/home/two');
    writeFileSync(hookPath(lxc, 'pre-commit'), '#!/nowhere/at/all\n');
    chmodSync(hookPath(lxc, 'pre-commit'), 0o755);
    const refusal = async () => {
      const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'Refused', 'mysql', '--json');
      const { code, message } = (JSON.parse(stdout) as ErrorJson).error;
      return [exitCode, code, message];
    };
    const missing = `the hook pre-commit could not be run: spawn ${hookPath(lxc, 'pre-commit')} ENOENT`;
    expect(await refusal()).toEqual([3, 'hook-refused', missing]);
    hook(lxc, 'pre-commit', 'echo at work; kill -TERM $$');
    expect(await refusal()).toEqual([3, 'hook-refused', 'the hook pre-commit was killed by SIGTERM: at work']);
  });
});

describe('a pause', () => {
  it('has a bound: a container that would stand still for longer goes on, and there is no version', async () => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'echo one >/home/one');
    writeBeforeFreeze(lxc);
    const before = lxc.listing();
    const hindered = onceFrozen((left) => {
      // Until a keeper thaws it: lxcv comes to nothing meanwhile.
      if (left === 0) while (stateOf(lxc) === 'FROZEN');
    });
    const failure = await commitOn(lxc, hindered, { maxPauseMs: 200 }).catch((error) => error);
    expect(failure).toMatchObject({ code: 'pause-too-long', exitCode: 3 });
    expect(failure.message).toMatch(
      /^mysql stood still for 0\.2 s, which is as long as it may, and was let go: \/.* had changed/,
    );
    expect(failure.hint).toContain('lxcv commit --max-pause 1 mysql');
    expect(stateOf(lxc)).toBe('RUNNING');
    const ignore = (path: string, attribute: string) => path === 'lxcv/mysql/operations' || attribute === 'mtime';
    const left = compareTrees(lxc.listing(), before, { ignore }).filter((line) => !line.includes('home/late'));
    expect(left).toEqual([]);
    expect(await commitOn(lxc, machine)).toMatchObject({ number: 1 });
  });

  it('that can be seen to become too long does not begin: what keeps changing is told', async () => {
    using lxc = await runningContainer();
    await lxc.attach('mysql', 'head -c 2000000 /dev/zero >/home/big; echo one >/home/one');
    const big = join(lxc.rootfs('mysql').upper, 'home/big');
    let [passes, clockMs] = [0, 0];
    const slow = () => {
      passes += 1;
      clockMs += 60_000;
      writeFileSync(big, `${passes}`, { flag: 'r+' });
    };
    const host: Host = {
      ...machine,
      monotonicMs: () => machine.monotonicMs() + clockMs,
      files: {
        ...machine.files,
        copyContent: (from, to, tick) => {
          const lost = machine.files.copyContent(from, to, tick);
          if (String(from).endsWith('/big')) slow();
          return lost;
        },
        updateContent: (from, to, tick) => {
          const lost = machine.files.updateContent(from, to, tick);
          slow();
          return lost;
        },
      },
      lxc: { ...machine.lxc, freeze: () => Promise.reject(new Error('it was frozen')) },
    };
    const failure = await commitOn(lxc, host).catch((error) => error);
    expect(failure).toMatchObject({ code: 'pause-too-long' });
    expect(failure.message).toMatch(
      /^mysql would stand still for about \d+ s, and may for 10 s: \/home\/big \(1\.9 MiB\) keeps changing$/,
    );
    expect(passes).toBeLessThanOrEqual(6);
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(1);
  });

  it('that somebody else ends makes no version, and what its owner freezes stays frozen', async () => {
    using lxc = await runningContainer();
    writeBeforeFreeze(lxc);
    await lxc.attach('mysql', 'echo one >/home/one');
    const unfreeze = () => execFileSync('lxc-unfreeze', ['-P', lxc.lxcpath, '-n', 'mysql']);
    await expect(
      commitOn(
        lxc,
        onceFrozen((left) => left === 0 && unfreeze()),
      ),
    ).rejects.toMatchObject({
      code: 'thawed-meanwhile',
      exitCode: 3,
    });
    expect(stateOf(lxc)).toBe('RUNNING');

    const freezeAgain = () => {
      unfreeze();
      execFileSync('lxc-freeze', ['-P', lxc.lxcpath, '-n', 'mysql']);
    };
    await expect(
      commitOn(
        lxc,
        onceFrozen((left) => left === 0 && freezeAgain()),
      ),
    ).rejects.toMatchObject({
      code: 'thawed-meanwhile',
    });
    expect(stateOf(lxc)).toBe('FROZEN');
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(1);
    unfreeze();
    expect(await commitOn(lxc, machine)).toMatchObject({ number: 1 });
  });

  it('takes a time that can be meant', async () => {
    using lxc = temporaryLxc();
    const { exitCode, stdout } = await lxc.lxcv('commit', '--json', '--max-pause', '-1', '-m', 'x', 'mysql');
    expect([exitCode, (JSON.parse(stdout) as ErrorJson).error.code]).toEqual([2, 'bad-usage']);
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

/** Has something to copy while the container stands still. */
function writeBeforeFreeze(lxc: TestLxc): void {
  const attach = 'lxc-attach -P "$LXCV_LXCPATH" -n "$LXCV_CONTAINER" -- sh -c';
  hook(lxc, 'pre-freeze', `${attach} 'echo late >/home/late'`);
}

function manifest(lxc: TestLxc, id: string): { readonly chain: readonly string[]; readonly pause?: number } {
  return JSON.parse(readFileSync(join(lxc.store, 'mysql/versions', id, 'manifest.json'), 'utf8'));
}

/** The layer that a version added. */
function deltaOf(lxc: TestLxc, id: string): string {
  return join(lxc.store, 'mysql', manifest(lxc, id).chain[0] as string);
}

async function commitOn(lxc: TestLxc, host: Host, options: { readonly maxPauseMs?: number } = {}) {
  const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
  const author = { name: 'Ada', email: 'ada@example.org' };
  const container = 'mysql' as ContainerName;
  return await engine.commit({ container, message: '', author, allowEmpty: false, acceptBase: false, ...options });
}

function stateOf(lxc: TestLxc): string {
  return execFileSync('lxc-info', ['-P', lxc.lxcpath, '-n', 'mysql', '-sH'], { encoding: 'utf8' }).trim();
}

/** A machine that cannot copy a file from the moment on in which a container stands still. */
function failingOnceFrozen(): Host {
  return onceFrozen(() => {
    throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
  });
}

/** A machine on which something happens before each file that is copied while a container stands still. @param act is told how many were. */
function onceFrozen(act: (copied: number) => unknown): Host {
  let copied: number | undefined;
  return {
    ...machine,
    lxc: {
      ...machine.lxc,
      freeze: async (...args) => {
        const freeze = await machine.lxc.freeze(...args);
        copied = 0;
        return freeze;
      },
    },
    files: {
      ...machine.files,
      copyContent: (...args) => {
        if (copied !== undefined) {
          act(copied);
          copied += 1;
        }
        return machine.files.copyContent(...args);
      },
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
