/** LXC, through its own tools and by its own protocol: who runs, and who may not start just now. */

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  type Dirent,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ContainerState } from '../model/container-state.js';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { monotonicMs } from './clocks.js';
import { type Freeze, type Frozen, freeze, thaw, toolFailed, watchOwners } from './freeze.js';
import { askConfigItem, askState, commandSocketName, type Patience } from './monitor.js';
import { closeDescriptor, tryDescriptionLock } from './native.js';
import { programs } from './programs.js';
import { bindAbstractSocket } from './socket-calls.js';
import { type BoundSocket, boundSockets, findHolder, type Holder, ownHolders } from './sockets.js';

/** The process behind a socket; `unknown` where none has it open, for a socket can lie in another one on its way. */
export type SocketHolder = Holder | 'unknown';

/** Every call names the lxcpath: LXC knows a container by both. Failures are `LxcvError`s that carry LXC's own words. */
export interface Lxc {
  /** LXC's configured lxcpath: an absolute path without a trailing slash. */
  defaultPath(): Promise<string>;
  /**
   * Other lxcpaths of this machine, as far as that knows of them: those of containers that a tool of LXC has looked at, as root, since the
   * machine was started. They need not be there any more, and some may be anybody's.
   */
  knownPaths(): string[];
  /** It is stopped unless a process of this machine's administration listens at its command socket: see host/sockets.ts. */
  state(lxcpath: string, name: ContainerName, patience?: Patience): Promise<ContainerState>;
  /**
   * The same of any number of containers, with one look at which of them may be running at all. The patience, of ten seconds where
   * nothing is said, is for all of them together; a monitor that is asked when it is used up has a tenth of a second.
   */
  states(lxcpath: string, patience?: Patience): Promise<(name: ContainerName) => Promise<ContainerState>>;
  /**
   * Keeps a stopped container from being started until disposed of, or returns undefined where the name is taken. It binds the
   * abstract socket on which LXC takes a container's commands: `lxc-start` refuses to run where that name is taken, other
   * tools see a stopped container, and the kernel frees it with the process that holds it. It can be disposed of twice.
   */
  holdStopped(lxcpath: string, name: ContainerName): Disposable | undefined;
  /** Who has the name of a container's command socket, on this machine: LXC, lxcv, or anybody; undefined where nobody has it. */
  holderOf(lxcpath: string, name: ContainerName): SocketHolder | undefined;
  /**
   * Takes the lock under which LXC changes what lies in a container's directory, until disposed of; undefined where somebody
   * else has it.
   */
  tryLockDirectory(lxcpath: string, name: ContainerName): Disposable | undefined;
  /** Another path of the same lxcpath under which the container runs: LXC knows it by the path that it was started with. */
  runningUnder(lxcpath: string, name: ContainerName): string | undefined;
  /** What tells one run of a container from another, the process that LXC has for it; undefined where it does not run. */
  monitorOf(lxcpath: string, name: ContainerName): string | undefined;
  /** The value of a key in the config that a running container was started with; undefined where LXC does not say. */
  startedWith(lxcpath: string, name: ContainerName, key: string): string | undefined;
  start(lxcpath: string, name: ContainerName): Promise<void>;
  /** The same, and does nothing else meanwhile. */
  startNow(lxcpath: string, name: ContainerName): void;
  /**
   * LXC asks it to stop and, when a minute has passed, kills it.
   * @param abort then it is not killed: it stops, or goes on, as it likes, and this fails.
   */
  stop(lxcpath: string, name: ContainerName, abort?: AbortSignal): Promise<void>;
  /**
   * Freezes a running container until the answer is disposed of, or for so long. Processes of their own thaw it where this one
   * cannot, at whatever moment it is stopped or killed.
   * @throws LxcvError `pause-too-long` where it does not stand still in time, `failed`.
   */
  freeze(lxcpath: string, name: ContainerName, limitMs: number): Promise<Freeze>;
  /** Looks after a container that somebody else has frozen; undefined where it is not frozen. */
  watchFrozen(lxcpath: string, name: ContainerName): Frozen | undefined;
  /** Thaws a container that an earlier process left frozen. */
  thaw(lxcpath: string, name: ContainerName): void;
}

