/**
 * The monitor of a running container, asked by LXC's own protocol, in a tenth of a millisecond: its tools take a hundred times as long.
 * Source: lxc 5.0.2, src/lxc/commands.h and commands.c; the numbers are the same from LXC 4.0.12 to 7.0.0.
 */

import { readSync, writeSync } from 'node:fs';
import { geteuid } from 'node:process';
import type { ContainerName } from '../model/version.js';
import { closeDescriptor } from './native.js';
import { connectAbstractSocket, peerUser } from './socket-calls.js';

const GET_CGROUP = 6;
const GET_CONFIG_ITEM = 7;
const SERVE_STATE_CLIENTS = 12;
const GET_LIMIT_CGROUP = 19;
/** Of src/lxc/state.h. */
const STATES = { running: 2, frozen: 6 };
/** struct lxc_cmd_req and lxc_cmd_rsp: two numbers and a pointer. */
const HEAD_BYTES = 16;
const DATA_MAX_BYTES = 1 << 16;
/** A monitor that is stopped answers never. */
const PATIENCE_MS = 5000;

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

/**
 * Tells LXC in which state a container is, as lxc-freeze and lxc-unfreeze do when they are done: it is what lxc-info says, and what
 * lxc-unfreeze goes by. @returns false where the monitor did not take it: the container is gone, say.
 */
export function tellState(lxcpath: string, name: ContainerName, state: keyof typeof STATES): boolean {
  return ask(lxcpath, name, SERVE_STATE_CLIENTS, '', STATES[state]) !== undefined;
}

/** Where in a hierarchy of control groups LXC freezes a container: a path from the root of it. undefined where it does not say. */
export function askFreezerGroup(lxcpath: string, name: ContainerName): string | undefined {
  for (const command of [GET_LIMIT_CGROUP, GET_CGROUP]) {
    const group = ask(lxcpath, name, command, 'freezer\0')?.replace(/\0+$/, '');
    // With version 2 there is no slash in front.
    if (group) return group.startsWith('/') ? group : `/${group}`;
  }
  return undefined;
}

/** The value of a key in the config that a container was started with, whatever its file says by now. undefined where it does not say. */
export function askConfigItem(lxcpath: string, name: ContainerName, key: string): string | undefined {
  return ask(lxcpath, name, GET_CONFIG_ITEM, `${key}\0`)?.replace(/\0+$/, '');
}

/** @param pointer stands where the data's address would: what is that short needs no data. */
function ask(lxcpath: string, name: string, command: number, data: string, pointer = 0): string | undefined {
  const fd = connectAbstractSocket(commandSocketName(lxcpath, name), PATIENCE_MS);
  if (fd === undefined) return undefined;
  try {
    // Anybody can take a name that no container has.
    if (peerUser(fd) !== geteuid?.()) return undefined;
    const request = Buffer.alloc(HEAD_BYTES);
    request.writeInt32LE(command);
    request.writeInt32LE(data.length, 4);
    request.writeBigInt64LE(BigInt(pointer), 8);
    writeSync(fd, request);
    if (data !== '') writeSync(fd, data, null, 'latin1');
    const head = receive(fd, HEAD_BYTES);
    if (head === undefined || head.readInt32LE() < 0) return undefined;
    return receive(fd, Math.min(Math.max(head.readInt32LE(4), 0), DATA_MAX_BYTES))?.toString('latin1');
  } catch {
    // EPIPE, ECONNRESET: it ended. EAGAIN: it has not answered in time.
    return undefined;
  } finally {
    closeDescriptor(fd);
  }
}

/** undefined where it ends before. */
function receive(fd: number, bytes: number): Buffer | undefined {
  const received = Buffer.alloc(bytes);
  for (let done = 0; done < bytes; ) {
    const read = readSync(fd, received, done, bytes - done, null);
    if (read === 0) return undefined;
    done += read;
  }
  return received;
}
