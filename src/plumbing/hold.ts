/** Keeps a stopped container stopped while lxcv works on it. */

import type { SocketHolder } from '../host/lxc.js';
import { monitorSilent } from '../host/monitor.js';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import type { Container } from '../store/containers.js';
import { storeRoot } from '../store/layout.js';
import type { Context } from './context.js';

/** How long LXC's monitor may take to let go of a container that it says is stopped, or to bring one up. */
const SETTLE_WAIT_MS = 10_000;
const SETTLE_POLL_MS = 10;

/**
 * Holds a container that is stopped, so that LXC cannot start it until disposal; undefined where it runs. One that is on
 * its way from one to the other is waited for.
 * @throws LxcvError `container-in-use` where it is stopped, but its root file system is mounted by something else; `failed` where LXC's
 * monitor of it does not answer; `interrupted`.
 */
export async function holdStopped(context: Context, container: Container): Promise<Disposable | undefined> {
  const hold = await waitForHold(context, container);
  try {
    if (hold !== undefined) checkUnmounted(context, container);
    return hold;
  } catch (error) {
    hold?.[Symbol.dispose]();
    throw error;
  }
}

/**
 * What a hold cannot keep from happening: LXC knows a container by the path that it is started with, and anybody can mount.
 * @throws LxcvError `container-running`, `container-in-use`.
 */
export function checkUnmounted({ host, lxcpath }: Context, { name, rootfs, layout }: Container): void {
  const other = host.lxc.runningUnder(lxcpath, name);
  if (other !== undefined) {
    throw new LxcvError(
      'container-running',
      `${name} is running: it was started as one of ${other}, which is the same directory`,
      `Name it as LXC does: -P ${other}`,
    );
  }
  checkUpperFree({ host, lxcpath }, { name, rootfs, layout });
}

/** @throws LxcvError `container-in-use` where the upper directory of a stopped container is mounted. */
export function checkUpperFree(
  { host, lxcpath }: Pick<Context, 'host' | 'lxcpath'>,
  { name, rootfs, layout }: Pick<Container, 'name' | 'rootfs' | 'layout'>,
): void {
  if (rootfs.kind === 'overlay' && host.mounts.isUpperInUse(rootfs.upper, storeRoot(host.files, lxcpath))) {
    throw new LxcvError(
      'container-in-use',
      `${name} is stopped, but something has its root file system mounted: ${rootfs.upper}`,
      `Unmount it, or wait for what uses it (lxc-copy, say), and try again. Its config is ${layout.config}.`,
    );
  }
}

async function waitForHold(context: Context, { name }: Container): Promise<Disposable | undefined> {
  const { host, lxcpath } = context;
  for (let waited = 0; ; waited += SETTLE_POLL_MS) {
    const hold = host.lxc.holdStopped(lxcpath, name);
    if (hold !== undefined) return hold;
    const state = await host.lxc.state(lxcpath, name, { abort: host.signals.abort });
    host.signals.check();
    if (state === 'unknown') throw monitorSilent(lxcpath, name);
    if (state === 'running' || state === 'frozen') return undefined;
    const stranger = await findStranger(context, name);
    if (stranger !== undefined) return goWithoutHold(context, name, stranger);
    if (waited >= SETTLE_WAIT_MS) {
      throw new LxcvError(
        'container-in-use',
        `${name} is ${state}, and has been for ten seconds`,
        `Look what it waits for: lxc-info -n ${name}`,
      );
    }
    await host.sleep(SETTLE_POLL_MS);
  }
}

/** A process that forks and ends may be missed by one check. */
const CHECKS = 3;

/** Whoever has a container's command socket, where that is neither LXC nor lxcv; it is not asked, and not waited for. */
async function findStranger({ host, lxcpath }: Context, name: ContainerName): Promise<SocketHolder | undefined> {
  let stranger: SocketHolder | undefined;
  for (let check = 0; check < CHECKS; check += 1) {
    stranger = host.lxc.holderOf(lxcpath, name);
    if (stranger === undefined || (stranger !== 'unknown' && stranger.isOwn)) return undefined;
    await host.sleep(SETTLE_POLL_MS);
  }
  return stranger;
}

/**
 * While a stranger has the name of the command socket, LXC cannot start the container either. Should it become free meanwhile, the
 * checks after the commit point and the closed delta still hold: see docs/decisions/0002-command-socket.md.
 */
function goWithoutHold({ report }: Context, name: ContainerName, stranger: SocketHolder): Disposable {
  const who =
    stranger === 'unknown' ? 'a process that cannot be found' : `process ${stranger.pid} of user ${stranger.uid}`;
  const end = stranger === 'unknown' ? '' : `: kill ${stranger.pid}`;
  report({
    kind: 'notice',
    message: `${who} has taken the name of ${name}'s command socket; LXC cannot start ${name} before that ends${end}`,
  });
  return { [Symbol.dispose]() {} };
}
