import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clocks } from '../../src/host/clocks.js';
import { type Files, files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import { findUnsupported } from '../../src/layer/delta.js';
import { diffTrees } from '../../src/layer/diff.js';
import { mergeLayers } from '../../src/layer/keyframe.js';
import { type EarlierCopy, LiveCopy } from '../../src/layer/live-copy.js';
import { removeTree } from '../../src/layer/removal.js';
import { gather, type Job, runWithoutYielding } from '../../src/model/job.js';
import { temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';
import { expectSameTree, readTree } from '../support/tree.js';

const DEPTH = 2000;
/** What ext4 gives one inode. */
const NAMES = 65_000;

describe('directories, each in the one before', () => {
  it(`${DEPTH} deep are compared, looked through, merged, copied and removed`, () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    const deep = plantDeep(at('deep'), DEPTH);
    const empty = plant(at('empty'), {});

    const changes = runWithoutYielding(gather(diffTrees(files, [empty], [deep, empty]))).filter(
      ({ path }) => path !== '',
    );
    expect(changes.length).toBe(DEPTH + 1);
    expect(runWithoutYielding(gather(diffTrees(files, [deep], [deep])))).toEqual([]);

    expect(runWithoutYielding(findUnsupported(files, deep))).toBeUndefined();
    runWithoutYielding(mergeLayers(files, [empty, deep], [], at('keyframe')));
    expect(
      runWithoutYielding(gather(diffTrees(files, [deep], [at('keyframe')]))).filter(({ path }) => path !== ''),
    ).toEqual([]);

    const copy = new LiveCopy(files, deep, at('copy'), at('links'), undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    writeFileSync(join(deep, 'd/changed'), '');
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    expectSameTree(readTree(at('copy')), readTree(deep));

    runWithoutYielding(removeTree(files, at('keyframe')));
    expect(files.stat(at('keyframe'))).toBeUndefined();
  }, 60_000);

  it('leave nothing open where a job ends after its first step', () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    const deep = plantDeep(at('deep'), 100);
    const empty = plant(at('empty'), {});
    const running = new LiveCopy(files, deep, at('running'), at('running-links'), undefined);
    const frozen = new LiveCopy(files, deep, at('frozen'), at('frozen-links'), undefined);
    runWithoutYielding(frozen.copyRunning(machine.clocks()));
    const jobs: Record<string, Job<unknown>> = {
      diff: gather(diffTrees(files, [empty], [deep])),
      look: findUnsupported(files, deep),
      merge: mergeLayers(files, [deep, empty], [empty], at('keyframe')),
      running: running.copyRunning(machine.clocks()),
      frozen: frozen.copyFrozen(machine.clocks()),
      removal: removeTree(files, at('frozen')),
    };
    const before = countOpen();
    for (const [name, job] of Object.entries(jobs)) {
      expect(job.next().done, name).toBe(false);
      expect(countOpen(), name).toBeGreaterThan(before);
      job.return(undefined);
      expect(countOpen(), name).toBe(before);
    }
  });
});

describe(`a file with ${NAMES} names`, () => {
  it('has them all in a live copy, in one that knows that, and in a keyframe', () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    const delta = plant(at('delta'), { 'many/0': 'content', 'others/a': 'other' });
    plantNames(delta, 'many/0', NAMES);
    plantNames(delta, 'others/a', 3);
    expect(lstatSync(join(delta, 'many/0')).nlink).toBe(NAMES);
    letTimePass();
    const first = liveCopy(delta, at('first'));
    expectNames(at('first'));
    liveCopy(delta, at('second'), first);
    expectNames(at('second'));
    runWithoutYielding(mergeLayers(files, [delta], [], at('keyframe')));
    expectNames(at('keyframe'));
    expect(lstatSync(join(at('keyframe'), 'others/a')).ino).toBe(lstatSync(join(delta, 'others/a')).ino);
    expect(lstatSync(join(delta, 'many/0')).nlink).toBe(NAMES);
  }, 60_000);
});

describe('a live copy during which the clock is set', () => {
  it.each([
    ['back', -3_600_000, []],
    ['forth', 3_600_000, []],
    ['not at all', 0, ['file', 'other']],
  ])('trusts nothing where it was set: %s', (_, setMs, trusted) => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { file: 'content', other: 'other' });
    letTimePass();
    const read: string[] = [];
    const reading: Files = {
      ...files,
      copyContent: (from, to, tick) => {
        read.push(String(from).split('/').at(-1) as string);
        return files.copyContent(from, to, tick);
      },
    };
    const copy = new LiveCopy(reading, delta, join(place.path, 'copy'), join(place.path, 'links'), undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    expect(read.splice(0).sort()).toEqual(['file', 'other']);
    const now = machine.clocks();
    const later: Clocks = { ...now, wallMs: now.wallMs + setMs };
    runWithoutYielding(copy.copyFrozen(later));
    runWithoutYielding(copy.end());
    expect(read.sort()).toEqual(trusted.length === 0 ? ['file', 'other'] : []);
    expect(
      [...copy.trustedSources()]
        .map(([{ name }]) => name)
        .filter(Boolean)
        .sort(),
    ).toEqual(trusted);
    expectSameTree(readTree(join(place.path, 'copy')), readTree(delta));
  });
});

/** A path of one-letter directories, and a file in the last. */
function plantDeep(root: string, depth: number): string {
  mkdirSync(root);
  const dig =
    'for (1 .. shift) { mkdir "d" and chdir "d" or die $! } open my $file, ">", "file" or die $!; print $file "content"';
  execFileSync('perl', ['-e', dig, `${depth}`], { cwd: root });
  return root;
}

function plantNames(root: string, name: string, count: number): void {
  const link = 'my ($of, $count) = @ARGV; link $of, "$of.$_" or die $! for 2 .. $count';
  execFileSync('perl', ['-e', link, name, `${count}`], { cwd: root });
}

function expectNames(root: string): void {
  for (const [directory, count, content] of [
    ['many', NAMES, 'content'],
    ['others', 3, 'other'],
  ] as const) {
    const names = files.list(join(root, directory));
    expect(names.length).toBe(count);
    expect(new Set(names.map((name) => lstatSync(join(root, directory, name)).ino)).size, directory).toBe(1);
    expect(String(files.read(join(root, directory, names[0] as string)))).toBe(content);
  }
}

function liveCopy(from: string, to: string, earlier?: EarlierCopy): EarlierCopy {
  const copy = new LiveCopy(files, from, to, `${to}-links`, earlier);
  runWithoutYielding(copy.copyRunning(machine.clocks()));
  runWithoutYielding(copy.copyFrozen(machine.clocks()));
  runWithoutYielding(copy.end());
  expect(files.stat(`${to}-links`)).toBeUndefined();
  return { delta: to, sources: [...copy.trustedSources()] };
}

function countOpen(): number {
  return files.list('/proc/self/fd').length;
}

/** Until the kernel's clock is so far on that what was written before counts as old. */
function letTimePass(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
}
