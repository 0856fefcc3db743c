/** Processes that have an abstract socket, as strangers and as root of a container would: they end with their disposal. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Squatter extends AsyncDisposable {
  readonly pid: number;
}

export interface Squat {
  /** The program to run perl by, if not by root of this machine: `setpriv`, `unshare`. */
  readonly by?: readonly string[];
  /** What to do with the socket, in Perl: `S` is bound to the name. */
  readonly script?: string;
  readonly type?: 'SOCK_STREAM' | 'SOCK_DGRAM';
}

export const AS_NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
/** As root of a privileged container that has the network of the host. */
export const AS_CONTAINER_ROOT = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
export const LISTEN = 'listen(S, 5) or die;';
/** Listens, and is never ready: its queue is full. */
export const OVERFULL = `listen(S, 0) or die; for (1..3) {
  socket(my $c, AF_UNIX, SOCK_STREAM, 0); fcntl($c, 4, 2048); connect($c, pack_sockaddr_un($name)); push @kept, $c; }`;

/** @param name without its leading NUL. */
export async function squat(
  name: string,
  { by = [], script = '', type = 'SOCK_STREAM' }: Squat = {},
): Promise<Squatter> {
  const program = `$| = 1; $name = "\\0" . pack("H*", shift); socket(S, AF_UNIX, ${type}, 0) or die;
    bind(S, pack_sockaddr_un($name)) or die; ${script} print "$$\\n"; sleep 1000;`;
  const [command, ...args] = [...by, 'perl', '-MSocket', '-e', program, Buffer.from(name).toString('hex')];
  const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
