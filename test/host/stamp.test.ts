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
import { files } from '../../src/host/files.js';
import { isBound, libc } from '../../src/host/libc.js';
import { temporaryDirectory } from '../support/overlay.js';

it('tells the same with the binding and without, and another thing of whatever changed', () => {
  using place = temporaryDirectory();
  const path = join(place.path, 'file');
  const others = ['directory', 'large', 'link'].map((name) => join(place.path, name));
  const [directory, large, link] = others as [string, string, string];
  mkdirSync(directory);
  writeFileSync(large, '');
  truncateSync(large, 2 ** 40);
  symlinkSync('/none', link);
  writeFileSync(path, 'bytes');
  utimesSync(path, 1_234_567_890, 1_234_567_890.000_001);
  const stamps = () => [path, ...others].map((each) => files.stamp(each));
  expect(isBound()).toBe(false);
  const before = stamps();
  libc();
  expect(isBound()).toBe(true);
  expect(stamps()).toEqual(before);
  const { ino, size, mtimeNs, ctimeNs } = lstatSync(large, { bigint: true });
  const moment = (ns: bigint) => `${ns / 1_000_000_000n}.${ns % 1_000_000_000n}`;
  expect(files.stamp(large)).toBe(`${ino} ${size} ${moment(mtimeNs)} ${moment(ctimeNs)}`);

  const changes: (() => void)[] = [
    () => chmodSync(path, 0o600),
    () => utimesSync(path, 1, 1),
    () => truncateSync(path, 3),
    () => {
      writeFileSync(`${path}.new`, 'byt');
      renameSync(`${path}.new`, path);
    },
  ];
  const seen = new Set([files.stamp(path)]);
  for (const change of changes) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    change();
    seen.add(files.stamp(path));
  }
  expect(seen.size).toBe(changes.length + 1);
  rmSync(path);
  expect(files.stamp(path)).toBeUndefined();
});
