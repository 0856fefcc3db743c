import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { mountDisk } from '../support/disk.js';
import { interleaved, lxcv, type Program, took } from './measure.js';
import { type Row, reportRows } from './report.js';
import { FILES, fillDelta, IS_QUICK, MIB, SIZE, tookToCommit, versioned } from './work.js';

const ROUNDS = IS_QUICK ? 1 : 3;
/** Room for the delta, the copies that share its blocks, and their directories. */
const DISK_BYTES = 4 * 2 ** 30;

/** Another way to keep the state of a directory. */
interface Peer {
  /** The program, as the table names it. */
  readonly name: string;
  /** A directory of its own. In it `kept` is made anew each time, and `restored` of that. */
  readonly place: string;
  /** What is run before each time, and not measured. */
  readonly prepare?: Program;
  readonly keep: Program;
  /** Left out where it is the same as to keep, on other names. */
  readonly restore?: Program;
}

const rows: Row[] = [];
afterAll(() => reportRows('tools', rows));

it('keeps a state and restores it', async () => {
  using lxc = await versioned('web');
  const delta = join(lxc.directory, 'delta');
  fillDelta(delta, FILES, MIB);
  using btrfs = isInstalled('mkfs.btrfs') ? mountDisk('btrfs', DISK_BYTES) : undefined;
  using xfs = isInstalled('mkfs.xfs') ? mountDisk('xfs', DISK_BYTES) : undefined;
  const peers = [
    ...copies(lxc.directory, delta),
    ...(btrfs === undefined ? [] : subvolumes(btrfs.path, delta)),
    ...(xfs === undefined ? [] : [sharedBlocks('xfs', xfs.path, delta)]),
    ...(isInstalled('ostree') ? [ostree(lxc.directory, delta)] : []),
    ...(isInstalled('restic') ? [restic(lxc.directory, delta)] : []),
  ];
  let made = 0;
  const medians = await interleaved(ROUNDS, {
    commit: () => tookToCommit(lxc, 'web', delta),
    checkout: () => took(lxcv(lxc.lxcpath, 'checkout', 'web', `new-${made++}`)),
    ...Object.fromEntries(peers.flatMap((peer) => measures(peer))),
  } as Record<string, () => number | Promise<number>>);
  const median = (name: string) => medians[name] ?? Number.NaN;
  rows.push(
    ...peers.map(({ name }) => ({
      ...{ what: `keep, stopped, ${SIZE}: \`lxcv commit\` until it says so`, lxcv: median('commit') },
      ...{ peer: name, peerTook: median(`keep: ${name}`) },
    })),
    ...peers
      .filter(({ restore }) => restore !== undefined)
      .map(({ name }) => ({
        ...{ what: `restore, ${SIZE}: \`lxcv checkout\` to a new name`, lxcv: median('checkout') },
        ...{ peer: name, peerTook: median(`restore: ${name}`) },
      })),
  );
});

/** What interleaved() measures of a peer, by name. */
function measures({ name, place, prepare, keep, restore }: Peer): [string, () => number][] {
  const keepAnew = () => {
    execFileSync('rm', ['-rf', join(place, 'kept'), join(place, 'restored')]);
    if (prepare !== undefined) took(prepare);
    return tookWhenQuiet(place, keep);
  };
  return [
    [`keep: ${name}`, keepAnew],
    ...(restore === undefined
      ? []
      : [[`restore: ${name}`, () => tookWhenQuiet(place, restore)] as [string, () => number]]),
  ];
}

/** Waits until nothing is left to be written to a file system before it takes the time. */
function tookWhenQuiet(place: string, program: Program): number {
  execFileSync('sync', ['-f', place]);
  return took(program);
}

/** A full copy, and one that shares what did not change with an earlier copy: here all of it. */
function copies(directory: string, delta: string): Peer[] {
  const [plain, linked] = ['cp', 'rsync'].map((name) => makePlace(directory, name)) as [string, string];
  const earlier = join(linked, 'earlier');
  took(['cp', '-al', delta, earlier]);
  return [
    {
      ...{ name: '`cp -a`', place: plain },
      keep: ['cp', '-a', delta, join(plain, 'kept')],
      restore: ['cp', '-a', join(plain, 'kept'), join(plain, 'restored')],
    },
    {
      ...{ name: '`rsync -aHAX --link-dest`, nothing changed', place: linked },
      keep: ['rsync', '-aHAX', `--link-dest=${earlier}`, `${delta}/`, join(linked, 'kept')],
    },
  ];
}

function sharedBlocks(kind: string, disk: string, delta: string): Peer {
  const place = makePlace(disk, 'reflinks');
  const source = join(disk, 'delta');
  took(['cp', '-a', `${delta}/.`, source]);
  return {
    ...{ name: `\`cp -a --reflink=always\` on ${kind}`, place },
    keep: ['cp', '-a', '--reflink=always', source, join(place, 'kept')],
  };
}

/** Copies of a subvolume by its files, and as a whole. */
function subvolumes(disk: string, delta: string): Peer[] {
  const place = makePlace(disk, 'subvolumes');
  const source = join(disk, 'delta');
  took(['btrfs', 'subvolume', 'create', source]);
  return [
    sharedBlocks('btrfs', disk, delta),
    {
      ...{ name: '`btrfs subvolume snapshot`', place },
      keep: ['btrfs', 'subvolume', 'snapshot', source, join(place, 'kept')],
    },
  ];
}

/** A new repository each time: it keeps a content that it has already by its digest alone. */
function ostree(directory: string, delta: string): Peer {
  const place = makePlace(directory, 'ostree');
  const repository = `--repo=${join(place, 'kept')}`;
  return {
    ...{ name: 'ostree', place },
    prepare: ['ostree', 'init', repository, '--mode=bare'],
    keep: ['ostree', 'commit', repository, '--branch=bench', `--tree=dir=${delta}`],
    restore: ['ostree', 'checkout', repository, 'bench', join(place, 'restored')],
  };
}

/** A new repository each time, as for ostree. */
function restic(directory: string, delta: string): Peer {
  const place = makePlace(directory, 'restic');
  const repository = ['--repo', join(place, 'kept'), '--no-cache', '--quiet', '--password-command', 'echo bench'];
  return {
    ...{ name: 'restic', place },
    prepare: ['restic', ...repository, 'init'],
    keep: ['restic', ...repository, 'backup', delta],
    restore: ['restic', ...repository, 'restore', 'latest', '--target', join(place, 'restored')],
  };
}

function makePlace(directory: string, name: string): string {
  const place = join(directory, 'peers', name);
  mkdirSync(place, { recursive: true });
  return place;
}

/** Whether a program is there; says so where it is not. */
function isInstalled(program: string): boolean {
  const isFound = spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
  if (!isFound) console.log(`${program} is not installed: what needs it is left out`);
  return isFound;
}
