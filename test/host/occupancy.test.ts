import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { occupancy } from '../../src/host/occupancy.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';

/**
 * A mount namespace that has something mounted on `$1`, in which a user namespace of an ordinary user's comes first, and a process of
 * root's after it; what was first of all goes. Prints a line, with the device of the mount, when it is so.
 */
const NAMESPACE = `
mount -t tmpfs lxcv-test "$1"
mkfifo "$1/ready"
setpriv --reuid=1234 --regid=1234 --clear-groups unshare --user sh -c 'echo; exec sleep 1000' >"$1/ready" &
read -r _ <"$1/ready"
sh -c 'stat -c %d "$1"; exec sleep 1000 >/dev/null' sh "$1" &`;

describe('mountsElsewhere', () => {
  let directory: DisposablePath;
  let outer: ChildProcess;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => {
    process.kill(-(outer.pid as number), 'SIGKILL');
    directory[Symbol.dispose]();
  });

  it('knows the mounts of a namespace in which a stranger is, too, and comes first', async () => {
    outer = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', NAMESPACE, 'sh', directory.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const [[said]] = (await Promise.all([once(outer.stdout as Readable, 'data'), once(outer, 'exit')])) as [
      [Buffer],
      unknown,
    ];
    const device = Number(`${said}`);
    expect(device).not.toBe(statSync(directory.path).dev);
    const name = `${(device >> 8) & 0xfff}:${(device & 0xff) | ((device >> 12) & 0xfff00)}`;
    expect(occupancy.mountsElsewhere(name).map(({ place }) => place)).toEqual([directory.path]);
  });
});
