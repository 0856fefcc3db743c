/**
 * Programs that read a container's bytes: run as nobody, without capabilities, in a mount namespace of their own, within limits
 * of processor time, memory and the size of a file, and ended with lxcv. See docs/decisions/0020-confined-programs.md.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The user, and the group, that such a program is. */
export const NOBODY = 65534;

export interface Limits {
  readonly cpuSeconds: number;
  /** Of address space. */
  readonly memoryBytes: number;
  /** Of any one file that it writes. */
  readonly fileBytes: number;
}

export interface ConfinedOptions {
  readonly limits: Limits;
  /** An open file, or what is to be written there; nothing without it. */
  readonly stdin?: number | AsyncIterable<Buffer>;
  /** An open file, or the path of one that is there; without, what the program prints is to be read from it. */
  readonly stdout?: number | string;
  /** Open files that are its descriptors from 3 on. */
  readonly descriptors?: readonly number[];
  /** Its environment, beside the PATH; nothing else of lxcv's own goes there. */
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** The options of an overlay that it alone sees, read-only, where `MOUNT_POINT` stands among its arguments. */
  readonly overlay?: string;
  /** What it keeps of root's power, in the words of setpriv(1). */
  readonly capabilities?: readonly ('dac_read_search' | 'sys_admin')[];
  /** Ends it when it aborts. */
  readonly abort?: AbortSignal;
}

export interface ConfinedResult {
  /** undefined where it was ended by a signal, or never begun. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The first of what it printed as errors. */
  readonly stderr: string;
  /** True where there is no such program. */
  readonly missing: boolean;
  /** Why it did not come to its end, as a predicate: `took more than 10 s`; without a signal, why it was never begun. */
  readonly ended: string | undefined;
}

/** One that runs; disposing ends it. */
export interface ConfinedProgram extends AsyncDisposable {
  /** What it prints, as it comes: it waits while nobody reads. */
  readonly stdout: AsyncIterable<Buffer>;
  /** When it has ended, and all that it printed was read. */
  readonly result: Promise<ConfinedResult>;
}

const { O_NOFOLLOW, O_WRONLY } = constants;
const STDERR_MAX = 1 << 16;
/** What a program of the chain ends with where the next one is not there. */
const NOT_FOUND = 127;
/** util-linux's mount from 2.39 on would use fsconfig(2), whose strings end after 256 bytes. */
const MOUNT_ENVIRONMENT = { LIBMOUNT_FORCE_MOUNT2: 'always' };
/** Words: the options, the directory, and what to run once it is mounted. */
const MOUNT_AND_RUN = 'mount -n -i -c -t overlay -o "ro,nosuid,nodev,$1" lxcv "$2" && shift 2 && exec "$@"';

/** What one of the chain says that could not do its part; what it says of the next one that is not there is another thing. */
const UNCONFINED = /^(?:unshare|prlimit|setpriv): (?!failed to execute).*/;

export function startConfined(program: string, args: readonly string[], given: ConfinedOptions): ConfinedProgram {
  const options = { ...given, limits: withinInherited(given.limits) };
  const mountPoint = options.overlay === undefined ? undefined : mkdtempSync(join(tmpdir(), 'lxcv-'));
  const removeMountPoint = () => {
    if (mountPoint !== undefined) rmdirSync(mountPoint);
  };
  let child: ChildProcess;
  try {
    child = spawnChain(chain(program, args, options, mountPoint), options, mountPoint);
  } catch (error) {
    removeMountPoint();
    throw error;
  }
  const result = resultOf(child, options.limits).finally(removeMountPoint);
  // It is told to whoever awaits it; one that was ended is awaited by nobody.
  result.catch(() => {});
  if (options.stdin !== undefined && typeof options.stdin !== 'number') feed(child, options.stdin);
  return {
    stdout: child.stdout ?? nothing(),
    result,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      child.stdout?.resume();
      await result.catch(() => {});
    },
  };
}

function spawnChain(
  [command = '', ...words]: readonly string[],
  options: ConfinedOptions,
  mountPoint: string | undefined,
): ChildProcess {
  const output = typeof options.stdout === 'string' ? openSync(options.stdout, O_WRONLY | O_NOFOLLOW) : options.stdout;
  try {
    return spawn(command, words, {
      cwd: options.directory,
      stdio: [stdioOf(options.stdin), output ?? 'pipe', 'pipe', ...(options.descriptors ?? [])],
      env: { PATH: process.env.PATH, LC_ALL: 'C', ...(mountPoint && MOUNT_ENVIRONMENT), ...options.env },
      signal: options.abort,
      killSignal: 'SIGKILL',
    });
  } finally {
    if (typeof options.stdout === 'string') closeSync(output as number);
  }
}

