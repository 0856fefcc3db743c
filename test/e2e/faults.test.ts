import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import type { BranchName, ContainerName, TagName } from '../../src/model/version.js';
import { CHANGING, type Fault, faultyHost, LOOKING } from '../support/faults.js';
import { leftovers } from '../support/leftovers.js';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
import { mountOverlay } from '../support/overlay.js';
import { compareTrees, readTree, type Tree } from '../support/tree.js';

const AUTHOR = { name: 'Ada', email: 'ada@example.org' };
const C = 'mysql' as ContainerName;
const COMMIT = { container: C, message: 'again', author: AUTHOR, allowEmpty: true, acceptBase: false };
const CHECKOUT = { detach: false, restart: false, acceptBase: false };
const TAG = { name: C, tag: 'good' as TagName, revision: 'mysql@0', message: 'it works', author: AUTHOR };
const KILL_AT = fileURLToPath(new URL('../support/kill-at.mjs', import.meta.url));
/** A process of its own is killed at every such call; at all of them a machine dies on which nothing happens any more. */
const KILL_EVERY = 4;
const ERRNOS = ['EIO', 'ENOSPC', 'EROFS', 'EMFILE'];

/** An operation, the state that it starts from, and what may be seen of `mysql` when it is over. */
interface Operation {
  readonly verb: keyof Engine;
  readonly args: readonly unknown[];
  readonly prepare: (place: Place) => Promise<void>;
  /** The container runs while it happens. */
  readonly running?: true;
  /** A container that it makes. */
  readonly makes?: ContainerName;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'adopting an overlay container': {
    verb: 'commit',
    prepare: async (place) => place.makeOverlay(),
    args: [COMMIT],
  },
  'adopting a dir container': {
    verb: 'commit',
    prepare: async (place) => place.makeDirectory(),
    args: [COMMIT],
  },
  'committing a stopped container': {
    verb: 'commit',
    prepare: (place) => place.makeHistory(2),
    args: [COMMIT],
  },
  'committing with a keyframe': {
    verb: 'commit',
    prepare: (place) => place.makeHistory(7),
    args: [COMMIT],
  },
  'committing a running container': {
    verb: 'commit',
    prepare: (place) => place.makeHistory(2),
    args: [COMMIT],
    running: true,
  },
  'checking out a new container': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2),
    args: [{ ...CHECKOUT, revision: 'mysql@0', container: 'mysql_tmp' as ContainerName }],
    makes: 'mysql_tmp' as ContainerName,
  },
  'switching in place with work to keep': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2),
    args: [{ ...CHECKOUT, revision: 'mysql@0' }],
  },
  'switching in place with nothing to keep': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2, { dirty: false }),
    args: [{ ...CHECKOUT, revision: 'mysql@0' }],
  },
  'switching a running container in place': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2),
    args: [{ ...CHECKOUT, revision: 'mysql@0', restart: true }],
    running: true,
  },
  'creating a branch': {
    verb: 'createBranch',
    prepare: (place) => place.makeHistory(2),
    args: [C, 'tuning' as BranchName, 'mysql@0'],
  },
  'renaming a branch': {
    verb: 'renameBranch',
    prepare: (place) => place.makeHistory(2),
    args: [C, 'mysql' as BranchName, 'main' as BranchName],
  },
  'deleting a branch': {
    verb: 'deleteBranch',
    prepare: async (place) => {
      await place.makeHistory(2);
      await (await place.engine()).createBranch(C, 'tuning' as BranchName, 'mysql@0');
    },
    args: [C, 'tuning' as BranchName, true],
  },
  'creating a tag': {
    verb: 'createTag',
    prepare: (place) => place.makeHistory(2),
    args: [TAG],
  },
  'deleting a tag': {
    verb: 'deleteTag',
    prepare: async (place) => {
      await place.makeHistory(2);
      await (await place.engine()).createTag(TAG);
    },
    args: [C, TAG.tag],
  },
  'sealing versions': {
    verb: 'seal',
    prepare: (place) => place.makeHistory(2),
    args: [C],
  },
};

