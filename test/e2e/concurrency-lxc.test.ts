import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import { type ErrorCode, LxcvError } from '../../src/model/errors.js';
import type { ContainerName, Version } from '../../src/model/version.js';
import { interruptedHost } from '../support/interloper.js';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
import { race, upperOf } from '../support/race.js';
import { randomFor } from '../support/seed.js';
import { expectSameTree, readTree, rootMtime, type Tree } from '../support/tree.js';

const MYSQL = 'mysql' as ContainerName;
const AUTHOR = { name: 'Ada', email: 'ada@example.org' };
const CHECKOUT = { detach: false, restart: false, acceptBase: false };

type Run = (engine: Engine) => Promise<unknown>;
const commit: Run = (engine) =>
  engine.commit({ container: MYSQL, message: '', author: AUTHOR, allowEmpty: true, acceptBase: false });
const switchInPlace: Run = (engine) => engine.checkout({ ...CHECKOUT, revision: 'mysql@0' });
const ON_A_CONTAINER = { 'a commit': commit, 'a checkout in place': switchInPlace };

describe.each(Object.entries(ON_A_CONTAINER))('between any two steps of %s', (_, run) => {
  it('an edit of the config is kept, or the operation refused', async () => {
    using lxc = await withVersions();
    const config = join(lxc.lxcpath, 'mysql/config');
    const lines: string[] = [];
    const edits = [
      (line: string) => appendFileSync(config, line),
      (line: string) => {
        writeFileSync(`${config}-new`, `${line}${readFileSync(config, 'utf8')}`);
        renameSync(`${config}-new`, config);
      },
    ];
    for (const edit of edits) {
      const matters = (call: string) => call.includes(dirname(config)) || /^(exchange|append) /.test(call);
      await everyMoment(
        lxc,
        run,
        matters,
        (moment) => {
          lines.push(`# ${edits.indexOf(edit)} ${moment}`);
          edit(`${lines.at(-1)}\n`);
        },
        async (code, moment) => {
          expect(['done', 'container-edited'], moment).toContain(code);
          expect(
            lxc
              .readConfig('mysql')
              .split('\n')
              .filter((line) => lines.includes(line))
              .sort(),
            moment,
          ).toEqual([...lines].sort());
        },
      );
    }
    await expectSound(lxc);
  });

  it('a start by another path of the containers is noticed, and writes to no version', async () => {
    using lxc = await withVersions();
    const other = join(lxc.directory, 'other');
    symlinkSync(lxc.lxcpath, other);
    const deltas = new Map<string, Tree>();
    const matters = (call: string) =>
      /^(holdStopped|runningUnder|append|sync|exchange|rename|(stat|create) .*\/work)\b/.test(call);
    await everyMoment(
      lxc,
      run,
      matters,
      () => void spawnSync('lxc-start', ['-P', other, '-n', 'mysql'], { stdio: 'ignore' }),
      async (code, moment) => {
        expect(['done', 'container-running', 'container-in-use'], moment).toContain(code);
        readDeltas(lxc, deltas);
        await expectOnItsOwn(lxc, moment, other);
        expectDeltas(deltas);
      },
    );
    await expectSound(lxc);
  });

  it('lxc-destroy takes the container away for good, and no version', async () => {
    using lxc = await withVersions();
    const first = lxc.tree('mysql');
    const matters = (call: string) => /mysql\/(\.config\.lxcv|config$)|^(holdStopped|exchange|sync|rename) /.test(call);
    await everyMoment(
      lxc,
      run,
      matters,
      () => expect(destroy(lxc, 'mysql')).toBe(0),
      async (code, moment) => {
        expect(['done', 'container-not-found'], moment).toContain(code);
        expect(readdirSync(lxc.lxcpath), moment).toEqual(
          code === 'done' && existsSync(join(lxc.lxcpath, 'mysql')) ? ['base', 'mysql'] : ['base'],
        );
        if (!existsSync(join(lxc.lxcpath, 'mysql'))) await lxc.checkout('mysql@1', 'mysql');
        else await lxc.json('checkout', 'mysql@1');
        expectSameTree(lxc.tree('mysql'), first, { ignore: rootMtime });
      },
    );
    await expectSound(lxc);
  });
});

