import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import { mergeLayers } from '../../src/layer/keyframe.js';
import { LiveCopy } from '../../src/layer/live-copy.js';
import { estimateCopy, estimateMerge } from '../../src/layer/space-estimate.js';
import { runWithoutYielding } from '../../src/model/job.js';
import { digDeep } from '../support/deep.js';
import { mountDisk } from '../support/disk.js';
import { temporaryDirectory } from '../support/overlay.js';
import { plant, symlinkTo, whiteout } from '../support/plant.js';

const KIB = 1024;

describe('extentOfCopy', () => {
  it('is no less than what a copy takes, and not much more', () => {
    using disk = mountDisk('ext4');
    const delta = plant(join(disk.path, 'delta'), { 'a/b/small': 'x', link: symlinkTo('a'), gone: whiteout });
    writeFileSync(join(delta, 'large'), Buffer.alloc(3000 * KIB, 1));
    linkSync(join(delta, 'large'), join(delta, 'a/other name'));
    writeFileSync(join(delta, 'holes'), '');
    truncateSync(join(delta, 'holes'), 1 << 30);
    mkdirSync(join(delta, 'many'));
    for (let number = 0; number < 1000; number += 1) writeFileSync(join(delta, `many/file ${number}`), '');
    execFileSync('sync', ['-f', disk.path]);

    const { bytes, inodes } = runWithoutYielding(estimateCopy(files, delta, [], false));
    const before = statfsSync(disk.path);
    const copy = new LiveCopy(files, delta, join(disk.path, 'copy'), join(disk.path, 'links'), undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    execFileSync('sync', ['-f', disk.path]);
    const after = statfsSync(disk.path);
    expect(inodes).toBe(before.ffree - after.ffree);
    const taken = (before.bfree - after.bfree) * before.bsize;
    expect(bytes).toBeGreaterThanOrEqual(taken);
    expect(bytes).toBeLessThan(taken + 300 * KIB);

    const sources = [...copy.trustedSources()];
    expect(runWithoutYielding(estimateCopy(files, delta, sources, false)).bytes).toBeLessThan(300 * KIB);
    writeFileSync(join(delta, 'large'), Buffer.alloc(3000 * KIB, 2));
    expect(runWithoutYielding(estimateCopy(files, delta, sources, false)).bytes).toBeGreaterThan(3000 * KIB);
    expect(runWithoutYielding(estimateCopy(files, delta, [], true)).bytes).toBeLessThan(300 * KIB);
  });

  it('counts what lies deeper than a path can be long, and does not follow links', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { out: symlinkTo('/') });
    digDeep(delta, 20, 'echo > file');
    expect(runWithoutYielding(estimateCopy(files, delta, [], false)).inodes).toBe(23);
  });
});

describe('extentOfMerge', () => {
  it('is no less than what a keyframe takes', () => {
    using disk = mountDisk('ext4');
    const layers = ['top', 'middle'].map((name) => plant(join(disk.path, name), { 'a/b/file': name, gone: whiteout }));
    for (const layer of layers) {
      for (let number = 0; number < 200; number += 1) mkdirSync(join(layer, `directory ${number}`));
    }
    const below = plant(join(disk.path, 'below'), { gone: 'soon' });
    execFileSync('sync', ['-f', disk.path]);
    const { bytes, inodes } = runWithoutYielding(estimateMerge(files, layers));
    const before = statfsSync(disk.path);
    runWithoutYielding(mergeLayers(files, layers, [below], join(disk.path, 'keyframe')));
    execFileSync('sync', ['-f', disk.path]);
    const after = statfsSync(disk.path);
    expect(inodes).toBeGreaterThanOrEqual(before.ffree - after.ffree);
    expect(bytes).toBeGreaterThanOrEqual((before.bfree - after.bfree) * before.bsize);
    expect(before.ffree - after.ffree).toBe(204);
  });
});