/** Nobody may raise a hard limit that lxcv was given, unless the system lets it: so it is kept. */
function withinInherited({ cpuSeconds, memoryBytes, fileBytes }: Limits): Limits {
  const lines = readFileSync('/proc/self/limits', 'latin1').split('\n');
  // The name of a limit, the soft one and the hard one: a number, or `unlimited`.
  const hard = (name: string) => {
    const words = lines.find((line) => line.startsWith(`Max ${name} `))?.slice(`Max ${name} `.length);
    return Number(/^ *\S+ +(\d+)/.exec(words ?? '')?.[1] ?? Infinity);
  };
  return {
    // The soft limit comes a second before the hard one, which tells nothing.
    cpuSeconds: Math.min(cpuSeconds, Math.max(hard('cpu time') - 1, 1)),
    memoryBytes: Math.min(memoryBytes, hard('address space')),
    fileBytes: Math.min(fileBytes, hard('file size')),
  };
}

/** What each of them does it does to itself, and becomes the next: so there is one process, which is lxcv's child. */
function chain(
  program: string,
  args: readonly string[],
  { limits, overlay, capabilities = [] }: ConfinedOptions,
  mountPoint: string | undefined,
): string[] {
  const kept = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const cpu = Math.ceil(limits.cpuSeconds);
  return [
    ...['unshare', '--mount', '--propagation', 'private'],
    ...(mountPoint === undefined ? [] : ['sh', '-c', MOUNT_AND_RUN, 'sh', overlay ?? '', mountPoint]),
    ...['prlimit', `--cpu=${cpu}:${cpu + 1}`, `--as=${limits.memoryBytes}`, `--fsize=${limits.fileBytes}`, '--core=0'],
    ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--no-new-privs'],
    ...[`--inh-caps=${kept}`, `--ambient-caps=${kept}`, `--bounding-set=${kept}`, '--pdeathsig=KILL'],
    program,
    ...args.map((arg) => (arg === MOUNT_POINT ? (mountPoint ?? arg) : arg)),
  ];
}

/** Stands, among the arguments of a program that is given an overlay, for where it is mounted. */
export const MOUNT_POINT = '{}';

function stdioOf(stdin: ConfinedOptions['stdin']): 'ignore' | 'pipe' | number {
  if (stdin === undefined) return 'ignore';
  return typeof stdin === 'number' ? stdin : 'pipe';
}

async function resultOf(child: ChildProcess, limits: Limits): Promise<ConfinedResult> {
  const said: Buffer[] = [];
  let length = 0;
  child.stderr?.on('data', (bytes: Buffer) => {
    if (length < STDERR_MAX) said.push(bytes);
    length += bytes.length;
  });
  let missing = false;
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('close', (...end) => resolve(end));
    child.once('error', (error) => {
      if (error.name === 'AbortError') return;
      if ((error as { code?: unknown }).code !== 'ENOENT') reject(error);
      missing = true;
      resolve([NOT_FOUND, null]);
    });
  });
  const stderr = Buffer.concat(said).subarray(0, STDERR_MAX).toString('utf8');
  const [unconfined] = (code !== 0 && UNCONFINED.exec(stderr)) || [];
  if (unconfined !== undefined) {
    const ended = `could not be confined: ${unconfined}`;
    return { exitCode: undefined, signal: undefined, stderr, missing: false, ended };
  }
  return {
    exitCode: code ?? undefined,
    signal: signal ?? undefined,
    stderr,
    missing: missing || code === NOT_FOUND,
    ended: signal === null ? undefined : reasonOf(signal, limits),
  };
}

function reasonOf(signal: NodeJS.Signals, { cpuSeconds, fileBytes }: Limits): string {
  if (signal === 'SIGXCPU') return `took more than ${Math.ceil(cpuSeconds)} s`;
  if (signal === 'SIGXFSZ') return `wrote more than ${fileBytes} bytes`;
  return `was ended by ${signal}`;
}

/** What is written to one that reads no further is lost: its exit code tells why. */
function feed(child: ChildProcess, input: AsyncIterable<Buffer>): void {
  // There is none where the program could not be started for want of file descriptors: that ends in `error`.
  const stdin = child.stdin ?? undefined;
  if (stdin === undefined) return;
  let isOpen = true;
  stdin.on('error', () => {
    isOpen = false;
  });
  child.once('close', () => {
    isOpen = false;
  });
  void (async () => {
    try {
      for await (const piece of input) {
        if (!isOpen) return;
        if (!stdin.write(piece)) await drained(child);
      }
      stdin.end();
    } catch (error) {
      child.emit('error', error);
      child.kill('SIGKILL');
    }
  })();
}

function drained(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.stdin?.once('drain', resolve);
    child.stdin?.once('error', () => resolve());
    child.once('close', () => resolve());
  });
}

async function* nothing(): AsyncGenerator<Buffer> {}

/** What a program printed, and how it ended. `stdoutMax` bounds what is collected: one that prints more is ended. */
export async function collectConfined(
  program: string,
  args: readonly string[],
  { stdoutMax, ...options }: ConfinedOptions & { readonly stdoutMax: number },
): Promise<ConfinedResult & { readonly stdout: Buffer }> {
  await using running = startConfined(program, args, options);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of running.stdout) {
    length += chunk.length;
    if (length > stdoutMax) {
      const ended = `prints more than ${stdoutMax} bytes`;
      return { exitCode: undefined, signal: 'SIGKILL', stderr: '', missing: false, ended, stdout: Buffer.alloc(0) };
    }
    chunks.push(chunk);
  }
  return { ...(await running.result), stdout: Buffer.concat(chunks) };
}