describe('a commit of a stopped container', () => {
  it.each<[string, RegExp, boolean]>([
    ['cannot be started before the commit point', /^exchange /, false],
    [
      'can be started once what changed is counted, and before that is written',
      /^create .*\/versions\/.*staged$/,
      true,
    ],
  ])('%s', async (_, moment, starts) => {
    using lxc = await withVersions();
    addFile(lxc, 'mysql', 'work');
    const tree = lxc.tree('mysql');
    let hasStarted: boolean | undefined;
    let calls = 0;
    const host = interruptedHost({
      // The draft is made under a name that ends alike, before the commit point.
      at: starts ? 1 : 0,
      matters: (call) => moment.test(call),
      act: () => {
        calls += 1;
        hasStarted = spawnSync('lxc-start', ['-P', lxc.lxcpath, '-n', 'mysql'], { stdio: 'ignore' }).status === 0;
      },
    });
    const version = (await commit(await openEngine({ lxcpath: lxc.lxcpath, host }))) as Version;
    expect([calls, hasStarted]).toEqual([1, starts]);
    expect(version.changes).toMatchObject({ added: 1, removed: 0 });
    await expectOnItsOwn(lxc, 'afterwards', lxc.lxcpath);
    await lxc.checkout('mysql@2', 'new');
    expectSameTree(lxc.tree('new'), tree, { ignore: rootMtime });
    await expectSound(lxc);
  });
});

describe('a first commit', () => {
  it.each(['an overlay', 'a directory'])(
    'of a container on %s notices that it was started by another path right before the commit point',
    async (kind) => {
      using lxc = temporaryLxc();
      lxc.createBase(kind === 'an overlay' ? 'base' : 'mysql');
      if (kind === 'an overlay') await lxc.clone('base', 'mysql');
      lxc.quieten('mysql');
      const other = join(lxc.directory, 'other');
      symlinkSync(lxc.lxcpath, other);
      const config = lxc.readConfig('mysql');
      const host = interruptedHost({
        at: 0,
        matters: (call) => /^exchange .*\/\.config\.lxcv /.test(call),
        act: () => void spawnSync('lxc-start', ['-P', other, '-n', 'mysql'], { stdio: 'ignore' }),
      });
      const refused = { code: expect.stringMatching(/^container-(running|in-use)$/) };
      await expect(commit(await openEngine({ lxcpath: lxc.lxcpath, host }))).rejects.toMatchObject(refused);
      expect(host.calls).toHaveLength(2);
      expect(lxc.readConfig('mysql')).toBe(config);
      spawnSync('lxc-stop', ['-P', other, '-n', 'mysql', '-k'], { stdio: 'ignore' });
      expect(await lxc.commit('mysql', 'first')).toMatchObject({ number: 0 });
      await expectOnItsOwn(lxc, 'afterwards', lxc.lxcpath);
    },
  );

  it.each(['an overlay', 'a directory'])(
    'of a container on %s keeps an edit of its config at any moment, or is refused',
    async (kind) => {
      using lxc = temporaryLxc();
      lxc.createBase();
      for (let at = 0; ; at += 1) {
        const name = `c${at}` as ContainerName;
        if (kind === 'an overlay') await lxc.clone('base', name);
        else lxc.createBase(name);
        addFile(lxc, name, 'work');
        const tree = lxc.tree(name);
        const config = join(lxc.lxcpath, name, 'config');
        const matters = (call: string) => call.includes(dirname(config)) || /^(exchange|append) /.test(call);
        const host = interruptedHost({ at, matters, act: () => appendFileSync(config, '# an edit\n') });
        const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
        const code = await engine
          .commit({ container: name, message: '', author: AUTHOR, allowEmpty: true, acceptBase: false })
          .then(() => 'done', codeOf);
        if (host.calls.length <= at) {
          expect(at).toBeGreaterThan(10);
          break;
        }
        const moment = `before call ${at}, ${host.calls[at]}`;
        expect(['done', 'container-edited'], moment).toContain(code);
        expect(lxc.readConfig(name).split('\n'), moment).toContain('# an edit');
        expectSameTree(lxc.tree(name), tree);
        await lxc.start(name);
        await lxc.stop(name);
        await lxc.destroy(name);
      }
      await expectSound(lxc);
    },
  );

  it('of a container that lxc-destroy takes away is done or taken back, and leaves nothing that hinders', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    // The commit point, the move of the delta, the config that names its new place.
    for (const at of [0, 1, 2]) {
      const name = `c${at}` as ContainerName;
      await lxc.clone('base', name);
      addFile(lxc, name, 'work');
      const tree = lxc.tree(name);
      const act = () => expect(destroy(lxc, name)).toBe(0);
      const host = interruptedHost({ at, act, matters: (call) => /^exchange (?!.*lxcv-trial)/.test(call) });
      const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
      await engine
        .commit({ container: name, message: '', author: AUTHOR, allowEmpty: true, acceptBase: false })
        .catch(codeOf);
      await expectSound(lxc);
      expect(readdirSync(lxc.lxcpath)).toEqual(['base']);
      const { code } = await race(lxc, 'checkout', name, name);
      expect(code).toBe(at < 2 ? 'repository-not-found' : 'done');
      if (code === 'done') expectSameTree(lxc.tree(name), tree, { ignore: rootMtime });
      if (code === 'done') await lxc.destroy(name);
    }
  });
});

