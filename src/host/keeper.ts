/**
 * The keepers of a frozen container: two processes, apart from lxcv and from each other, each of which thaws it by itself when lxcv
 * ends, in whatever way, or when its time is up.
 *
 * What ends lxcv does not reach them: they are no children of it, each is a session of its own, they stand in the root group of every
 * hierarchy of control groups, where no unit's KillMode and no limit of memory goes, and are not chosen when memory runs out.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { type Freezer, rootGroups } from './freezer.js';

export interface Keepers {
  /** They thaw after so many milliseconds. */
  arm(limitMs: number): void;
  /** How many are there. */
  readonly alive: number;
  /** Sends them away, when the container is thawed; one that does not go, since it is stopped, is killed. */
  end(): Promise<void>;
}

/** The container is thawed by then, so that nothing is lost with a keeper that is only slow. */
const PATIENCE_MS = 2000;

/**
 * It says its number. It reads a line when lxcv is about to freeze, and another one when lxcv has thawed; that there is nothing more to read means that
 * lxcv has ended. `timeout` ends with 124 where the time was up: then it waits to be sent away, so that lxcv does not take it for killed.
 * It is thawed by LXC's tool too, so that LXC knows of it.
 */
const KEEPER = `
trap "" HUP INT QUIT TERM PIPE USR1 USR2 TSTP
lxcpath=$1 name=$2 control=$3 thaw=$4
echo $$
read -r limit && [ "$limit" != done ] || exit
word=$(timeout "$limit" head -n 1)
code=$?
[ "$word" != done ] || exit
[ -z "$control" ] || echo "$thaw" >"$control"
lxc-unfreeze -P "$lxcpath" -n "$name" >/dev/null
[ $code != 124 ] || read -r _`;

/**
 * Starts both, and ends. Without CAP_SYS_RESOURCE nobody is spared when memory runs out, but need not come first either. Who writes 0 into a control group is moved there; where only a part of the hierarchy is to be seen its root may
 * take no processes.
 */
const START = `
keeper=$1 lxcpath=$2 name=$3 control=$4 thaw=$5
shift 5
echo -1000 >/proc/self/oom_score_adj || echo 0 >/proc/self/oom_score_adj
for root; do
  echo 0 >"$root/cgroup.procs" || { mkdir -p "$root/lxcv.keeper" && echo 0 >"$root/lxcv.keeper/cgroup.procs"; }
done
set -- sh -c "$keeper" lxcv-keeper "$lxcpath" "$name" "$control" "$thaw"
setsid "$@" <&3 >&4 3<&- 4<&- 5<&- 6<&- &
setsid "$@" <&5 >&6 3<&- 4<&- 5<&- 6<&- &`;

/** @throws LxcvError `failed` where they cannot be had. */
export async function startKeepers(
  lxcpath: string,
  name: ContainerName,
  freezer: Freezer | undefined,
): Promise<Keepers> {
  const args = [KEEPER, lxcpath, name, freezer?.control ?? '', freezer?.thaw ?? '', ...rootGroups()];
  const starter = spawn('sh', ['-c', START, 'sh', ...args], {
    detached: true,
    // Node closes standard input with the process that it started.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  starter.on('error', () => undefined);
  const [, , , ...pipes] = starter.stdio as unknown as readonly Duplex[];
  const [first, firstSays, second, secondSays] = pipes as [Duplex, Duplex, Duplex, Duplex];
  const all = [new Keeper(first, firstSays), new Keeper(second, secondSays)];
  const keepers: Keepers = {
    arm(limitMs) {
      for (const keeper of all) keeper.tell((limitMs / 1000).toFixed(3));
    },
    get alive() {
      return all.filter((keeper) => keeper.isAlive).length;
    },
    async end() {
      for (const keeper of all) keeper.tell('done');
      const late = setTimeout(() => all.forEach((keeper) => void keeper.kill()), PATIENCE_MS);
      await Promise.all(all.map((keeper) => keeper.ended));
      clearTimeout(late);
    },
  };
  const areReady = await Promise.all(all.map((keeper) => keeper.isReady));
  if (areReady.every(Boolean)) return keepers;
  await keepers.end();
  throw new LxcvError(
    'failed',
    `what would thaw ${name} if lxcv were killed could not be started`,
    'It takes sh, setsid, timeout and head: apt-get install coreutils util-linux',
  );
}

class Keeper {
  isAlive = true;
  private pid: number | undefined;
  readonly ended: Promise<unknown>;
  /** False where it ended before it said so. */
  readonly isReady: Promise<boolean>;

  constructor(
    private readonly input: Writable,
    says: Readable,
  ) {
    // What is written to one that was killed is lost.
    input.on('error', () => undefined);
    says.on('error', () => undefined);
    this.ended = once(says, 'close').then(() => {
      this.isAlive = false;
      input.destroy();
    });
    const said = once(says, 'data').then(([number]) => {
      this.pid = Number(number);
      return true;
    });
    this.isReady = Promise.race([said, this.ended.then(() => false)]);
  }

  /** It alone has the other end of what it says: while that is open, the number is its. */
  kill(): void {
    try {
      if (this.isAlive && this.pid !== undefined) process.kill(this.pid, 'SIGKILL');
    } catch {
      // It has gone this moment.
    }
  }

  tell(line: string): void {
    if (this.isAlive) this.input.write(`${line}\n`);
  }
}
