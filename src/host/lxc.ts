/** LXC, through its own tools and by its own protocol: who runs, and who may not start just now. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { monotonicMs } from './clocks.js';
import { type Freezer, findFreezer, thawByGroup } from './freezer.js';
import { bindAbstractSocket, closeDescriptor, tryDescriptionLock } from './native.js';
import { programs } from './programs.js';
import { type BoundSocket, boundSockets, findHolder, type Holder, ownHolders } from './sockets.js';

/** The state of a container, as lxc-info prints it, in lower case. */
export type ContainerState =
  | 'stopped'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'aborting'
  | 'freezing'
  | 'frozen'
  | 'thawed';

/** The process behind a socket; `unknown` where none has it open, for a socket can lie in another one on its way. */
export type SocketHolder = Holder | 'unknown';

/** A container that stands still until this is disposed of. */
export interface Freeze extends AsyncDisposable {
  /** Before it stood still, by `monotonicMs` (host/clocks.ts): what follows is the pause, and some milliseconds more. */
  readonly since: number;
}

/** Every call names the lxcpath: LXC knows a container by both. Failures are `LxcvError`s that carry LXC's own words. */
export interface Lxc {
  /** LXC's configured lxcpath: an absolute path without a trailing slash. */
  defaultPath(): Promise<string>;
  /** It is stopped unless a process of this machine's administration listens at its command socket: see host/sockets.ts. */
  state(lxcpath: string, name: ContainerName): Promise<ContainerState>;
  /** The same of any number of containers, with one look at which of them may be running at all. */
  states(lxcpath: string): Promise<(name: ContainerName) => Promise<ContainerState>>;
  /**
   * Keeps a stopped container from being started until disposed of, or returns undefined where the name is taken. It binds the
   * abstract socket on which LXC takes a container's commands: `lxc-start` refuses to run where that name is taken, other
   * tools see a stopped container, and the kernel frees it with the process that holds it. It can be disposed of twice.
   */
  holdStopped(lxcpath: string, name: ContainerName): Disposable | undefined;
  /** Who has the name of a container's command socket, on this machine: LXC, lxcv, or anybody; undefined where nobody has it. */
  holderOf(lxcpath: string, name: ContainerName): SocketHolder | undefined;
  /**
   * Takes the lock under which LXC changes what lies in a container's directory, until disposed of. It waits for it.
   * @throws LxcvError `container-in-use` after ten seconds.
   */
  lockDirectory(lxcpath: string, name: ContainerName): Disposable;
  /** Another path of the same lxcpath under which the container runs: LXC knows it by the path that it was started with. */
  runningUnder(lxcpath: string, name: ContainerName): string | undefined;
  start(lxcpath: string, name: ContainerName): Promise<void>;
  stop(lxcpath: string, name: ContainerName): Promise<void>;
  /**
   * Freezes a running container until the answer is disposed of. A process of its own does both, so that the container is
   * thawed also when this one is killed, at whatever moment.
   */
  freeze(lxcpath: string, name: ContainerName): Promise<Freeze>;
  /** Thaws a container that an earlier process left frozen. */
  thaw(lxcpath: string, name: ContainerName): void;
}

export const lxc: Lxc = {
  defaultPath: async () => trimSlashes(await tool('lxc-config', ['lxc.lxcpath'])),
  state: async (lxcpath, name) => (await lxc.states(lxcpath))(name),
  async states(lxcpath) {
    const bound = boundSockets();
    let running: ReadonlyMap<number, Holder> | undefined;
    return async (name) => {
      const socket = bound.get(commandSocketName(lxcpath, name));
      if (socket === undefined || !socket.isListening) return 'stopped';
      running ??= ownHolders(listeners(bound, '/command'));
      // Of a stranger's socket lxc-info would believe anything, and wait for it for ever.
      if (!running.has(socket.inode)) return 'stopped';
      return (await tool('lxc-info', ['-P', lxcpath, '-n', name, '-s', '-H'])).toLowerCase() as ContainerState;
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
  lockDirectory,
  runningUnder,
  start: (lxcpath, name) => act('lxc-start', lxcpath, name),
  stop: (lxcpath, name) => act('lxc-stop', lxcpath, name),
  freeze,
  thaw,
};

const SOCKET_NAME_MAX = 106;

/**
 * The name, without its leading NUL, of a container's command socket.
 * Source: lxc 5.0.2, `lxc_make_abstract_socket_name` in src/lxc/commands_utils.c.
 */
export function commandSocketName(lxcpath: string, name: string): string {
  const plain = `${lxcpath}/${name}/command`;
  if (Buffer.byteLength(plain) < SOCKET_NAME_MAX) return Buffer.from(plain, 'utf8').toString('latin1');
  return `lxc/${fnv1a64(`${lxcpath}/${name}`).toString(16).padStart(16, '0')}/command`;
}

/** FNV-1a, 64 bits. */
function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text, 'utf8')) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

/** Of LXC that runs as root. */
const LOCKS = '/run/lxc/lock';
const LOCK_POLL_MS = 5;
const LOCK_WAIT_MS = 10_000;

