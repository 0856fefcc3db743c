/** Containers and a store whose state is brought back again and again, for an operation that goes wrong in another way each time. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import { type Host, machine } from '../../src/host/host.js';
import type { ContainerName } from '../../src/model/version.js';
import { type Fault, faultyHost } from './faults.js';
import { leftovers } from './leftovers.js';
import { listXattrs, removeXattr, setXattr } from './libc.js';
import { type TestLxc, temporaryLxc } from './lxc.js';
import { mountOverlay } from './overlay.js';
import { PowerLoss } from './power-loss.js';
import { compareTrees, readTree, type Tree } from './tree.js';
import { untilSo } from './until.js';

/** The container that every operation works on. */
export const C = 'mysql' as ContainerName;
export const COMMIT = {
  container: C,
  message: 'again',
  author: { name: 'Ada', email: 'ada@example.org' },
  allowEmpty: true,
  acceptBase: false,
};
/** Overlayfs's mark of what `chattr +i` was done to: no version can hold it. */
const PROTECTED = 'trusted.overlay.protattr';
const KILL_AT = fileURLToPath(new URL('./kill-at.mjs', import.meta.url));

/** An operation, and the state that it starts from. */
export interface Operation {
  readonly verb: keyof Engine;
  readonly args: readonly unknown[];
  readonly prepare: (place: Place) => Promise<void>;
  /** The container runs while it happens. */
  readonly running?: true;
  /** The calls that are struck, where another operation makes the others too. */
  readonly only?: RegExp;
}

/** What can be seen without lxcv: of each container that is there, its tree, and its config without that of the root file system. */
export type Sight = ReadonlyMap<string, { readonly tree: Tree; readonly config: string }>;

/** What an operation left behind it. */
interface Struck {
  /** What it called, in order, with no id of a version and no number of a descriptor. */
  readonly calls: readonly string[];
  readonly error: unknown;
  /** Before lxcv ran again. */
  readonly sight: Sight;
}

/** An operation whose every change was watched. */
interface Watched {
  readonly power: PowerLoss;
  /** What it called, as `Struck` has it. */
  readonly calls: readonly string[];
  readonly error: unknown;
  readonly sight: Sight;
  /** The versions that it reported. */
  readonly reported: readonly string[];
}

export class Place implements Disposable {
  before: Sight = new Map();
  /** The refs before, as `refs` has them. */
  refsBefore: readonly string[] = [];
  private versions = new Map<string, Tree>();
  /** The starting state. */
  private saved: PowerLoss | undefined;
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
    this.refsBefore = this.refs();
    this.versions = new Map(this.manifests().map(({ id }) => [id, this.treeOfVersion(id)]));
    this.saved = this.watchDisk();
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

  /** Has the container hold what cannot become a version. */
  makeUnkeepable(): void {
    setXattr(Buffer.from(this.lxc.rootfs(C).upper), PROTECTED, Buffer.from('i'));
  }

  private makeKeepable(): void {
    const upper = Buffer.from(this.lxc.rootfs(C).upper);
    if (listXattrs(upper).includes(PROTECTED)) removeXattr(upper, PROTECTED);
  }

  /** Brings the starting state back, and runs the operation on a machine that fails. */
  async strike(fault: Fault, at: number): Promise<Struck> {
    await this.bringBack();
    const host = faultyHost(fault, at);
    const { error } = await this.operate(host);
    const sight = this.look();
    await this.expectThawed();
    return { calls: host.calls.map(withoutIds), error, sight };
  }

  /**
   * The same, watching what is made durable. After a death the next command is watched too.
   * @returns what a power cut may leave: see `PowerLoss`.
   */
  async watch(fault: Fault, at: number): Promise<Watched> {
    await this.bringBack();
    const power = this.watchDisk();
    const under = power.host(machine);
    const host = faultyHost(fault, at, under);
    const { error, reported } = await this.operate(host);
    if (fault.kind === 'death') {
      const engine = await openEngine({ lxcpath: this.lxc.lxcpath, host: under });
      expect(await engine.fsck(undefined)).toEqual([]);
    }
    const sight = this.look();
    await this.expectThawed();
    return { power, calls: host.calls.map(withoutIds), error, sight, reported };
  }