describe("LXC's tools at the same time as lxcv", () => {
  it('start a container, or are refused, and what it writes goes to no version', async () => {
    const random = randomFor('starts at the same time');
    using lxc = await withVersions();
    const other = join(lxc.directory, 'other');
    symlinkSync(lxc.lxcpath, other);
    const deltas = new Map<string, Tree>();
    const took = await duration(() => race(lxc, 'commit', '-m', 'x', 'mysql', '--allow-empty'));
    for (let round = 0; round < 4; round += 1) {
      addFile(lxc, 'mysql', `round-${round}`);
      const path = round > 1 ? other : lxc.lxcpath;
      const args = round % 2 === 0 ? ['commit', '-m', 'x', 'mysql'] : ['checkout', 'mysql@0'];
      const delay = (took * (0.3 + random.below(800) / 1000)) / 1000;
      const moment = `${args.join(' ')} and a start in ${path} after ${delay} s`;
      const [{ code }] = await Promise.all([
        race(lxc, ...args),
        lxc.program('sh', ['-c', `sleep ${delay}; exec lxc-start -P ${path} -n mysql`]),
      ]);
      expect(['done', 'container-running', 'container-in-use'], moment).toContain(code);
      readDeltas(lxc, deltas);
      await expectOnItsOwn(lxc, moment, lxc.lxcpath, other);
    }
    expectDeltas(deltas);
    await expectSound(lxc);
  });

  it('destroy and copy a container, whole or not at all', async () => {
    const random = randomFor('other tools at the same time');
    using lxc = await withVersions();
    const first = lxc.tree('mysql');
    const took = await duration(() => race(lxc, 'checkout', 'mysql@0', 'new'));
    const operations = [
      ['commit', '-m', 'x', 'mysql'],
      ['checkout', 'mysql@0'],
      ['checkout', 'mysql@0', 'new'],
    ];
    const tools = ['lxc-destroy -n mysql', 'lxc-copy -n mysql -N ship -B dir', 'lxc-copy -n mysql -N renamed -R'];
    for (let round = 0; round < 5; round += 1) {
      addFile(lxc, 'mysql', 'work');
      if (existsSync(join(lxc.lxcpath, 'new'))) await lxc.destroy('new');
      const args = operations[round % operations.length] as string[];
      const tool = args.at(-1) === 'new' ? 'lxc-destroy -n new' : tools[Math.max(0, round - 2)];
      const delay = (took * (0.3 + random.below(800) / 1000)) / 1000;
      const moment = `${args.join(' ')} and ${tool} after ${delay} s`;
      const [{ code, json }] = await Promise.all([
        race(lxc, ...args),
        lxc.program('sh', ['-c', `sleep ${delay}; exec ${tool} -P ${lxc.lxcpath}`]),
      ]);
      expect(['done', 'container-not-found', 'container-in-use'], `${moment}: ${JSON.stringify(json)}`).toContain(code);
      for (const name of readdirSync(lxc.lxcpath))
        expect(existsSync(join(lxc.lxcpath, name, 'config')), moment).toBe(true);
      if (existsSync(join(lxc.lxcpath, 'ship'))) await lxc.destroy('ship');
      if (existsSync(join(lxc.lxcpath, 'mysql'))) await lxc.destroy('mysql');
      expect((await race(lxc, 'checkout', 'mysql@1', 'mysql')).code, moment).toBe('done');
      expectSameTree(lxc.tree('mysql'), first, { ignore: rootMtime });
    }
    await expectSound(lxc);
  });

  it('keep a line that is appended to a config again and again', async () => {
    using lxc = await withVersions();
    const editor = lxc.program('sh', [
      '-c',
      `i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "# edit $i" >>${join(lxc.lxcpath, 'mysql/config')}; sleep 0.1; done`,
    ]);
    let isOver = false;
    const over = editor.then(() => {
      isOver = true;
    });
    const codes: string[] = [];
    while (!isOver) {
      addFile(lxc, 'mysql', `file-${codes.length}`);
      codes.push(
        (await race(lxc, ...(codes.length % 2 ? ['checkout', 'mysql@0'] : ['commit', '-m', 'x', 'mysql']))).code,
      );
    }
    await over;
    expect(codes.filter((code) => code !== 'done' && code !== 'container-edited')).toEqual([]);
    const edits = lxc
      .readConfig('mysql')
      .split('\n')
      .filter((line) => line.startsWith('# edit '));
    expect(edits).toEqual(edits.map((_, index) => `# edit ${index + 1}`));
    expect(edits).toHaveLength(40);
    await expectSound(lxc);
  });
});

