/**
 * Real LXC containers in a directory of their own, and the real lxcv at work on them: `using lxc = temporaryLxc()`. What
 * the root file system of a container is, this reads from LXC's config by itself: it shares no code with the product.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { openEngine } from '../../src/engine.js';
import type { FindingCode } from '../../src/model/finding.js';
import { parseContainerName } from '../../src/model/names.js';
import { fsckNow } from './fsck.js';
import { type DisposablePath, mountOverlay, temporaryDirectory } from './overlay.js';
import { readTree, type Tree } from './tree.js';

/** The executable that `npm run build` makes. */
export const LXCV = fileURLToPath(new URL('../../dist/src/main.cjs', import.meta.url));

/** After this a program hangs, and is killed: no program takes so long, however loaded the machine is. */
const TIMEOUT_MS = 1_800_000;

/** Who commits in this process. */
const AUTHOR = { name: 'A test', email: 'test@example.org' };

/** LXC makes a file here for every container that its tools look at, under the container's lxcpath. */
const LXC_LOCKS = '/run/lxc/lock';

/** What a program left behind. */
interface Outcome {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  /** Standard input; without it that is empty. */
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What LXC mounts as the root of a container. */
export interface Rootfs {
  /** Top first; none where the root file system is a plain directory. */
  readonly lowers: readonly string[];
  /** The upper directory, or the plain one. */
  readonly upper: string;
  /** `lxc.rootfs.options`; empty where there are none. */
  readonly options: string;
}

/** An lxcpath, the store beside it, and the programs that work on both. */
export interface TestLxc extends Disposable {
  /** Where lxcpath and store are. */
  readonly directory: string;
  readonly lxcpath: string;
  readonly store: string;

  /** A container on a plain directory, as the busybox template makes it, without a network. */
  createBase(name?: string): void;
  /** `lxc-copy -s -B overlayfs`. */
  clone(from: string, to: string): Promise<void>;
  start(name: string): Promise<void>;
  /** Kills it. */
  stop(name: string): Promise<void>;
  /** Runs a line of sh(1) in a running container, and returns what that prints. */
  attach(name: string, script: string): Promise<string>;
  destroy(name: string): Promise<void>;
  info(name: string): Promise<{ readonly state: string; readonly pid: number }>;
  /** Runs one of LXC's programs on the lxcpath, however that ends. */
  tool(program: `lxc-${string}`, ...args: string[]): Promise<Outcome>;

  readConfig(name: string): string;
  editConfig(name: string, edit: (text: string) => string): void;
  /** Gives a container an init that writes nothing, so that only the test changes what it holds. */
  quieten(name: string): void;
  /** As the config has it, includes and all. */
  rootfs(name: string): Rootfs;
  /** Mounts the root of a container to be written to, as LXC would; of a plain directory, that itself. */
  mount(name: string): DisposablePath;
  /** What the root of a container holds, as LXC would mount it; read without a change to anything. */
  tree(name: string): Tree;
  /** Everything on disk but lxcv's lock files, with times for contents: the same where nothing was changed. */
  listing(): Tree;

  /** Runs lxcv on the lxcpath, however that ends. */
  lxcv(...args: string[]): Promise<Outcome>;
  lxcvWith(options: RunOptions, ...args: string[]): Promise<Outcome>;
  /** Runs lxcv with --json, and fails where it does. */
  json<Result>(...args: string[]): Promise<Result>;
  /** Commits in this process, ten times as fast as a new one does, and returns the version. */
  commit(name: string, message: string): Promise<Pick<VersionJson, 'id' | 'number'>>;
  /** Makes a container of a version in this process, on a branch of its own, and returns the version. */
  checkout(revision: string, name: string): Promise<Pick<VersionJson, 'id' | 'number'>>;
  /** Runs any program, in the environment that lxcv is run in. */
  program(program: string, args: readonly string[], options?: RunOptions): Promise<Outcome>;