/** The verbs of the engine that change neither store nor container; what is neither here nor above has no test yet. */
const READING: readonly (keyof Engine)[] = [
  'blame',
  'diff',
  'exportVersion',
  'fsck',
  'grep',
  'list',
  'listBranches',
  'listTags',
  'log',
  'mountVersion',
  'patch',
  'showPath',
  'showVersion',
  'status',
  'unmountVersion',
];

const tried: string[] = [];
afterAll(() => console.log(`faults: tried ${tried.length} points in ${Object.keys(OPERATIONS).length} operations`));

describe('a fault at any change that an operation makes', () => {
  it('is tried for every operation that the engine has', async () => {
    using lxc = temporaryLxc();
    const verbs = Object.keys(await openEngine({ lxcpath: lxc.lxcpath }));
    const known = new Set<string>([...READING, ...Object.values(OPERATIONS).map((operation) => operation.verb)]);
    expect(verbs.filter((verb) => !known.has(verb))).toEqual([]);
  });

  it('can hit every call of the machine that changes something', () => {
    const known = new Set<string>([...CHANGING.files, ...LOOKING]);
    expect(Object.keys(machine.files).filter((name) => !known.has(name))).toEqual([]);
    const passive = ['defaultPath', 'state', 'holdStopped', 'lockDirectory', 'runningUnder'];
    expect(Object.keys(machine.lxc).filter((name) => ![...CHANGING.lxc, ...passive].includes(name))).toEqual([]);
  });

  it.each(Object.entries(OPERATIONS))(
    'leaves the old or the new when %s',
    { timeout: 600_000 },
    async (name, operation) => {
      using place = await makePlace(operation);
      const whole = await place.strike({ kind: 'none' }, -1);
      expect(whole.error).toBeUndefined();
      const after = place.look();
      for (let at = 0; at < whole.calls.length; at += 1) {
        const short = /^(create|append) /.test(whole.calls[at] as string);
        const faults: Fault[] = [{ kind: 'death' }, { kind: 'errno', code: ERRNOS[at % ERRNOS.length] as string }];
        for (const fault of short ? [...faults, { kind: 'cut-short' } as const] : faults) {
          const point = `${name}: ${JSON.stringify(fault)} at ${at} of ${whole.calls.length}, ${whole.calls[at]}`;
          await place.strike(fault, at);
          expect(place.differsFrom([place.before, after]), point).toEqual([]);
          await place.boot(point);
          await place.expectWhole(point);
          tried.push(point);
        }
        if (at % KILL_EVERY !== 0) continue;
        const point = `${name}: SIGKILL at ${at} of ${whole.calls.length}, ${whole.calls[at]}`;
        await place.kill(at);
        expect(place.differsFrom([place.before, after]), point).toEqual([]);
        await place.boot(point);
        await place.expectWhole(point);
        tried.push(point);
      }
    },
  );
});

/** What can be seen of the containers without lxcv. */
interface Sight {
  readonly tree: Tree;
  /** undefined where the container that the operation makes is not there. */
  readonly made: Tree | undefined;
}

/** A place to which an operation's starting state can be brought back again and again. */
class Place implements Disposable {
  before: Sight = { tree: new Map(), made: undefined };
  private versions = new Map<string, Tree>();
  private readonly booted = new Set<string>();

  constructor(
    readonly lxc: TestLxc,
    private readonly bases: TestLxc,
    private readonly operation: Operation,
  ) {}

  [Symbol.dispose](): void {
    this.lxc[Symbol.dispose]();
    this.bases[Symbol.dispose]();
  }

  engine(): Promise<Engine> {
    return openEngine({ lxcpath: this.lxc.lxcpath });
  }

  async prepare(): Promise<void> {
    await this.operation.prepare(this);
    this.before = this.look();
    this.versions = new Map(this.manifests().map(({ id }) => [id, this.treeOfVersion(id)]));
    for (const part of ['lxc', 'lxcv']) this.copy(part, `saved-${part}`);
  }

  makeOverlay(): void {
    const directory = join(this.lxc.lxcpath, C);
    mkdirSync(join(directory, 'overlay/delta/etc'), { recursive: true });
    mkdirSync(join(directory, 'overlay/work'));
    writeFileSync(join(directory, 'overlay/delta/etc/mine'), 'mine');
    this.writeConfig(`overlay:${this.base}:${directory}/overlay/delta`);
  }