/** A stopped container `mysql` of two versions, that writes nothing by itself. */
async function withVersions(): Promise<TestLxc> {
  const lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  lxc.quieten('mysql');
  await lxc.commit('mysql', 'First');
  addFile(lxc, 'mysql', 'first');
  await lxc.commit('mysql', 'Second');
  return lxc;
}

/** Runs an operation once for each call that matters, with `act` right before that; then `look`s at what came of it. */
async function everyMoment(
  lxc: TestLxc,
  run: Run,
  matters: (call: string) => boolean,
  act: (moment: number) => void,
  look: (code: ErrorCode | 'done', moment: string) => Promise<void>,
): Promise<void> {
  for (let at = 0; ; at += 1) {
    addFile(lxc, 'mysql', `work-${at}`);
    const host = interruptedHost({ at, matters, act: () => act(at) });
    const code = await run(await openEngine({ lxcpath: lxc.lxcpath, host })).then(() => 'done' as const, codeOf);
    if (host.calls.length <= at) return expect(at).toBeGreaterThan(5);
    await look(code, `before call ${at}, ${host.calls[at]}`);
  }
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof LxcvError) return error.code;
  throw error;
}

/** Where the container runs, by whichever path, its root is written to its own working delta. It is stopped then. */
async function expectOnItsOwn(lxc: TestLxc, moment: string, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    const pid = Number((await lxc.program('lxc-info', ['-P', path, '-n', 'mysql', '-H', '-p'])).stdout);
    if (pid === 0) continue;
    const upper = upperOf(pid) as string;
    expect(upper, moment).toBe(lxc.rootfs('mysql').upper);
    expect(existsSync(join(dirname(upper), 'manifest.json')), moment).toBe(false);
    writeFileSync(`/proc/${pid}/root/home/late`, moment);
    await lxc.program('lxc-stop', ['-P', path, '-n', 'mysql', '-k']);
  }
}

/** Adds what the deltas of versions hold that were not known yet. */
function readDeltas(lxc: TestLxc, deltas: Map<string, Tree>): void {
  const versions = join(lxc.store, 'mysql/versions');
  for (const id of readdirSync(versions)) {
    const delta = join(versions, id, 'delta');
    if (!deltas.has(delta) && existsSync(join(versions, id, 'manifest.json'))) deltas.set(delta, readTree(delta));
  }
}

function expectDeltas(deltas: ReadonlyMap<string, Tree>): void {
  for (const [delta, tree] of deltas) expectSameTree(readTree(delta), tree);
}

async function expectSound(lxc: TestLxc): Promise<void> {
  expect((await race(lxc, 'fsck')).json).toEqual({ findings: [] });
}

function destroy(lxc: TestLxc, name: string): number | null {
  return spawnSync('lxc-destroy', ['-P', lxc.lxcpath, '-n', name], { stdio: 'ignore' }).status;
}

/** In milliseconds. */
async function duration(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

function addFile(lxc: TestLxc, name: string, file: string): void {
  using mount = lxc.mount(name);
  writeFileSync(join(mount.path, 'home', file), file);
}
