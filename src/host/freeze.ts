/**
 * Freezes a container for a while, by its control group, with LXC knowing of it. See docs/decisions/0019.
 *
 * LXC is told that it is frozen right before it is, and once more when it is, for somebody may have thawed it in between; and that it
 * runs, when it does. So `lxc-unfreeze`, which does nothing to a container that LXC takes for running, works at any moment.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { monotonicMs } from './clocks.js';
import { isErrno } from './files.js';
import {
  type Freezer,
  type FrozenWatch,
  findFreezer,
  isFrozen,
  isGroupGone,
  isToThaw,
  watchFrozen,
  writeFreezer,
} from './freezer.js';
import { type Keepers, startKeepers } from './keeper.js';
import { askFreezerGroup, askInit, askStateNow, monitorSilent, tellState } from './monitor.js';

/**
 * What became of a container that stands still: `late` where that lasts for longer than it may, `unguarded` where nobody is left who
 * would thaw it if lxcv were killed, `thawed` where somebody else did, if only for a moment, `gone` where it was stopped.
 */
export type Stillness = 'frozen' | 'late' | 'unguarded' | 'thawed' | 'gone';

/** A container that stands still until this is disposed of, or somebody else thaws it. */
export interface Freeze extends AsyncDisposable {
  /** Before it stood still, by `monotonicMs` (host/clocks.ts): what follows is the pause, and some milliseconds more. */
  readonly since: number;
  /** A short look; `thorough`, the kernel's word that it stood still from the first moment until now. */
  look(how?: 'thorough'): Stillness;
}

/** One that somebody else has frozen, and may thaw. */
export interface Frozen extends Disposable {
  look(): Extract<Stillness, 'frozen' | 'thawed' | 'gone'>;
}

/** When its time is up lxcv thaws it; where lxcv does not come to it, a keeper does, so much later. */
const KEEPER_SLACK_MS = 100;
/** A look at the state of a group takes some 10 µs, one at the clock none. */
const LOOK_EVERY_MS = 20;
/** So many looks follow one another; then there is a millisecond between two. */
const EAGER_LOOKS = 100;
/** A tool of LXC waits for its monitor for ever. */
const TOOL_MS = 10_000;

/** Where somebody thaws it before it stands still, a look says so. @throws LxcvError `pause-too-long` where it does not stand still in time, `failed`. */
export async function freeze(lxcpath: string, name: ContainerName, limitMs: number): Promise<Freeze> {
  const freezer = freezerOf(lxcpath, name);
  if (freezer === undefined && askStateNow(lxcpath, name) === 'unknown') throw monitorSilent(lxcpath, name);
  const keepers = await startKeepers(lxcpath, name, freezer);
  const switching = freezer === undefined ? byTools(lxcpath, name) : byGroup(lxcpath, name, freezer);
  let since = 0;
  let watch: FrozenWatch;
  try {
    keepers.arm(limitMs + KEEPER_SLACK_MS);
    since = monotonicMs();
    watch = await switching.freeze(since + limitMs);
  } catch (error) {
    await endQuietly(switching, keepers);
    throw error;
  }
  let looked = since;
  let last: Stillness = 'frozen';
  const lookAtKernel = (): Stillness => {
    const state = watch.look();
    return state === 'refrozen' ? 'thawed' : state;
  };
  return {
    since,
    look(how) {
      const now = monotonicMs();
      if (last !== 'frozen') return last;
      if (how === 'thorough' || now - looked >= LOOK_EVERY_MS) {
        looked = now;
        last = lookAtKernel();
        if (last === 'frozen' && keepers.alive === 0) last = 'unguarded';
      }
      // A keeper thaws what is late.
      if (now - since > limitMs && last !== 'gone') last = 'late';
      return last;
    },
    async [Symbol.asyncDispose]() {
      let isTheirs = false;
      try {
        // Somebody thawed it and froze it again.
        isTheirs = watch.look() === 'refrozen';
      } finally {
        watch[Symbol.dispose]();
        await (isTheirs ? keepers.end() : thawAndEnd(switching, keepers));
      }
    },
  };
}

async function thawAndEnd(switching: Switching, keepers: Keepers): Promise<void> {
  try {
    await switching.thaw();
  } finally {
    await keepers.end();
  }
}

async function endQuietly(switching: Switching, keepers: Keepers): Promise<void> {
  try {
    await thawAndEnd(switching, keepers);
  } catch {
    // What went wrong before is told.
  }
}

