/** A file system of FUSE whose server, this process, has nothing: it writes down that it is asked, so that nobody waits for it. */

import { closeSync, mkdirSync, openSync, read, writeSync } from 'node:fs';
import { join } from 'node:path';
import { mountAt } from './libc.js';
import { type DisposablePath, temporaryDirectory } from './overlay.js';

/** linux/fuse.h */
const [FORGET, INIT, INTERRUPT, DESTROY, BATCH_FORGET] = [2, 26, 36, 38, 42];
const UNANSWERED = [FORGET, INTERRUPT, DESTROY, BATCH_FORGET];
const [HEADER_BYTES, INIT_BYTES, REQUEST_BYTES_MAX] = [16, 64, 1 << 17];
const [MAJOR, MINOR] = [7, 31];
const ENOTCONN = 107;

export interface RemoteFileSystem extends DisposablePath {
  /** The numbers of the operations that it was asked for. */
  readonly asked: readonly number[];
}

/** Who asks while this process waits in a system call waits for ever: ask from another process. */
export function mountRemote(): RemoteFileSystem {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'remote');
  mkdirSync(path);
  const fd = openSync('/dev/fuse', 'r+');
  const asked: number[] = [];
  const request = Buffer.alloc(REQUEST_BYTES_MAX);
  const serve = () =>
    read(fd, request, 0, request.length, null, (error) => {
      // It was unmounted.
      if (error !== null) return closeSync(fd);
      const operation = request.readUInt32LE(4);
      if (operation !== INIT) asked.push(operation);
      if (!UNANSWERED.includes(operation)) writeSync(fd, answer(operation, request.readBigUInt64LE(8)));
      serve();
    });
  mountAt(Buffer.from(path), 'fuse', `fd=${fd},rootmode=40000,user_id=0,group_id=0`);
  serve();
  return { path, asked, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

function answer(operation: number, id: bigint): Buffer {
  const bytes = Buffer.alloc(operation === INIT ? HEADER_BYTES + INIT_BYTES : HEADER_BYTES);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeInt32LE(operation === INIT ? 0 : -ENOTCONN, 4);
  bytes.writeBigUInt64LE(id, 8);
  if (operation === INIT) {
    bytes.writeUInt32LE(MAJOR, HEADER_BYTES);
    bytes.writeUInt32LE(MINOR, HEADER_BYTES + 4);
  }
  return bytes;
}
