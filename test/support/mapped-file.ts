/** A file that is written to through a shared mapping, as databases and mail indexes are: by no system call at all. */

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import koffi from 'koffi';

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

const libc = koffi.load('libc.so.6');
const mmap = libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
const munmap = libc.func('int munmap(void *, size_t)');

/** A mapping of a whole file. */
export interface MappedFile extends Disposable {
  /** Writes bytes (latin1) at an offset, where they must fit. */
  write(text: string, offset?: number): void;
}

export function mapFile(path: string): MappedFile {
  const fd = openSync(path, constants.O_RDWR);
  const { size } = fstatSync(fd);
  const address = mmap(null, size, PROT_READ_WRITE, MAP_SHARED, fd, 0);
  closeSync(fd);
  if (BigInt(koffi.address(address)) === 0xffff_ffff_ffff_ffffn) throw new Error(`${path} cannot be mapped`);
  return {
    write(text, offset = 0) {
      if (offset + text.length > size) throw new RangeError(`${path} has only ${size} bytes`);
      koffi.encode(address, offset, 'uint8_t', [...Buffer.from(text, 'latin1')], text.length);
    },
    [Symbol.dispose]() {
      munmap(address, size);
    },
  };
}