  makeDirectory(): void {
    const directory = join(this.lxc.lxcpath, C);
    mkdirSync(directory);
    execFileSync('cp', ['-a', this.base, join(directory, 'rootfs')]);
    this.writeConfig(`dir:${directory}/rootfs`);
  }

  async makeHistory(versions: number, { dirty = true } = {}): Promise<void> {
    this.makeOverlay();
    for (let version = 0; version < versions; version += 1) {
      await (await this.engine()).commit(COMMIT);
      if (dirty || version < versions - 1) this.change(version);
    }
  }

  look(): Sight {
    const { makes } = this.operation;
    const made =
      makes !== undefined && existsSync(join(this.lxc.lxcpath, makes, 'config')) ? this.lxc.tree(makes) : undefined;
    return { tree: this.lxc.tree(C), made };
  }

  /** Brings the starting state back, and runs the operation on a machine that fails. */
  async strike(fault: Fault, at: number): Promise<{ calls: readonly string[]; error: unknown }> {
    for (const part of ['lxc', 'lxcv']) this.copy(`saved-${part}`, part);
    if (this.operation.running) await this.lxc.start(C);
    const host = faultyHost(fault, at);
    let error: unknown;
    try {
      await this.invoke(await openEngine({ lxcpath: this.lxc.lxcpath, host }));
    } catch (thrown) {
      error = thrown;
    }
    if (this.operation.running) await this.expectThawed();
    if (this.operation.running) await this.lxc.tool('lxc-stop', '-n', C, '-k');
    return { calls: host.calls, error };
  }