/** Looks after a container that somebody else froze; undefined where it is not frozen. */
export function watchOwners(lxcpath: string, name: ContainerName): Frozen | undefined {
  const freezer = freezerOf(lxcpath, name);
  if (freezer === undefined) {
    const look = () => lookByMonitor(lxcpath, name);
    return look() === 'frozen' ? { look, [Symbol.dispose]() {} } : undefined;
  }
  try {
    const watch = watchFrozen(freezer);
    if (!isFrozen(freezer)) {
      watch[Symbol.dispose]();
      return undefined;
    }
    return {
      look: () => {
        const state = watch.look();
        return state === 'refrozen' ? 'thawed' : state;
      },
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  } catch (error) {
    if (isGroupGone(error)) return undefined;
    throw error;
  }
}

/** Thaws by the control group too: where LXC was not told, its tool thinks that it runs. */
export function thaw(lxcpath: string, name: ContainerName): void {
  const freezer = freezerOf(lxcpath, name);
  try {
    if (freezer !== undefined) writeFreezer(freezer, 'thaw');
  } catch {
    // LXC's own tool is asked next, and says what is wrong.
  }
  const { error, status, stderr } = spawnSync('lxc-unfreeze', toolArgs(lxcpath, name), {
    encoding: 'utf8',
    timeout: TOOL_MS,
    killSignal: 'SIGKILL',
  });
  if (isErrno(error, 'ETIMEDOUT')) throw monitorSilent(lxcpath, name);
  if (status !== 0) throw toolFailed('lxc-unfreeze', toolArgs(lxcpath, name), stderr ?? '');
}

/** How a container is frozen and thawed. */
interface Switching {
  /** @param until when it must stand still, by `monotonicMs`. @throws LxcvError `pause-too-long`. */
  freeze(until: number): Promise<FrozenWatch>;
  /** Also where it is not frozen any more, or gone. */
  thaw(): Promise<void>;
}

function byGroup(lxcpath: string, name: ContainerName, freezer: Freezer): Switching {
  return {
    async freeze(until) {
      if (!tellState(lxcpath, name, 'frozen')) throw monitorSilent(lxcpath, name);
      if (monotonicMs() > until) throw neverStill(name);
      writeFreezer(freezer, 'freeze');
      const watch = watchFrozen(freezer);
      try {
        for (let looks = 0; !isFrozen(freezer); looks += 1) {
          // It will not stand still any more, as the watch tells.
          if (isToThaw(freezer)) return watch;
          if (monotonicMs() > until) throw neverStill(name);
          if (looks > EAGER_LOOKS) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        tellState(lxcpath, name, 'frozen');
        return watch;
      } catch (error) {
        watch[Symbol.dispose]();
        throw error;
      }
    },
    async thaw() {
      try {
        writeFreezer(freezer, 'thaw');
      } catch (error) {
        if (!isGroupGone(error)) throw error;
      }
      tellState(lxcpath, name, 'running');
    },
  };
}

/** Where the control group is not to be found: slower, and only LXC's word tells whether it stood still. */
function byTools(lxcpath: string, name: ContainerName): Switching {
  return {
    async freeze(until) {
      await runTool('lxc-freeze', lxcpath, name, until);
      return { look: () => lookByMonitor(lxcpath, name), [Symbol.dispose]() {} };
    },
    thaw: async () => {
      if (lookByMonitor(lxcpath, name) !== 'gone') await runTool('lxc-unfreeze', lxcpath, name, undefined);
    },
  };
}

function lookByMonitor(lxcpath: string, name: ContainerName): 'frozen' | 'thawed' | 'gone' {
  const state = askStateNow(lxcpath, name);
  if (state === 'frozen') return 'frozen';
  return state === 'stopped' ? 'gone' : 'thawed';
}

async function runTool(
  program: string,
  lxcpath: string,
  name: ContainerName,
  until: number | undefined,
): Promise<void> {
  const args = toolArgs(lxcpath, name);
  const timeout = until === undefined ? TOOL_MS : Math.max(1, Math.ceil(until - monotonicMs()));
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout, killSignal: 'SIGKILL' });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== null) throw until === undefined ? monitorSilent(lxcpath, name) : neverStill(name);
  if (code !== 0) throw toolFailed(program, args, said);
}

function freezerOf(lxcpath: string, name: ContainerName): Freezer | undefined {
  const init = askInit(lxcpath, name);
  return init === undefined ? undefined : findFreezer(init, askFreezerGroup(lxcpath, name));
}

function toolArgs(lxcpath: string, name: ContainerName): string[] {
  return ['-P', lxcpath, '-n', name];
}

/** A tool of LXC's that failed, in its own words. */
export function toolFailed(program: string, args: readonly string[], stderr: string): LxcvError {
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

function neverStill(name: ContainerName): LxcvError {
  return new LxcvError(
    'pause-too-long',
    `something in ${name} did not stand still in time, and it was let go`,
    'See what waits for a device or a network file system there (ps, state D), or allow more: --max-pause SECONDS',
  );
}