  private async operate(host: Host): Promise<{ error: unknown; reported: readonly string[] }> {
    try {
      const engine = await openEngine({ lxcpath: this.lxc.lxcpath, host });
      const { verb, args } = this.operation;
      const result = await (engine[verb] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
      return { error: undefined, reported: this.expectReported(result) };
    } catch (error) {
      return { error, reported: [] };
    }
  }

  /** The ids of the versions that are there. */
  versionIds(): string[] {
    return this.manifests().map(({ id }) => id);
  }

  /** Brings the starting state back, and has a process of its own killed at a call of the operation. */
  async kill(at: number): Promise<Sight> {
    await this.bringBack();
    const { verb, args } = this.operation;
    const words = [this.lxc.lxcpath, `${at}`, verb, JSON.stringify(args)];
    const { signal, stderr } = spawnSync(process.execPath, [KILL_AT, ...words], { encoding: 'utf8' });
    expect([signal, stderr]).toEqual(['SIGKILL', '']);
    const sight = this.look();
    await this.expectThawed();
    return sight;
  }

  /** LXC alone starts what is there; what it started before in this way is not started again. */
  async boot(): Promise<void> {
    for (const name of this.look().keys()) {
      const state = this.bootState(name);
      if (this.booted.has(state)) continue;
      this.booted.add(state);
      await this.lxc.start(name);
      const { state: running } = await this.lxc.info(name);
      await this.lxc.stop(name);
      expect(running).toBe('RUNNING');
    }
  }

  /** The next command finds everything whole, every version is as it was, and the operation can be done again. */
  async expectWhole(refsAfter: readonly string[]): Promise<void> {
    const engine = await this.engine();
    const isMarked = existsSync(join(this.store, 'restarting', C));
    expect(await engine.fsck(undefined)).toEqual([]);
    if (isMarked && (await engine.notStarted()).length === 0) {
      expect((await this.lxc.info(C)).state).toBe('RUNNING');
    }
    expect(leftovers(this.lxc.directory)).toEqual([]);
    expect(leftovers(this.bases.directory)).toEqual([]);
    expect([this.refsBefore, refsAfter]).toContainEqual(this.refs());
    const manifests = this.manifests();
    for (const { id } of manifests) {
      const known = this.versions.get(id) ?? this.before.get(C)?.tree;
      expect(compareTrees(this.treeOfVersion(id), known as Tree)).toEqual([]);
    }
    const ids = manifests.map(({ id }) => id);
    expect([...this.versions.keys()].filter((id) => !ids.includes(id))).toEqual([]);
    this.makeKeepable();
    await expect(engine.commit({ ...COMMIT, restart: true })).resolves.toMatchObject({ container: C });
    expect(await engine.fsck(undefined)).toEqual([]);
  }

  /** What each ref is called, and the number of the version that it names. */
  refs(): string[] {
    const numbers = new Map(this.manifests().map(({ id, number }) => [id, number]));
    const root = join(this.store, 'refs');
    const paths = existsSync(root) ? readdirSync(root, { recursive: true, withFileTypes: true }) : [];
    const files = paths.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const told = files.map((path) => {
      const id =
        readFileSync(path, 'utf8')
          .match(ID)
          ?.find((some) => numbers.has(some)) ?? '';
      return `${path.slice(root.length)}: ${numbers.get(id)}`;
    });
    return told.sort();
  }

  look(): Sight {
    // To LXC a directory whose name begins with a dot is none of its containers.
    const names = readdirSync(this.lxc.lxcpath).filter(
      (name) => !name.startsWith('.') && existsSync(join(this.lxc.lxcpath, name, 'config')),
    );
    return new Map(
      names.map((name) => {
        const lines = this.lxc.readConfig(name).split('\n');
        const config = lines.filter((line) => !/^(lxc\.rootfs\.|# lxcv: )/.test(line)).join('\n');
        return [name, { tree: this.lxc.tree(name), config }];
      }),
    );
  }

  private async bringBack(): Promise<void> {
    if (this.operation.running) await this.lxc.tool('lxc-stop', '-n', C, '-k');
    this.saved?.restore(new Map());
    if (this.operation.running) await this.lxc.start(C);
  }

  /** What an operation says that it made is there from then on, also where something failed. */
  private expectReported(result: unknown): string[] {
    const { id, version, saved } = (result ?? {}) as { id?: string; version?: { id: string }; saved?: { id: string } };
    const reported = [id, version?.id, saved?.id].flatMap((made) => made ?? []);
    expect(this.versionIds()).toEqual(expect.arrayContaining(reported));
    return reported;
  }

  /** A container that runs is not left frozen, though no lxcv runs again. It is stopped then. */
  private async expectThawed(): Promise<void> {
    if (!this.operation.running) return;
    await untilSo(
      async () => (await this.lxc.info(C)).state,
      (state) => /RUNNING|STOPPED/.test(state),
    );
    await this.lxc.tool('lxc-stop', '-n', C, '-k');
  }

  /** All that a start of a container depends on, without the ids that differ each time. */
  private bootState(name: string): string {
    const { lowers, upper } = this.lxc.rootfs(name);
    const kinds = [...lowers, upper, join(upper, '../work')].map(kindOf);
    return `${name}\n${withoutIds(this.lxc.readConfig(name))}\n${kinds.join(' ')}`;
  }

  private watchDisk(): PowerLoss {
    return new PowerLoss([
      { path: this.lxc.directory, except: ['home'] },
      { path: join(this.bases.lxcpath, 'base'), except: ['rootfs', 'config'] },
    ]);
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
      .filter((line) => line !== '' && !/^lxc\.(rootfs|uts|signal)/.test(line));
    const init = ['lxc.init.cmd = /bin/sleep 600', 'lxc.signal.halt = SIGKILL'];
    const own = [`lxc.rootfs.path = ${rootfs}`, `lxc.uts.name = ${C}`, ...init];
    writeFileSync(join(this.lxc.lxcpath, C, 'config'), `${[...kept, ...own].join('\n')}\n`);
  }

  private change(version: number): void {
    using root = this.lxc.mount(C);
    writeFileSync(join(root.path, `root/file-${version}`), `of version ${version}`);
    rmSync(join(root.path, `root/file-${version - 1}`), { force: true });
    writeFileSync(join(root.path, 'etc/mine'), `mine ${version}`);
  }

  private manifests(): { id: string; number: number; chain: string[]; bases: { path: string }[] }[] {
    const root = join(this.store, 'versions');
    const paths = existsSync(root) ? readdirSync(root).map((id) => join(root, id, 'manifest.json')) : [];
    return paths.filter((path) => existsSync(path)).map((path) => JSON.parse(readFileSync(path, 'utf8')));
  }

  private treeOfVersion(id: string): Tree {
    const manifest = this.manifests().find((some) => some.id === id);
    const chain = (manifest?.chain ?? []).map((layer) => join(this.store, layer));
    using mount = mountOverlay({ lowers: [...chain, ...(manifest?.bases ?? []).map(({ path }) => path)] });
    return readTree(mount.path);
  }
}

export async function makePlace(operation: Operation): Promise<Place> {
  const bases = temporaryLxc();
  bases.createBase();
  keepLittle(join(bases.lxcpath, 'base/rootfs'));
  const place = new Place(temporaryLxc(), bases, operation);
  await place.prepare();
  return place;
}

/** Says at which point an expectation failed. */
export async function naming(point: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Error) error.message = `${point}: ${error.message}`;
    throw error;
  }
}

/** The differences from that of the states which what is there now comes nearest to. */
export function differences(now: Sight, states: readonly Sight[]): string[] {
  const all = states.map((state) =>
    [...new Set([...now.keys(), ...state.keys()])].flatMap((name) => between(now, state, name)),
  );
  return all.reduce((least, some) => (some.length < least.length ? some : least));
}

function between(now: Sight, then: Sight, name: string): string[] {
  const [here, there] = [now.get(name), then.get(name)];
  if (here === undefined || there === undefined) return [`${name} is ${here === undefined ? 'not ' : ''}there`];
  const config = here.config === there.config ? [] : [`${name}'s config: ${here.config}`];
  return [...config, ...compareTrees(here.tree, there.tree)];
}

const ID = /\b[a-z0-9]{12}\b/g;

function withoutIds(text: string): string {
  return text.replaceAll(ID, 'ID').replaceAll(/\/fd\/\d+/g, '/fd/N');
}

function kindOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'none';
  return stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : 'other';
}

/** Removes the hundreds of names by which busybox can be called: trees are compared thousands of times here. */
function keepLittle(rootfs: string): void {
  execFileSync('find', [rootfs, '-type', 'l', '!', '-name', 'sleep', '!', '-name', 'sh', '-delete']);
}