  private async invoke(engine: Engine): Promise<void> {
    const { verb, args } = this.operation;
    await (engine[verb] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
  }

  /** Brings the starting state back, and has a process of its own killed at a call of the operation. */
  async kill(at: number): Promise<void> {
    for (const part of ['lxc', 'lxcv']) this.copy(`saved-${part}`, part);
    if (this.operation.running) await this.lxc.start(C);
    const { verb, args } = this.operation;
    const words = [this.lxc.lxcpath, `${at}`, JSON.stringify(CHANGING), verb, JSON.stringify(args)];
    const { signal, status } = spawnSync(process.execPath, [KILL_AT, ...words], { stdio: 'ignore' });
    // The end of a freeze is no call there: the last call may not be reached.
    expect([signal, status]).toEqual(signal === null ? [null, 0] : ['SIGKILL', null]);
    if (!this.operation.running) return;
    await expect.poll(async () => (await this.lxc.info(C)).state, { timeout: 15_000 }).toMatch(/RUNNING|STOPPED/);
    await this.lxc.tool('lxc-stop', '-n', C, '-k');
  }

  /** A container that lxcv froze and left is thawed by the next command. */
  private async expectThawed(): Promise<void> {
    if ((await this.lxc.info(C)).state !== 'FROZEN') return;
    await (await this.engine()).list();
    expect((await this.lxc.info(C)).state).toBe('RUNNING');
  }

  /** The differences from that of the states which what is there now comes nearest to. */
  differsFrom(states: readonly Sight[]): string[] {
    const now = this.look();
    const differences = states.map((state) => [
      ...compareTrees(now.tree, state.tree),
      ...(now.made === undefined || state.made === undefined ? [] : compareTrees(now.made, state.made)),
    ]);
    return differences.reduce((least, some) => (some.length < least.length ? some : least));
  }

  /** LXC alone starts what is there; what it started before in this way is not started again. */
  async boot(point: string): Promise<void> {
    const state = this.bootState();
    if (this.booted.has(state)) return;
    this.booted.add(state);
    await this.lxc.start(C);
    const { state: running } = await this.lxc.info(C);
    await this.lxc.stop(C);
    expect(running, point).toBe('RUNNING');
  }

  /** All that a start of the container depends on, without the ids that differ each time. */
  private bootState(): string {
    const config = this.lxc.readConfig(C).replaceAll(/versions\/[a-z0-9]{12}/g, 'versions/ID');
    const { lowers, upper } = this.lxc.rootfs(C);
    const kinds = [...lowers, upper, join(upper, '../work')].map((path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat?.isSymbolicLink()
        ? 'link'
        : stat?.isDirectory()
          ? 'directory'
          : stat === undefined
            ? 'none'
            : 'other';
    });
    return `${config}\n${kinds.join(' ')}`;
  }

  /** The next command finds everything whole, every version is as it was, and the operation can be done again. */
  async expectWhole(point: string): Promise<void> {
    const engine = await this.engine();
    expect(await engine.fsck(undefined), point).toEqual([]);
    expect(
      leftovers(this.lxc.directory).filter((path) => !path.startsWith('saved-')),
      point,
    ).toEqual([]);
    for (const { id } of this.manifests()) {
      const known = this.versions.get(id) ?? this.before.tree;
      expect(compareTrees(this.treeOfVersion(id), known), point).toEqual([]);
    }
    for (const id of this.versions.keys())
      expect(
        this.manifests().map((manifest) => manifest.id),
        point,
      ).toContain(id);
    await expect(engine.commit(COMMIT), point).resolves.toMatchObject({ container: C });
    expect(await engine.fsck(undefined), point).toEqual([]);
  }

  private get base(): string {
    return join(this.bases.lxcpath, 'base/rootfs');
  }

  private get store(): string {
    return join(this.lxc.store, C);
  }

  /** An init that writes nothing, so that a boot leaves the tree as it was, and that stops at once. */
  private writeConfig(rootfs: string): void {
    const kept = this.bases
      .readConfig('base')
      .split('\n')
      .filter((line) => !/^lxc\.(rootfs|uts|signal)/.test(line));
    const init = ['lxc.init.cmd = /bin/sleep 600', 'lxc.signal.halt = SIGKILL'];
    const own = [`lxc.rootfs.path = ${rootfs}`, `lxc.uts.name = ${C}`, ...init];
    writeFileSync(
      join(this.lxc.lxcpath, C, 'config'),
      `${[...kept.filter((line) => line !== ''), ...own].join('\n')}\n`,
    );
  }

  private change(version: number): void {
    using root = this.lxc.mount(C);
    writeFileSync(join(root.path, `root/file-${version}`), `of version ${version}`);
    rmSync(join(root.path, `root/file-${version - 1}`), { force: true });
    writeFileSync(join(root.path, 'etc/mine'), `mine ${version}`);
  }

  private manifests(): { id: string; chain: string[]; bases: { path: string }[] }[] {
    if (!existsSync(join(this.store, 'versions'))) return [];
    const found = execFileSync('find', [join(this.store, 'versions'), '-maxdepth', '2', '-name', 'manifest.json']);
    const paths = found
      .toString()
      .split('\n')
      .filter((path) => path !== '');
    return paths.map((path) => JSON.parse(readFileSync(path, 'utf8')));
  }

  private treeOfVersion(id: string): Tree {
    const manifest = this.manifests().find((some) => some.id === id);
    const chain = (manifest?.chain ?? []).map((layer) => join(this.store, layer));
    using mount = mountOverlay({ lowers: [...chain, ...(manifest?.bases ?? []).map(({ path }) => path)] });
    return readTree(mount.path);
  }

  private copy(from: string, to: string): void {
    const [source, target] = [join(this.lxc.directory, from), join(this.lxc.directory, to)];
    rmSync(target, { recursive: true, force: true });
    if (existsSync(source)) execFileSync('cp', ['-a', source, target]);
  }
}

async function makePlace(operation: Operation): Promise<Place> {
  const bases = temporaryLxc();
  bases.createBase();
  keepLittle(join(bases.lxcpath, 'base/rootfs'));
  const place = new Place(temporaryLxc(), bases, operation);
  await place.prepare();
  return place;
}

/** Removes the hundreds of names by which busybox can be called: trees are compared thousands of times here. */
function keepLittle(rootfs: string): void {
  execFileSync('find', [rootfs, '-type', 'l', '!', '-name', 'sleep', '!', '-name', 'sh', '-delete']);
}
