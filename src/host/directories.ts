/** What directories hold, each name with its type. */

import { constants, type Dirent, readdirSync } from 'node:fs';
import { type BytePath, decodePath } from '../model/byte-path.js';
import type { EntryType } from '../model/entry.js';
import { withOpen } from './content.js';
import { belowDescriptor, check, type HostPath, isBound, libc } from './libc.js';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** getdents64(2): asm/unistd.h of each architecture. */
export const SYS_GETDENTS64 = { x64: 217, arm64: 61, loong64: 61, riscv64: 61 };
/** DT_FIFO and its like, of dirent.h; DT_UNKNOWN is left out. */
const TYPES = new Map<number, EntryType>([
  [1, 'fifo'],
  [2, 'char'],
  [4, 'directory'],
  [6, 'block'],
  [8, 'file'],
  [10, 'symlink'],
  [12, 'socket'],
]);
/** Where a struct linux_dirent64 has its length, its type and its name, which ends with a NUL. */
const LENGTH_AT = 16;
const TYPE_AT = 18;
const NAME_AT = 19;
const entries = Buffer.allocUnsafeSlow(1 << 16);

/** See `Files`. */
export function listTyped(path: HostPath): ReadonlyMap<BytePath, EntryType> {
  const below = belowDescriptor(path);
  if (below?.name !== '.') {
    return withOpen(
      path,
      O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
      (fd) => readOpen(fd) ?? listByNode(`/proc/self/fd/${fd}/.`),
    );
  }
  // It may have been read before.
  if (isBound()) check(Number(libc().lseek(below.directory, 0, 0)), 'lseek', path);
  return readOpen(below.directory) ?? listByNode(path);
}

/**
 * Reads an open directory from where it stands, in half the time that Node takes, which opens it anew, and makes an object of each name.
 * @returns undefined where the machine, or the file system, has no way to tell.
 */
function readOpen(directory: number): Map<BytePath, EntryType> | undefined {
  const number = (SYS_GETDENTS64 as Partial<Record<string, number>>)[process.arch];
  if (number === undefined || !isBound()) return undefined;
  const { getdents64 } = libc();
  const listed = new Map<BytePath, EntryType>();
  for (;;) {
    const size = Number(getdents64(number, directory, entries, entries.length));
    check(size, 'getdents64');
    if (size === 0) return listed;
    const text = entries.toString('latin1', 0, size);
    for (let at = 0; at < size; at += entries.readUInt16LE(at + LENGTH_AT)) {
      const name = text.slice(at + NAME_AT, text.indexOf('\0', at + NAME_AT));
      const type = TYPES.get(entries[at + TYPE_AT] as number);
      if (type === undefined) return undefined;
      if (name !== '.' && name !== '..') listed.set(name as BytePath, type);
    }
  }
}

/** It looks at each of which the file system does not tell the type, by its name as bytes: of latin1 it makes another one then. */
function listByNode(path: HostPath): Map<BytePath, EntryType> {
  const found = readdirSync(path, { encoding: 'buffer', withFileTypes: true });
  return new Map(found.map((entry) => [decodePath(entry.name), typeOf(entry)]));
}

function typeOf(entry: Dirent<Buffer>): EntryType {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symlink';
  if (entry.isCharacterDevice()) return 'char';
  if (entry.isBlockDevice()) return 'block';
  return entry.isFIFO() ? 'fifo' : 'socket';
}