  /**
   * Says what fsck finds when all is over: each code, in any order, as often as it is found. Without this it must find nothing.
   */
  expectFindings(...codes: readonly FindingCode[]): void;
  /** Says that the test damages the store, and that fsck need not be asked when all is over. */
  damaged(): void;
}

/**
 * @param directory where to work; by default a temporary one. Disposal kills every container, throws where fsck finds in the
 * store what the test did not say, and removes all of it.
 */
export function temporaryLxc(directory?: string): TestLxc {
  const own = directory === undefined ? temporaryDirectory() : undefined;
  const root = directory ?? (own as DisposablePath).path;
  const [lxcpath, home] = [join(root, 'lxc'), join(root, 'home')];
  for (const path of [lxcpath, home]) mkdirSync(path, { recursive: true });
  const config = (name: string) => join(lxcpath, name, 'config');
  let expected: readonly string[] | 'anything' = [];

  const run = async (
    program: string,
    args: readonly string[],
    { input, cwd, env = {} }: RunOptions = {},
  ): Promise<Outcome> => {
    const { exitCode, stdout, stderr } = await execa(program, args, {
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
      ...(cwd === undefined ? {} : { cwd }),
      env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', ...env },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return { exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
  };
  const tool = (program: string, ...args: string[]) => run(program, ['-P', lxcpath, ...args]);
  const lxcvWith = (options: RunOptions, command = '', ...args: string[]) =>
    run(process.execPath, [LXCV, command, '-P', lxcpath, ...args], options);
  const rootfs = (name: string) => readRootfs(config(name));

  return {
    directory: root,
    lxcpath,
    store: `${lxcpath}v`,

    createBase: (name = 'base') => unpackBase(join(lxcpath, name)),
    clone: async (from, to) => void must(await tool('lxc-copy', '-n', from, '-N', to, '-s', '-B', 'overlayfs')),
    start: async (name) => void must(await tool('lxc-start', '-n', name)),
    stop: async (name) => void must(await tool('lxc-stop', '-n', name, '-k')),
    attach: async (name, script) =>
      must(await tool('lxc-attach', '-n', name, '--clear-env', '--', 'sh', '-c', script)).stdout,
    destroy: async (name) => void must(await tool('lxc-destroy', '-n', name)),
    info: async (name) => {
      const [state, pid] = await Promise.all(['-s', '-p'].map((what) => tool('lxc-info', '-n', name, '-H', what)));
      return { state: must(state).stdout.trim(), pid: Number(must(pid).stdout) };
    },
    tool,

    readConfig: (name) => readFileSync(config(name), 'utf8'),
    editConfig: (name, edit) => writeFileSync(config(name), edit(readFileSync(config(name), 'utf8'))),
    quieten: (name) => appendFileSync(config(name), 'lxc.init.cmd = /bin/sleep 1000\n'),
    rootfs,
    mount: (name) => {
      const { lowers, upper, options } = rootfs(name);
      if (lowers.length === 0) return { path: upper, [Symbol.dispose]() {} };
      return mountOverlay({ lowers, upper, options });
    },
    tree: (name) => {
      const { lowers, upper, options } = rootfs(name);
      // LXC follows a symbolic link that lies where a plain directory should.
      if (lowers.length === 0) return readTree(realpathSync(upper));
      // With the upper as a lower, no mount writes to it; it shows the same, for it bears nothing that only an upper may.
      using overlay = mountOverlay({ lowers: [upper, ...lowers], options });
      return readTree(overlay.path);
    },
    listing: () => {
      const all = readTree(root, { content: false });
      return new Map([...all].filter(([path]) => path !== '' && !/^lxcv\/[^/]+\/lock$/.test(path)));
    },

    lxcv: (...args) => lxcvWith({}, ...args),
    lxcvWith,
    json: async <Result>(...args: string[]) => {
      const outcome = await lxcvWith({}, ...args, '--json');
      if (outcome.exitCode !== 0) throw new Error(`lxcv ${args.join(' ')} failed: ${outcome.stdout}${outcome.stderr}`);
      return JSON.parse(outcome.stdout) as Result;
    },
    commit: async (name, message) => {
      const engine = await openEngine({ lxcpath });
      const container = parseContainerName(name);
      return await engine.commit({ container, message, author: AUTHOR, allowEmpty: false, acceptBase: false });
    },
    checkout: async (revision, name) => {
      const engine = await openEngine({ lxcpath });
      const options = { detach: false, restart: false, acceptBase: false };
      return (await engine.checkout({ revision, container: parseContainerName(name), ...options })).version;
    },
    program: run,

    expectFindings: (...codes) => {
      expected = [...codes].sort();
    },
    damaged: () => {
      expected = 'anything';
    },

    [Symbol.dispose]() {
      try {
        for (const name of readdirSync(lxcpath)) {
          if (existsSync(config(name)))
            spawnSync('lxc-stop', ['-P', lxcpath, '-n', name, '-k'], { timeout: TIMEOUT_MS });
        }
        if (expected !== 'anything') expectFound(lxcpath, expected);
      } finally {
        rmSync(join(LXC_LOCKS, root), { recursive: true, force: true });
        own?.[Symbol.dispose]();
      }
    },
  };
}

/** @throws where fsck finds something else in the store of an lxcpath. */
function expectFound(lxcpath: string, expected: readonly string[]): void {
  if (!existsSync(join(`${lxcpath}v`, 'store.json'))) return;
  const findings = fsckNow(lxcpath);
  const codes = findings.map(({ code }) => code).sort();
  if (codes.join() === expected.join()) return;
  const told = findings.map(({ code, where, message }) => `${code}: ${where}: ${message}`);
  const wanted = expected.length === 0 ? 'nothing' : expected.join(', ');
  throw new Error(`in the end fsck should find ${wanted}, and it finds:\n${told.join('\n')}`);
}

/** The shapes of lxcv's JSON, as scripts know them. */
export interface VersionJson {
  readonly id: string;
  readonly number: number;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly time: string;
  readonly branch: string;
  readonly refs: readonly string[];
  readonly changes: {
    readonly added: number;
    readonly modified: number;
    readonly removed: number;
    readonly bytes: number;
  };
}

export interface CommitJson {
  readonly version: VersionJson;
}

export interface CheckoutJson {
  readonly container: string;
  readonly version: VersionJson;
  readonly branch: string | null;
  /** What was not committed, where a container was switched. */
  readonly saved?: VersionJson;
}

export interface LogJson {
  readonly repository: string;
  readonly versions: readonly VersionJson[];
}

export interface StatusJson {
  readonly container: string;
  readonly repository: string;
  readonly branch: string | null;
  readonly version: VersionJson | null;
  readonly state: string;
  readonly changes: readonly ChangeJson[];
}

export interface ChangeJson {
  readonly path: string;
  readonly kind: string;
  readonly type: string;
  /** The path in base64, where it is no UTF-8. */
  readonly pathBytes?: string;
}

export interface ListJson {
  readonly containers: readonly {
    readonly name: string;
    readonly repository: string;
    readonly branch: string | null;
    readonly version: VersionJson | null;
    readonly state: string;
    readonly dirty: boolean;
  }[];
}

export interface BranchJson {
  readonly branches: readonly {
    readonly name: string;
    readonly version: VersionJson;
    readonly container: string | null;
  }[];
}

export interface ErrorJson {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

function must(outcome: Outcome | undefined): Outcome {
  if (outcome?.exitCode === 0) return outcome;
  throw new Error(`a program of LXC failed: ${outcome?.stderr || outcome?.stdout}`);
}

interface Base {
  readonly config: string;
  readonly rootfs: Buffer;
}

let base: Base | undefined;

/** Makes a copy of the one container that lxc-create makes for all of a file's tests. */
function unpackBase(directory: string): void {
  base ??= createBase();
  mkdirSync(join(directory, 'rootfs'), { recursive: true });
  execFileSync('tar', ['-C', join(directory, 'rootfs'), '-xp'], { input: base.rootfs });
  writeFileSync(join(directory, 'config'), base.config.replaceAll('DIRECTORY', directory), { mode: 0o640 });
}

function createBase(): Base {
  using lxc = temporaryLxc();
  execFileSync('lxc-create', ['-P', lxc.lxcpath, '-n', 'base', '-t', 'busybox'], { stdio: 'pipe' });
  const directory = join(lxc.lxcpath, 'base');
  const lines = lxc.readConfig('base').replaceAll(directory, 'DIRECTORY').split('\n');
  const kept = lines.filter((line) => !/^lxc\.(net|apparmor)\./.test(line));
  return {
    config: `${kept.join('\n').trimEnd()}\nlxc.net.0.type = empty\n`,
    rootfs: execFileSync('tar', ['-C', join(directory, 'rootfs'), '-c', '.'], { maxBuffer: 1 << 28 }),
  };
}

/** Reads a config as LXC does: the last value counts, and an include stands for the lines of its file. */
function readRootfs(config: string): Rootfs {
  const values = new Map(readSettings(config));
  const path = values.get('lxc.rootfs.path') ?? '';
  const parts = path.replace(/^(overlay(fs)?|dir):/, '').split(/:(?=\/)/);
  const upper = parts.pop() ?? '';
  return { lowers: parts, upper, options: values.get('lxc.rootfs.options') ?? '' };
}

function readSettings(config: string): [string, string][] {
  return readFileSync(config, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, key = '', value = ''] = /^\s*(lxc\.[^=\s]+)\s*=\s*"?(.*?)"?\s*$/.exec(line) ?? [];
      if (key !== 'lxc.include') return [[key, value] as [string, string]];
      return statSync(value).isFile() ? readSettings(value) : [];
    });
}

/** The string that LXC hands to mount(2) for a root file system. */
export function mountString({ lowers, upper, options }: Rootfs): string {
  return `upperdir=${upper},lowerdir=${lowers.join(':')},workdir=${dirname(upper)}/work,${options}`;
}
