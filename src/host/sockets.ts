/**
 * Abstract Unix sockets of this network namespace, and the processes behind them. Whoever can make a socket chooses its name, so a
 * name says nothing of who has it; and the process that `SO_PEERCRED` names is the one that began to listen, which of LXC's has long
 * ended. So the process is looked for that has the socket open.
 */

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { geteuid } from 'node:process';
import { isSystemError } from './files.js';
import { askSocketDiagnosis } from './socket-calls.js';

export interface BoundSocket {
  /** Without its leading NUL, a character a byte. */
  readonly name: string;
  readonly inode: number;
  /** Whether one can connect to it. */
  readonly isListening: boolean;
}

/** A process that has a socket open. */
export interface Holder {
  readonly pid: number;
  readonly uid: number;
  /**
   * True where it belongs to the administration of this machine: a process of root, or of the user that lxcv runs as, in lxcv's own
   * namespaces of processes and users, and the socket was made by that user too. Root of a container is not.
   */
  readonly isOwn: boolean;
}

/** The stream sockets that have an abstract name of their own, by that name. It takes as long as there are such sockets. */
export function boundSockets(): ReadonlyMap<string, BoundSocket> {
  return new Map([...(diagnosedSockets() ?? tabledSockets())].map((socket) => [socket.name, socket]));
}

/** struct nlmsghdr of linux/netlink.h, unix_diag_req and unix_diag_msg of linux/unix_diag.h. */
const HEADER_BYTES = 16;
const MESSAGE_BYTES = 16;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const UNIX_DIAG_NAME = 0;
const TCP_LISTEN = 10;
const SOCK_STREAM = 1;

/** By the kernel's own answer, in which a name cannot be taken for anything else; undefined where the kernel has no such answer. */
function diagnosedSockets(): BoundSocket[] | undefined {
  const sockets: BoundSocket[] = [];
  try {
    for (const bytes of askSocketDiagnosis()) {
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt32LE(at);
        const type = bytes.readUInt16LE(at + 4);
        if (type === NLMSG_DONE) return sockets;
        if (type === NLMSG_ERROR) return undefined;
        const name = nameIn(bytes.subarray(at + HEADER_BYTES + MESSAGE_BYTES, at + length));
        // A socket of another type may have the same name.
        if (name !== undefined && bytes[at + HEADER_BYTES + 1] === SOCK_STREAM) {
          const inode = bytes.readUInt32LE(at + HEADER_BYTES + 4);
          sockets.push({ name, inode, isListening: bytes[at + HEADER_BYTES + 2] === TCP_LISTEN });
        }
        at += aligned(length);
      }
    }
    return undefined;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** The abstract name among the attributes of a socket. */
function nameIn(attributes: Buffer): string | undefined {
  for (let at = 0; at + 4 <= attributes.length; at += aligned(Math.max(4, attributes.readUInt16LE(at)))) {
    if (attributes.readUInt16LE(at + 2) !== UNIX_DIAG_NAME) continue;
    const name = attributes.subarray(at + 4, at + attributes.readUInt16LE(at));
    return name[0] === 0 ? name.toString('latin1', 1) : undefined;
  }
  return undefined;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

/** SO_ACCEPTCON of linux/net.h. */
const LISTENS = 0x10000;
/** Neither connected nor connecting: the sockets that a listening one accepted bear its name too. */
const UNCONNECTED = '01';

/** The same as a text, into which a name with a newline can write lines of its own. */
function* tabledSockets(): Generator<BoundSocket> {
  for (const line of readFileSync('/proc/net/unix', 'latin1').split('\n')) {
    const [, flags, type, state, inode, name] = /^\S+: \S+ \S+ (\S+) (\S+) (\S+) +(\d+) @(.*)$/s.exec(line) ?? [];
    if (name === undefined || Number(type) !== SOCK_STREAM || state !== UNCONNECTED) continue;
    yield { name, inode: Number(inode), isListening: (Number.parseInt(flags as string, 16) & LISTENS) !== 0 };
  }
}

/**
 * Which of some sockets processes of this machine's administration have open. What processes of others have open is not looked at, so
 * that they cannot make it long.
 */
export function ownHolders(inodes: ReadonlySet<number>): ReadonlyMap<number, Holder> {
  const holders = new Map<number, Holder>();
  if (inodes.size === 0) return holders;
  const own = namespacesOf('self');
  for (const pid of processes()) {
    if (holders.size === inodes.size) break;
    if (!isOwnUser(userOf(`/proc/${pid}`)) || namespacesOf(pid) !== own) continue;
    for (const { inode, uid } of socketsOf(pid, inodes)) {
      // A program that is set-uid root keeps what its caller had open.
      if (isOwnUser(uid)) holders.set(inode, { pid: Number(pid), uid, isOwn: true });
    }
  }
  return holders;
}

/** The process that has a socket open, whoever it belongs to; undefined where none can be found. It looks at all processes. */
export function findHolder(inode: number): Holder | undefined {
  const inodes = new Set([inode]);
  const own = ownHolders(inodes).get(inode);
  if (own !== undefined) return own;
  for (const pid of processes()) {
    const [socket] = socketsOf(pid, inodes);
    if (socket !== undefined) return { pid: Number(pid), uid: userOf(`/proc/${pid}`) ?? socket.uid, isOwn: false };
  }
  return undefined;
}

function isOwnUser(uid: number | undefined): boolean {
  return uid === 0 || uid === geteuid?.();
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function namespacesOf(pid: string): string | undefined {
  return unlessEnded(() => `${readlinkSync(`/proc/${pid}/ns/pid`)} ${readlinkSync(`/proc/${pid}/ns/user`)}`);
}

/** Those of some sockets that a process has open, each with the user who made it. */
function socketsOf(pid: string, inodes: ReadonlySet<number>): { readonly inode: number; readonly uid: number }[] {
  const directory = `/proc/${pid}/fd`;
  return (unlessEnded(() => readdirSync(directory)) ?? []).flatMap((fd) => {
    const [, digits] = /^socket:\[(\d+)\]$/.exec(unlessEnded(() => readlinkSync(`${directory}/${fd}`)) ?? '') ?? [];
    const inode = Number(digits);
    if (digits === undefined || !inodes.has(inode)) return [];
    const uid = userOf(`${directory}/${fd}`);
    return uid === undefined ? [] : [{ inode, uid }];
  });
}

function userOf(path: string): number | undefined {
  return unlessEnded(() => statSync(path).uid);
}

/** undefined of a process that has ended meanwhile. */
function unlessEnded<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
