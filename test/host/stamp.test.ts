import {
  chmodSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Directory, files } from '../../src/host/files.js';
import { isBound } from '../../src/host/libc.js';
import { temporaryDirectory } from '../support/overlay.js';

it('tells the same with the binding and without, and another thing of whatever changed', () => {
  using place = temporaryDirectory();
  const path = join(place.path, 'file');
  const names = ['file', 'directory', 'large', 'link', 'none', 'file/none'];
  const [, directory, large, link] = names.map((name) => join(place.path, name)) as [string, string, string, string];
  mkdirSync(directory);
  writeFileSync(large, '');
  truncateSync(large, 2 ** 40);
  utimesSync(large, -1.25, -1.25);
  symlinkSync('/none', link);
  writeFileSync(path, 'bytes');
  utimesSync(path, 1_234_567_890, 1_234_567_890.000_001);
  using opened = files.openDirectory(place.path) as Directory;
  const stamps = () => files.stamps(opened, names);
  const stamp = () => files.stamps(opened, ['file'])[0];
  const before = stamps();
  files.expectLooks(499);
  expect(isBound()).toBe(false);
  files.expectLooks(500);
  expect(isBound()).toBe(true);
  expect(stamps()).toEqual(before);
  expect(new Set(before).size).toBe(5);
  expect(before.slice(-2)).toEqual([undefined, undefined]);
  const { ino, size, mtimeNs, ctimeNs } = lstatSync(large, { bigint: true });
  expect(decode(before[2] as string)).toEqual({ ino, size, mtimeNs, ctimeNs });

  const changes: (() => void)[] = [
    () => chmodSync(path, 0o600),
    () => utimesSync(path, 1, 1),
    () => truncateSync(path, 3),
    () => {
      writeFileSync(`${path}.new`, 'byt');
      renameSync(`${path}.new`, path);
    },
  ];
  const seen = new Set([stamp()]);
  for (const change of changes) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    change();
    seen.add(stamp());
  }
  expect(seen.size).toBe(changes.length + 1);
  rmSync(path);
  expect(stamp()).toBeUndefined();
});

/** Of struct statx inode and size, then the times of change and modification, one word between them. */
function decode(stamp: string) {
  const bytes = Buffer.from(stamp, 'base64');
  const moment = (at: number) => bytes.readBigInt64LE(at) * 1_000_000_000n + BigInt(bytes.readUInt32LE(at + 8));
  return {
    ...{ ino: bytes.readBigUInt64LE(0), size: bytes.readBigUInt64LE(8) },
    ...{ mtimeNs: moment(32), ctimeNs: moment(16) },
  };
}