export const lxc: Lxc = {
  defaultPath: async () => trimSlashes(await tool('lxc-config', ['lxc.lxcpath'])),
  knownPaths: () => [STANDARD_PATH, ...lockedPaths(LOCKS)],
  state: async (lxcpath, name, patience) => (await lxc.states(lxcpath, patience))(name),
  async states(lxcpath, { abort, patienceMs = PATIENCE_MS } = {}) {
    let leftMs = patienceMs;
    const bound = boundSockets();
    let running: ReadonlyMap<number, Holder> | undefined;
    return async (name) => {
      const socket = bound.get(commandSocketName(lxcpath, name));
      if (socket === undefined || !socket.isListening) return 'stopped';
      running ??= ownHolders(listeners(bound, '/command'));
      // A stranger could answer anything.
      if (!running.has(socket.inode)) return 'stopped';
      const asked = monotonicMs();
      const state = await askState(lxcpath, name, {
        abort,
        patienceMs: Math.max(leftMs, Math.min(LEAST_MS, patienceMs)),
      });
      leftMs -= monotonicMs() - asked;
      return state;
    };
  },
  holdStopped(lxcpath, name) {
    let fd = bindAbstractSocket(commandSocketName(lxcpath, name));
    if (fd === undefined) return undefined;
    return {
      [Symbol.dispose]: () => {
        if (fd !== undefined) closeDescriptor(fd);
        fd = undefined;
      },
    };
  },
  holderOf(lxcpath, name) {
    const socket = boundSockets().get(commandSocketName(lxcpath, name));
    return socket === undefined ? undefined : (findHolder(socket.inode) ?? 'unknown');
  },
  tryLockDirectory,
  runningUnder,
  monitorOf(lxcpath, name) {
    const holder = lxc.holderOf(lxcpath, name);
    return holder === undefined || holder === 'unknown' || !holder.isOwn ? undefined : startOf(holder.pid);
  },
  startedWith: askConfigItem,
  startNow,
  start: (lxcpath, name) => act('lxc-start', lxcpath, name),
  stop: (lxcpath, name, abort) => act('lxc-stop', lxcpath, name, abort),
  freeze,
  watchFrozen: watchOwners,
  thaw,
};

/** A monitor answers in a tenth of a millisecond, on a machine that does much else in some. */
const PATIENCE_MS = 10_000;
const LEAST_MS = 100;

/** Of LXC that runs as root. */
const LOCKS = '/run/lxc/lock';
/** Where LXC's packages have containers, whatever is configured. */
const STANDARD_PATH = '/var/lib/lxc';
/** So deep is no lxcpath. */
const LOCKS_DEPTH_MAX = 32;

/** Below its directory of locks LXC makes each lxcpath, and in that a file for each container. */
function lockedPaths(directory: string, depth = 0): string[] {
  const entries = depth > LOCKS_DEPTH_MAX ? [] : listIfPresent(directory);
  const isLxcpath = entries.some((entry) => entry.isFile() && entry.name.startsWith('.'));
  // Locks stay when what they were for is gone.
  const directories = entries.filter((entry) => entry.isDirectory());
  const below = directories.filter(({ name }) => existsSync(join('/', directory.slice(LOCKS.length), name)));
  return [
    ...(isLxcpath ? [directory.slice(LOCKS.length)] : []),
    ...below.flatMap(({ name }) => lockedPaths(join(directory, name), depth + 1)),
  ];
}

function listIfPresent(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Source: lxc 5.0.2, `lxclock_name` and `lxclock` in src/lxc/lxclock.c. */
function tryLockDirectory(lxcpath: string, name: ContainerName): Disposable | undefined {
  const directory = join(LOCKS, lxcpath);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const fd = openSync(join(directory, `.${name}`), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  if (tryDescriptionLock(fd)) return { [Symbol.dispose]: () => closeSync(fd) };
  closeSync(fd);
  return undefined;
}

function startNow(lxcpath: string, name: ContainerName): void {
  const args = ['-P', lxcpath, '-n', name];
  const { error, status, stderr } = spawnSync('lxc-start', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    ...DETACHED,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw toolFailed('lxc-start', args, stderr);
}

/** A process by its number and the time when it began, in the kernel's ticks: field 22 of proc_pid_stat(5). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return undefined;
  }
}

/** A signal to lxcv's process group does not end LXC's tools half-way: what becomes of them, lxcv decides. Node's types lack it for `spawnSync`. */
const DETACHED = { detached: true } as const;

async function act(program: string, lxcpath: string, name: ContainerName, abort?: AbortSignal): Promise<void> {
  await tool(program, ['-P', lxcpath, '-n', name], abort);
}

async function tool(program: string, args: readonly string[], abort?: AbortSignal): Promise<string> {
  const result = await programs.run(program, args, { ...DETACHED, abort });
  if (result.missing) {
    throw new LxcvError('no-lxc', `LXC is not installed: there is no ${program}`, 'Install it: apt-get install lxc');
  }
  if (result.exitCode !== 0) throw toolFailed(program, args, result.stderr);
  return result.stdout.trim();
}

function runningUnder(lxcpath: string, name: ContainerName): string | undefined {
  const end = `/${name}/command`;
  const bound = boundSockets();
  const own = ownHolders(listeners(bound, Buffer.from(end, 'utf8').toString('latin1')));
  // A path that a stranger chose is not gone, be it only to see where it leads.
  const others = [...bound.values()].filter(({ inode, isListening }) => isListening && own.has(inode));
  const place = others.length === 0 ? undefined : realpathOf(lxcpath);
  return others
    .map((socket) => Buffer.from(socket.name, 'latin1').toString('utf8'))
    .filter((socket) => socket.startsWith('/') && socket.endsWith(end))
    .map((socket) => socket.slice(0, -end.length))
    .find((other) => other !== lxcpath && realpathOf(other) === place);
}

/** The inodes of the sockets at which something listens, and whose names have that end. */
function listeners(bound: ReadonlyMap<string, BoundSocket>, end: string): Set<number> {
  const found = [...bound.values()].filter(({ name, isListening }) => isListening && name.endsWith(end));
  return new Set(found.map(({ inode }) => inode));
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function trimSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
