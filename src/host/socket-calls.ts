/** System calls on Unix sockets, of which Node offers none for abstract names. A descriptor is closed by `closeDescriptor` (native.ts). */

import { check, errorName, libc, SystemError } from './libc.js';

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
/**
 * struct nlmsghdr with SOCK_DIAG_BY_FAMILY and NLM_F_REQUEST | NLM_F_DUMP; unix_diag_req for sockets of AF_UNIX in the states
 * TCP_CLOSE and TCP_LISTEN, with UDIAG_SHOW_NAME.
 */
const UNIX_SOCKETS_REQUEST = Buffer.concat([
  Buffer.from(Uint32Array.of(40, 20 | (0x301 << 16), 1, 0).buffer),
  Buffer.from(Uint32Array.of(AF_UNIX, (1 << 7) | (1 << 10), 0, 1, 0xffffffff, 0xffffffff).buffer),
]);
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SO_PEERCRED = 17;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;

/** Binds an abstract Unix socket and returns its file descriptor, or undefined where the name is taken. */
export function bindAbstractSocket(name: string): number | undefined {
  const fd = libc().socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  check(fd, 'socket');
  const address = abstractAddress(name);
  if (libc().bind(fd, address, address.length) === 0) return fd;
  const code = errorName();
  libc().close(fd);
  if (code === 'EADDRINUSE') return undefined;
  throw new SystemError(code, 'bind', name);
}

/**
 * Asks the kernel for the Unix sockets of this network namespace that are not connected, and their names (sock_diag(7)): messages of
 * netlink, until whoever asked has seen the last.
 */
export function* askSocketDiagnosis(): Generator<Buffer, never> {
  const { socket, send, recv, close } = libc();
  const fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  check(fd, 'socket');
  try {
    check(Number(send(fd, UNIX_SOCKETS_REQUEST, UNIX_SOCKETS_REQUEST.length, 0)), 'send');
    const messages = Buffer.alloc(1 << 16);
    for (;;) {
      const size = Number(recv(fd, messages, messages.length, 0));
      check(size, 'recv');
      yield messages.subarray(0, size);
    }
  } finally {
    close(fd);
  }
}

/**
 * Connects to an abstract Unix socket and returns the file descriptor, or undefined where nobody listens there. What is sent bears the
 * credentials of this process. No read from it waits for longer than `patienceMs`.
 */
export function connectAbstractSocket(name: string, patienceMs: number): number | undefined {
  const fd = libc().socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  check(fd, 'socket');
  const patience = Buffer.alloc(16);
  patience.writeBigInt64LE(BigInt(Math.trunc(patienceMs / 1000)));
  patience.writeBigInt64LE(BigInt(Math.trunc((patienceMs % 1000) * 1000)), 8);
  for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
    libc().setsockopt(fd, SOL_SOCKET, option, patience, patience.length);
  }
  // Without it, what is sent in the moment in which the other side has accepted, and not asked for them yet, bears no credentials.
  libc().setsockopt(fd, SOL_SOCKET, SO_PASSCRED, Buffer.from([1, 0, 0, 0]), 4);
  const address = abstractAddress(name);
  if (libc().connect(fd, address, address.length) === 0) return fd;
  const code = errorName();
  libc().close(fd);
  if (code === 'ECONNREFUSED') return undefined;
  throw new SystemError(code, 'connect', name);
}

/** The user who listens at the other end of a connected Unix socket, by the kernel's word. */
export function peerUser(fd: number): number {
  const credentials = Buffer.alloc(12);
  const length = Buffer.alloc(4);
  length.writeInt32LE(credentials.length);
  check(libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length), 'getsockopt');
  return credentials.readUInt32LE(4);
}

/** struct sockaddr_un. @param name without its leading NUL, a character a byte. */
function abstractAddress(name: string): Buffer {
  return Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(name, 'latin1')]);
}
