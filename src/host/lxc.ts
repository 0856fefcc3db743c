/** LXC, through its own tools and by its own protocol: who runs, and who may not start just now. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { bindAbstractSocket, closeDescriptor } from './native.js';
import { programs } from './programs.js';

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

/** Every call names the lxcpath: LXC knows a container by both. Failures are `LxcvError`s that carry LXC's own words. */
export interface Lxc {
  /** LXC's configured lxcpath: an absolute path without a trailing slash. */
  defaultPath(): Promise<string>;
  state(lxcpath: string, name: ContainerName): Promise<ContainerState>;
  /**
   * Keeps a stopped container from being started until disposed of, or returns undefined where it runs. It binds the
   * abstract socket on which LXC takes a container's commands: `lxc-start` refuses to run where that name is taken, other
   * tools see a stopped container, and the kernel frees it with the process that holds it.
   */
  holdStopped(lxcpath: string, name: ContainerName): Disposable | undefined;
  /** Another path of the same lxcpath under which the container runs: LXC knows it by the path that it was started with. */
  runningUnder(lxcpath: string, name: ContainerName): string | undefined;
  start(lxcpath: string, name: ContainerName): Promise<void>;
  stop(lxcpath: string, name: ContainerName): Promise<void>;
  /**
   * Freezes a running container until the answer is disposed of. A process of its own does both, so that the container is
   * thawed also when this one is killed, at whatever moment.
   */
  freeze(lxcpath: string, name: ContainerName): Promise<AsyncDisposable>;
  /** Thaws a container that an earlier process left frozen. */
  thaw(lxcpath: string, name: ContainerName): void;
}

export const lxc: Lxc = {
  defaultPath: async () => trimSlashes(await tool('lxc-config', ['lxc.lxcpath'])),
  state: async (lxcpath, name) =>
    (await tool('lxc-info', ['-P', lxcpath, '-n', name, '-s', '-H'])).toLowerCase() as ContainerState,
  holdStopped(lxcpath, name) {
    const fd = bindAbstractSocket(commandSocketName(lxcpath, name));
    return fd === undefined ? undefined : { [Symbol.dispose]: () => closeDescriptor(fd) };
  },
  runningUnder,
  start: (lxcpath, name) => act('lxc-start', lxcpath, name),
  stop: (lxcpath, name) => act('lxc-stop', lxcpath, name),
  freeze,
  thaw(lxcpath, name) {
    const args = ['-P', lxcpath, '-n', name];
    const { status, stderr } = spawnSync('lxc-unfreeze', args, { encoding: 'utf8' });
    if (status !== 0) throw toolFailed('lxc-unfreeze', args, stderr ?? '');
  },
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
  const place = realpathOf(lxcpath);
  const end = `/${name}/command`;
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.slice(line.indexOf('@') + 1))
    .filter((socket) => socket.startsWith('/') && socket.endsWith(end))
    .map((socket) => socket.slice(0, -end.length))
    .find((other) => other !== lxcpath && realpathOf(other) === place);
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Freezes, says so, waits for its input to end, and thaws. It minds no broken pipe: its parent may be dead. */
const KEEPER = 'trap "" PIPE; lxc-freeze -P "$1" -n "$2" || exit; echo frozen; read -r _; lxc-unfreeze -P "$1" -n "$2"';

async function freeze(lxcpath: string, name: ContainerName): Promise<AsyncDisposable> {
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', lxcpath, name], { detached: true, stdio: 'pipe' });
  let said = '';
  keeper.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const ended = once(keeper, 'close');
  await Promise.race([once(keeper.stdout, 'data'), ended]);
  if (keeper.exitCode !== null || keeper.signalCode !== null)
    throw toolFailed('lxc-freeze', ['-P', lxcpath, '-n', name], said);
  return {
    async [Symbol.asyncDispose]() {
      keeper.stdin.end();
      await ended;
      if (keeper.exitCode !== 0) throw toolFailed('lxc-unfreeze', ['-P', lxcpath, '-n', name], said);
    },
  };
}

function trimSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
