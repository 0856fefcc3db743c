import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { mountDisk } from '../support/disk.js';
import { interleaved, lxcv, type Program, took, tookWhenQuiet } from './measure.js';
import { type Row, reportRows } from './report.js';
import { FILES, fillDelta, IS_QUICK, isInstalled, MIB, SIZE, tookToCommitCopy, versioned } from './work.js';

const ROUNDS = IS_QUICK ? 1 : 3;
/** Room for the delta, the copies that share its blocks, and their directories. */
const DISK_BYTES = 4 * 2 ** 30;

/** Another way to keep the state of a directory. */
interface Peer {
  /** A directory of its own. In it `kept` is made anew each time, and `restored` of that. */
  readonly place: string;
  /** What is run before each time, and not measured. */
  readonly prepare?: Program;
  readonly keep: Step;
  /** Left out where it is the same as to keep. */
  readonly restore?: Step;
}

interface Step {
  /** As the table names it, and no other step. */
  readonly name: string;
  readonly program: Program;
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
  const medians: Record<string, number> = await interleaved<string>(ROUNDS, {
    commit: () => tookToCommitCopy(lxc, 'web', delta).then(({ free }) => free),
    checkout: () => took(lxcv(lxc.lxcpath, 'checkout', 'web', `new-${made++}`)),
    ...Object.fromEntries(peers.flatMap(measures)),
  });
  const compare = (what: string, name: string, steps: readonly Step[]) =>
    rows.push(
      ...steps.map((step) => ({
        ...{ what, lxcv: medians[name] ?? Number.NaN },
        ...{ peer: step.name, peerTook: medians[step.name] ?? Number.NaN },
      })),
    );
  const [keeps, restores] = [peers.map(({ keep }) => keep), peers.flatMap(({ restore }) => restore ?? [])];
  compare(`keep, ${SIZE}: \`commit\`, stopped, until the container may start again`, 'commit', keeps);
  compare(`restore, ${SIZE}: \`checkout\` to a new name`, 'checkout', restores);
});

/** What interleaved() is to measure of a peer, by the names of its steps. */
function measures({ place, prepare, keep, restore }: Peer): [string, () => number][] {
  const keepAnew = () => {
    execFileSync('rm', ['-rf', join(place, 'kept'), join(place, 'restored')]);
    if (prepare !== undefined) took(prepare);
    return tookWhenQuiet(place, keep.program);
  };
  if (restore === undefined) return [[keep.name, keepAnew]];
  return [
    [keep.name, keepAnew],
    [restore.name, () => tookWhenQuiet(place, restore.program)],
  ];
}

/** A full copy, and one that shares what did not change with an earlier copy: here all of it. */
function copies(directory: string, delta: string): Peer[] {
  const [plain, linked] = [makePlace(directory, 'cp'), makePlace(directory, 'rsync')];
  const earlier = join(linked, 'earlier');
  took(['cp', '-al', delta, earlier]);
  const rsync: Program = ['rsync', '-aHAX', `--link-dest=${earlier}`, `${delta}/`, join(linked, 'kept')];
  return [
    {
      place: plain,
      keep: { name: '`cp -a`', program: ['cp', '-a', delta, join(plain, 'kept')] },
      restore: { name: '`cp -a` back', program: ['cp', '-a', join(plain, 'kept'), join(plain, 'restored')] },
    },
    { place: linked, keep: { name: '`rsync -aHAX --link-dest`, nothing changed', program: rsync } },
  ];
}

/** Copies of a subvolume by its files, and as a whole. */
function subvolumes(disk: string, delta: string): Peer[] {
  const place = makePlace(disk, 'subvolumes');
  const source = join(disk, 'delta');
  took(['btrfs', 'subvolume', 'create', source]);
  const program: Program = ['btrfs', 'subvolume', 'snapshot', source, join(place, 'kept')];
  return [sharedBlocks('btrfs', disk, delta), { place, keep: { name: '`btrfs subvolume snapshot`', program } }];
}

function sharedBlocks(kind: string, disk: string, delta: string): Peer {
  const place = makePlace(disk, 'reflinks');
  const source = join(disk, 'delta');
  took(['cp', '-a', `${delta}/.`, source]);
  const program: Program = ['cp', '-a', '--reflink=always', source, join(place, 'kept')];
  return { place, keep: { name: `\`cp -a --reflink=always\` on ${kind}`, program } };
}

/** A new repository each time: what one holds already it does not write again. */
function ostree(directory: string, delta: string): Peer {
  const place = makePlace(directory, 'ostree');
  const repository = `--repo=${join(place, 'kept')}`;
  const keep: Program = ['ostree', 'commit', repository, '--branch=bench', `--tree=dir=${delta}`];
  const restore: Program = ['ostree', 'checkout', repository, 'bench', join(place, 'restored')];
  return {
    place,
    prepare: ['ostree', 'init', repository, '--mode=bare'],
    keep: { name: '`ostree commit`', program: keep },
    restore: { name: '`ostree checkout`', program: restore },
  };
}

/** A new repository each time, as for ostree. */
function restic(directory: string, delta: string): Peer {
  const place = makePlace(directory, 'restic');
  const repository = ['--repo', join(place, 'kept'), '--no-cache', '--quiet', '--password-command', 'echo bench'];
  const restore: Program = ['restic', ...repository, 'restore', 'latest', '--target', join(place, 'restored')];
  return {
    place,
    prepare: ['restic', ...repository, 'init'],
    keep: { name: '`restic backup`', program: ['restic', ...repository, 'backup', delta] },
    restore: { name: '`restic restore`', program: restore },
  };
}

function makePlace(directory: string, name: string): string {
  const place = join(directory, 'peers', name);
  mkdirSync(place, { recursive: true });
  return place;
}