/** Source: lxc 5.0.2, `lxclock_name` and `lxclock` in src/lxc/lxclock.c. */
function lockDirectory(lxcpath: string, name: ContainerName): Disposable {
  const directory = join(LOCKS, lxcpath);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const fd = openSync(join(directory, `.${name}`), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !tryDescriptionLock(fd); waited += LOCK_POLL_MS) {
    if (waited < LOCK_WAIT_MS) Atomics.wait(pause, 0, 0, LOCK_POLL_MS);
    else {
      closeSync(fd);
      throw new LxcvError(
        'container-in-use',
        `LXC has had ${lxcpath}/${name} locked for ten seconds`,
        'Look what it does with that container, and try again when it is done.',
      );
    }
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

async function act(program: string, lxcpath: string, name: ContainerName): Promise<void> {
  await tool(program, ['-P', lxcpath, '-n', name]);
}

async function tool(program: string, args: readonly string[]): Promise<string> {
  const result = await programs.run(program, args);
  if (result.missing) {
    throw new LxcvError('no-lxc', `LXC is not installed: there is no ${program}`, 'Install it: apt-get install lxc');
  }
  if (result.exitCode !== 0) throw toolFailed(program, args, result.stderr);
  return result.stdout.trim();
}

function toolFailed(program: string, args: readonly string[], stderr: string): LxcvError {
  const said =
    stderr
      .trim()
      .split('\n')[0]
      ?.replace(/^.*: (?=\S)/, '') ?? '';
  return new LxcvError(
    'failed',
    `${program} failed${said === '' ? '' : `: ${said}`}`,
    `See what it says: ${program} ${args.join(' ')}`,
  );
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

/** In tries: as many without a pause, and then ten seconds. */
const [EAGER_TRIES, TRIES] = [100, 1100];
/** In seconds: for how long a container may be frozen before LXC has to know. */
const UNKNOWN_FOR = 0.1;

/**
 * Freezes, says so, waits for its input to end, and thaws. It minds no broken pipe: its parent may be dead.
 *
 * Where the control group is known it is frozen by that: with control groups of version 1, lxc-freeze sleeps for a second where
 * not all stands still at once. What does not stand still in time is let go, as it is when the parent (field 4 of `stat`)
 * is another. LXC does not know of a freeze so short, and its lxc-unfreeze would do nothing; so one that lasts is made known
 * to it, by a lxc-freeze that finds it done. That must come to its end before the thaw, or it would freeze again.
 */
const KEEPER = `
trap "" PIPE
lxcpath=$1 name=$2 control=$3 freeze=$4 thaw=$5 state=$6 frozen=$7 tries=0
main() {
  if [ -n "$control" ] && echo "$freeze" >"$control"; then keep_by_group; else keep_by_lxc; fi
}
keep_by_group() {
  until is_frozen; do
    is_needed || { thaw; echo 'something in it does not stand still' >&2; exit 1; }
    [ $tries -lt ${EAGER_TRIES} ] || sleep .01
  done
  echo frozen
  make_known &
  read -r _
  kill $!
  wait $!
  known=$?
  thaw && [ $known != 0 ] || lxc-unfreeze -P "$lxcpath" -n "$name"
}
is_frozen() {
  while read -r line; do [ "$line" = "$frozen" ] && return; done <"$state"
  return 1
}
is_needed() {
  read -r _ _ _ parent _ </proc/$$/stat
  [ "$parent" = "$PPID" ] && [ $((tries += 1)) -lt ${TRIES} ]
}
make_known() {
  trap 'exit 1' TERM
  sleep ${UNKNOWN_FOR} >/dev/null 2>&1 & wait
  trap "" TERM
  exec lxc-freeze -P "$lxcpath" -n "$name" >&2
}
thaw() { echo "$thaw" >"$control"; } 2>/dev/null
keep_by_lxc() {
  lxc-freeze -P "$lxcpath" -n "$name" || exit
  echo frozen
  read -r _
  lxc-unfreeze -P "$lxcpath" -n "$name"
}
main`;

async function freeze(lxcpath: string, name: ContainerName): Promise<Freeze> {
  const { control, freeze, thaw, state, frozen } = freezerOf(lxcpath, name) ?? {};
  const args = [lxcpath, name, control, freeze, thaw, state, frozen].map((arg) => arg ?? '');
  const since = monotonicMs();
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', ...args], { detached: true, stdio: 'pipe' });
  let said = '';
  keeper.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const ended = once(keeper, 'close');
  await Promise.race([once(keeper.stdout, 'data'), ended]);
  if (keeper.exitCode !== null || keeper.signalCode !== null)
    throw toolFailed('lxc-freeze', ['-P', lxcpath, '-n', name], said);
  return {
    since,
    async [Symbol.asyncDispose]() {
      keeper.stdin.end();
      await ended;
      if (keeper.exitCode !== 0) throw toolFailed('lxc-unfreeze', ['-P', lxcpath, '-n', name], said);
    },
  };
}

/** Thaws by the control group too: of one that was frozen by that alone, lxc-unfreeze thinks that it runs. */
function thaw(lxcpath: string, name: ContainerName): void {
  const freezer = freezerOf(lxcpath, name);
  if (freezer !== undefined) thawByGroup(freezer);
  const args = ['-P', lxcpath, '-n', name];
  const { status, stderr } = spawnSync('lxc-unfreeze', args, { encoding: 'utf8' });
  if (status !== 0) throw toolFailed('lxc-unfreeze', args, stderr ?? '');
}

function freezerOf(lxcpath: string, name: ContainerName): Freezer | undefined {
  const { stdout } = spawnSync('lxc-info', ['-P', lxcpath, '-n', name, '-p', '-H'], { encoding: 'utf8' });
  return /^\d+\n?$/.test(stdout ?? '') ? findFreezer(Number(stdout)) : undefined;
}

function trimSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
