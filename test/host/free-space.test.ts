import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freeSpace, sharesBlocks } from '../../src/host/free-space.js';
import { mountDisk } from '../support/disk.js';

describe('free', () => {
  it('is about what root can write, and next to nothing where the file system is full', () => {
    using disk = mountDisk('ext4');
    const filler = join(disk.path, 'filler');
    const { bytes } = freeSpace(disk.path);
    execFileSync('sh', ['-c', `cat /dev/zero > ${filler} 2>/dev/null; sync`]);
    expect(freeSpace(disk.path).bytes).toBeLessThan(128 * 1024);
    rmSync(filler);
    writeFileSync(filler, Buffer.alloc(bytes - 256 * 1024));
    rmSync(filler);
  });

  it('counts inodes, where a file system has a number of them', () => {
    using disk = mountDisk('ext4');
    const { inodes } = freeSpace(disk.path);
    for (let number = 0; number < 10; number += 1) writeFileSync(join(disk.path, `${number}`), '');
    expect(freeSpace(disk.path).inodes).toBe(inodes - 10);
    expect(freeSpace('/proc').inodes).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('sharesBlocks', () => {
  it.each([
    ['ext4', false],
    ['xfs', true],
  ] as const)('is known of %s: %s, by a trial that leaves nothing behind', (kind, shares) => {
    using disk = mountDisk(kind);
    const before = readdirSync(disk.path);
    expect(sharesBlocks(disk.path)).toBe(shares);
    expect(readdirSync(disk.path)).toEqual(before);
    expect(sharesBlocks('/proc')).toBe(false);
  });
});
