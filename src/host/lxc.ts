/** LXC, through its own tools and by its own protocol: who runs, and who may not start just now. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
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
  start(lxcpath: string, name: ContainerName): Promise<void>;
  stop(lxcpath: string, name: ContainerName): Promise<void>;
  /** Freezes a running container. Should this process die before it is thawed, another one thaws it. */
  freeze(lxcpath: string, name: ContainerName): Promise<void>;
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
  start: (lxcpath, name) => act('lxc-start', lxcpath, name),
  stop: (lxcpath, name) => act('lxc-stop', lxcpath, name),
  async freeze(lxcpath, name) {
    watch(lxcpath, name);
    await act('lxc-freeze', lxcpath, name);
  },
  thaw(lxcpath, name) {
    const { status, stderr } = spawnSync('lxc-unfreeze', ['-P', lxcpath, '-n', name], { encoding: 'utf8' });
    if (status !== 0) throw toolFailed('lxc-unfreeze', ['-P', lxcpath, '-n', name], stderr ?? '');
    unwatch(lxcpath, name);
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

/** The processes that thaw a container when this one dies: each waits for a word, or for the end of the pipe. */
const watchdogs = new Map<string, ChildProcess>();
const WATCHDOG = 'read -r word; [ "$word" = thawed ] || exec lxc-unfreeze -P "$1" -n "$2"';

function watch(lxcpath: string, name: ContainerName): void {
  const child = spawn('sh', ['-c', WATCHDOG, 'sh', lxcpath, name], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  watchdogs.set(`${lxcpath}/${name}`, child);
}

function unwatch(lxcpath: string, name: ContainerName): void {
  watchdogs.get(`${lxcpath}/${name}`)?.stdin?.end('thawed\n');
  watchdogs.delete(`${lxcpath}/${name}`);
}

function trimSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
