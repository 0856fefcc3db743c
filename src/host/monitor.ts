/**
 * The monitor of a running container, asked by LXC's own protocol, in a tenth of a millisecond: its tools take a hundred times as long.
 * Source: lxc 5.0.2, src/lxc/commands.h and commands.c; the numbers are the same from LXC 4.0.12 to 7.0.0.
 */

import { readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { geteuid } from 'node:process';
import { addAbortSignal } from 'node:stream';
import { CONTAINER_STATES, type ContainerState } from '../model/container-state.js';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { isErrno } from './files.js';
import { closeDescriptor } from './native.js';
import { connectAbstractSocket, peerUser } from './socket-calls.js';
import { boundSockets, findHolder } from './sockets.js';

const GET_STATE = 3;
const GET_INIT_PID = 4;
const GET_CGROUP = 6;
const GET_CONFIG_ITEM = 7;
const SERVE_STATE_CLIENTS = 12;
const GET_LIMIT_CGROUP = 19;
/** struct lxc_cmd_req and lxc_cmd_rsp: two numbers and a pointer. */
const HEAD_BYTES = 16;
const DATA_MAX_BYTES = 1 << 16;
/** A monitor that is stopped answers never. */
const PATIENCE_MS = 5000;
/** One whose queue of callers is full, for it has been stopped for long, is not waited for so long: nothing else is done meanwhile. */
const CONNECT_MS = 100;

/** How a question is ended before its answer. */
export interface Patience {
  readonly abort?: AbortSignal | undefined;
  /** How long to wait for a monitor. */
  readonly patienceMs?: number | undefined;
}

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

/** The state, without a wait in which nothing else is done. `unknown` where the monitor has not answered when it is aborted, or in time. */
export async function askState(
  lxcpath: string,
  name: ContainerName,
  { abort, patienceMs }: Patience & { readonly patienceMs: number },
): Promise<ContainerState> {
  let fd: number | undefined;
  try {
    fd = call(lxcpath, name, GET_STATE, '', 0, CONNECT_MS);
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return 'unknown';
    // It ended.
    if (isErrno(error, 'EPIPE', 'ECONNRESET')) return 'stopped';
    throw error;
  }
  if (fd === undefined) return 'stopped';
  const socket = new Socket({ fd, readable: true, writable: false });
  try {
    return await new Promise((resolve) => {
      let head = Buffer.alloc(0);
      socket.on('data', (bytes: Buffer) => {
        head = Buffer.concat([head, bytes]);
        if (head.length >= HEAD_BYTES) resolve(CONTAINER_STATES[answerIn(head).number] ?? 'unknown');
      });
      socket.on('error', () => resolve(abort?.aborted ? 'unknown' : 'stopped'));
      socket.on('close', () => resolve('stopped'));
      socket.setTimeout(patienceMs, () => resolve('unknown'));
      if (abort !== undefined) addAbortSignal(abort, socket);
    });
  } finally {
    socket.destroy();
  }
}

/** The same at once, for so long as `ask` waits. */
export function askStateNow(lxcpath: string, name: ContainerName): ContainerState {
  const answer = ask(lxcpath, name, GET_STATE, '');
  if (answer !== undefined) return CONTAINER_STATES[answer.number] ?? 'unknown';
  return boundSockets().get(commandSocketName(lxcpath, name))?.isListening ? 'unknown' : 'stopped';
}

/** The process that is a container's init; undefined where the monitor does not say. */
export function askInit(lxcpath: string, name: ContainerName): number | undefined {
  const pid = ask(lxcpath, name, GET_INIT_PID, '')?.number;
  return pid !== undefined && pid > 0 ? pid : undefined;
}

/** Where a state is `unknown`. LXC's own tools wait for such a monitor for ever, `lxc-stop -k` too. */
export function monitorSilent(lxcpath: string, name: ContainerName): LxcvError {
  const socket = boundSockets().get(commandSocketName(lxcpath, name));
  const holder = socket && findHolder(socket.inode);
  return new LxcvError(
    'failed',
    `LXC's monitor of ${name} does not answer: nobody can tell whether ${name} runs`,
    holder === undefined
      ? 'Try again: it has ended meanwhile.'
      : `See whether it is stopped (ps -o stat= ${holder.pid} says T), and have it go on: kill -CONT ${holder.pid}`,
    { data: { container: name } },
  );
}

/**
 * Tells LXC in which state a container is, as lxc-freeze and lxc-unfreeze do when they are done: it is what lxc-info says, and what
 * lxc-unfreeze goes by. @returns false where the monitor did not take it: the container is gone, say.
 */
export function tellState(lxcpath: string, name: ContainerName, state: 'running' | 'frozen'): boolean {
  return ask(lxcpath, name, SERVE_STATE_CLIENTS, '', CONTAINER_STATES.indexOf(state)) !== undefined;
}

/** Where in a hierarchy of control groups LXC freezes a container: a path from the root of it. undefined where it does not say. */
export function askFreezerGroup(lxcpath: string, name: ContainerName): string | undefined {
  for (const command of [GET_LIMIT_CGROUP, GET_CGROUP]) {
    const group = ask(lxcpath, name, command, 'freezer\0')?.data.replace(/\0+$/, '');
    // With version 2 there is no slash in front.
    if (group) return group.startsWith('/') ? group : `/${group}`;
  }
  return undefined;
}

/** The value of a key in the config that a container was started with, whatever its file says by now. undefined where it does not say. */
export function askConfigItem(lxcpath: string, name: ContainerName, key: string): string | undefined {
  return ask(lxcpath, name, GET_CONFIG_ITEM, `${key}\0`)?.data.replace(/\0+$/, '');
}

/** What a monitor answers. */
interface Answer {
  /** What stands where the data's address would: an answer that is a number is that. */
  readonly number: number;
  readonly data: string;
}

/** @param pointer as `number` of an answer, of a request. */
function ask(lxcpath: string, name: string, command: number, data: string, pointer = 0): Answer | undefined {
  let fd: number | undefined;
  try {
    fd = call(lxcpath, name, command, data, pointer, PATIENCE_MS);
    const head = fd === undefined ? undefined : receive(fd, HEAD_BYTES);
    if (fd === undefined || head === undefined || head.readInt32LE() < 0) return undefined;
    const { number, bytes } = answerIn(head);
    const received = receive(fd, bytes)?.toString('latin1');
    return received === undefined ? undefined : { number, data: received };
  } catch {
    // EPIPE, ECONNRESET: it ended. EAGAIN: it has not answered in time.
    return undefined;
  } finally {
    if (fd !== undefined) closeDescriptor(fd);
  }
}

/** Sends a request. @returns the descriptor to read the answer from; undefined where no monitor listens. */
function call(
  lxcpath: string,
  name: string,
  command: number,
  data: string,
  pointer: number,
  patienceMs: number,
): number | undefined {
  const fd = connectAbstractSocket(commandSocketName(lxcpath, name), patienceMs);
  if (fd === undefined) return undefined;
  try {
    // Anybody can take a name that no container has.
    if (peerUser(fd) === geteuid?.()) {
      const request = Buffer.alloc(HEAD_BYTES);
      request.writeInt32LE(command);
      request.writeInt32LE(data.length, 4);
      request.writeBigInt64LE(BigInt(pointer), 8);
      writeSync(fd, request);
      if (data !== '') writeSync(fd, data, null, 'latin1');
      return fd;
    }
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
  closeDescriptor(fd);
  return undefined;
}

function answerIn(head: Buffer): { readonly number: number; readonly bytes: number } {
  return {
    number: Number(head.readBigInt64LE(8)),
    bytes: Math.min(Math.max(head.readInt32LE(4), 0), DATA_MAX_BYTES),
  };
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
