/**
 * Power cuts: lxcpath and store lie on a device whose bytes are a file on xfs. While lxcv works, clones of that file are taken,
 * each atomically: what a disk would hold had the power gone in that instant. What nobody synced is not on it but by chance.
 * Each clone is then mounted in the device's place, as after a reboot.
 */

import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { type CheckoutJson, type CommitJson, type LogJson, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { type DisposablePath, mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { randomFor } from '../support/seed.js';
import { compareTrees, expectSameTree, readTree, type Tree } from '../support/tree.js';

/** The room for the clones: they share what they have in common. */
const OUTER_BYTES = 4 * 2 ** 30;
const INNER_BYTES = 400 * 2 ** 20;
/** How long after the first record of an operation a cut comes at the latest, in milliseconds: most are done by then. */
const LATEST_MS = 30;
/** How long after its start, otherwise. */
const LATEST_ANY_MS = 400;
const random = randomFor('power cuts at random moments');

/** The file systems that containers are kept on; no journal is written by itself while a test lasts. */
const FILE_SYSTEMS = {
  ext4: { make: ['mkfs.ext4', '-q', '-F'], options: 'commit=300' },
  xfs: { make: ['mkfs.xfs', '-q', '-f'], options: 'noatime,nouuid' },
} as const;

/** When a cut comes: at a random moment of an operation, as soon as the operation was reported, or whenever. */
const MOMENTS = ['within', 'reported', 'random'] as const;

it.each([
  { kind: 'ext4', cuts: 12 },
  { kind: 'xfs', cuts: 6 },
] as const)('a power cut on $kind loses no version that was reported before it', async ({ kind, cuts }) => {
  using disk = new Disk(kind);
  using lxc = temporaryLxc(disk.path);
  const history = new History(lxc, disk);
  lxc.createBase();
  keepLittle(join(lxc.lxcpath, 'base/rootfs'));
  await lxc.clone('base', 'mysql');
  lxc.editConfig('mysql', (text) => `${text}lxc.init.cmd = /bin/sleep 600\n`);
  disk.sync();

  for (let at = 0; at < cuts; at += 1) {
    const moment = MOMENTS[at % MOMENTS.length] as Moment;
    if (at === cuts - 3) await lxc.start('mysql');
    if (at < cuts - 3 && at % 4 === 2) await history.switchInPlace(moment);
    else await history.commit(moment);
  }
  await lxc.stop('mysql');
  expect(history.cuts.map(({ reported }) => reported.length).at(-1)).toBeGreaterThanOrEqual(cuts - 1);

  for (const cut of history.cuts) {
    disk.insert(cut.clone);
    await history.expectWhole(cut);
  }
  expect(history.cuts).toHaveLength(cuts);
});

type Moment = (typeof MOMENTS)[number];

interface Reported {
  readonly id: string;
  readonly number: number;
  readonly tree: Tree;
}

interface Cut {
  readonly name: string;
  /** The file that holds what the device held. */
  readonly clone: string;
  /** The versions that lxcv had reported before it. */
  readonly reported: readonly Reported[];
  /** What the container may hold after it; without any, something was writing to it. */
  readonly held: readonly Tree[];
}

/** A device in a file, mounted: `using disk = new Disk('ext4')`. */
class Disk implements Disposable {
  /** Where it is mounted. */
  readonly path: string;
  private readonly directory: DisposablePath = temporaryDirectory();
  private readonly outer = join(this.directory.path, 'outer');
  private readonly backing = join(this.outer, 'disk');
  private clones = 0;

  constructor(private readonly kind: keyof typeof FILE_SYSTEMS) {
    this.path = join(this.directory.path, 'inner');
    try {
      for (const path of [this.path, this.outer]) mkdirSync(path);
      makeFile(`${this.outer}.img`, OUTER_BYTES);
      execFileSync('mkfs.xfs', ['-q', '-m', 'reflink=1', `${this.outer}.img`]);
      execFileSync('mount', ['-o', 'loop', `${this.outer}.img`, this.outer]);
      makeFile(this.backing, INNER_BYTES);
      const [make, ...options] = FILE_SYSTEMS[kind].make;
      execFileSync(make, [...options, this.backing]);
      this.mount(this.backing);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }

  sync(): void {
    execFileSync('sync', ['-f', this.path]);
  }

  /** What the device holds now, in a file of its own. */
  async cut(): Promise<string> {
    this.clones += 1;
    const clone = join(this.outer, `cut-${this.clones}`);
    const child = spawn('cp', ['--reflink=always', this.backing, clone], { stdio: 'inherit' });
    const [status] = await once(child, 'exit');
    expect(status).toBe(0);
    return clone;
  }

  /** Mounts what the device held at a cut in place of what is there, with what the file system does after a crash. */
  insert(clone: string): void {
    execFileSync('umount', [this.path]);
    this.mount(clone);
  }

  private mount(file: string): void {
    execFileSync('mount', ['-t', this.kind, '-o', `loop,${FILE_SYSTEMS[this.kind].options}`, file, this.path]);
  }
}

/** What lxcv reported, and the cuts that came between. */
class History {
  readonly cuts: Cut[] = [];
  private readonly reported: Reported[] = [];
  private changes = 0;

  constructor(
    private readonly lxc: TestLxc,
    private readonly disk: Disk,
  ) {}

  async commit(moment: Moment): Promise<void> {
    const tree = await this.change();
    await this.cutAround(moment, [tree], async () => {
      const { version } = await this.lxc.json<CommitJson>('commit', '-m', `Change ${this.changes}`, 'mysql');
      this.reported.push({ id: version.id, number: version.number, tree });
    });
  }

  /** Goes back to the first version. */
  async switchInPlace(moment: Moment): Promise<void> {
    const tree = await this.change();
    const target = this.reported[0] as Reported;
    await this.cutAround(moment, [tree, target.tree], async () => {
      const { saved } = await this.lxc.json<CheckoutJson>('checkout', `mysql@${target.number}`);
      const { id, number } = saved as NonNullable<typeof saved>;
      this.reported.push({ id, number, tree });
    });
  }

  /** What a cut left keeps every promise; to be called when it is mounted. */
  async expectWhole({ name, reported, held }: Cut): Promise<void> {
    const found = this.lxc.tree('mysql');
    const [nearest = []] = held.map((tree) => compareTrees(found, tree)).sort((a, b) => a.length - b.length);
    expect(nearest, `${name}: what the container holds`).toEqual([]);

    const fsck = await this.lxc.lxcv('fsck', '--json');
    expect(JSON.parse(fsck.stdout), name).toEqual({ findings: [] });
    for (const { id, number, tree } of reported) {
      expect(manifestOf(this.lxc, id), name).toMatchObject({ id, number });
      expect(compareTrees(treeOf(this.lxc, id), tree), `${name}: version ${number}`).toEqual([]);
    }
    const { versions } = reported.length === 0 ? { versions: [] } : await this.log();
    expect(
      reported.filter(({ id }) => !versions.some((version) => version.id === id)),
      name,
    ).toEqual([]);

    writeInto(this.lxc, 'home/after');
    const later = this.lxc.tree('mysql');
    const { id } = await this.lxc.commit('mysql', 'After the power came back');
    expectSameTree(treeOf(this.lxc, id), later);
    const engine = await openEngine({ lxcpath: this.lxc.lxcpath });
    expect(await engine.fsck(undefined), name).toEqual([]);
  }

  private log(): Promise<LogJson> {
    return this.lxc.json<LogJson>('log', '--all', 'mysql');
  }

  /** Lets the container change something of everything, and returns what it holds then. */
  private async change(): Promise<Tree> {
    this.changes += 1;
    const [now, former] = [`home/change-${this.changes}`, `home/change-${this.changes - 2}`];
    const { state } = await this.lxc.info('mysql');
    if (state === 'RUNNING') {
      const large = `dd if=/dev/urandom of=/${now}/large bs=64k count=20 2>/dev/null`;
      await this.lxc.attach('mysql', `mkdir /${now} && ${large} && echo ${now} >/etc/change && rm -rf /${former}`);
    } else {
      using root = this.lxc.mount('mysql');
      mkdirSync(join(root.path, now));
      writeFileSync(join(root.path, now, 'large'), randomBytes(20 << 16));
      writeFileSync(join(root.path, 'etc/change'), now);
      rmSync(join(root.path, former), { recursive: true, force: true });
    }
    return this.lxc.tree('mysql');
  }

  /** Has the power cut at some moment of an operation. */
  private async cutAround(moment: Moment, states: readonly Tree[], operate: () => Promise<void>): Promise<void> {
    const cut = async (held: readonly Tree[]) => {
      const reported = [...this.reported];
      this.cuts.push({ name: `cut ${this.cuts.length}, ${moment}`, clone: await this.disk.cut(), reported, held });
    };
    if (moment === 'reported') {
      await operate();
      await cut(states.slice(-1));
      return;
    }
    // What the container wrote is on disk only if somebody saw to it.
    if (moment === 'within') this.disk.sync();
    const log = join(this.lxc.store, 'mysql/operations');
    const size = sizeOf(log);
    let isOver = false;
    const operation = operate().finally(() => {
      isOver = true;
    });
    while (moment === 'within' && !isOver && sizeOf(log) === size) await setTimeout(1);
    await setTimeout(random.below(moment === 'within' ? LATEST_MS : LATEST_ANY_MS));
    await cut(moment === 'within' ? states : []);
    await operation;
  }
}

interface Manifest {
  readonly id: string;
  readonly number: number;
  readonly chain: readonly string[];
  readonly bases: readonly { readonly path: string }[];
}

function manifestOf(lxc: TestLxc, id: string): Manifest {
  return JSON.parse(readFileSync(join(lxc.store, 'mysql/versions', id, 'manifest.json'), 'utf8'));
}

/** What a version holds, as its manifest and the kernel say. */
function treeOf(lxc: TestLxc, id: string): Tree {
  const { chain, bases } = manifestOf(lxc, id);
  const layers = [...chain.map((layer) => join(lxc.store, 'mysql', layer)), ...bases.map(({ path }) => path)];
  using mount = mountOverlay({ lowers: layers });
  return readTree(mount.path);
}

function writeInto(lxc: TestLxc, path: string): void {
  using root = lxc.mount('mysql');
  writeFileSync(join(root.path, path), path);
}

/** Removes the hundreds of names by which busybox can be called: trees are compared often here. */
function keepLittle(rootfs: string): void {
  const kept = ['sh', 'sleep', 'dd', 'mkdir', 'rm'].flatMap((name) => ['!', '-name', name]);
  execFileSync('find', [rootfs, '-type', 'l', ...kept, '-delete']);
}

function makeFile(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
