import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import { type EarlierCopy, LiveCopy } from '../../src/layer/live-copy.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { finish } from '../../src/model/job.js';
import { digDeep } from '../support/deep.js';
import { mountDisk } from '../support/disk.js';
import { setXattr } from '../support/libc.js';
import { mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { fifo, plant, symlinkTo } from '../support/plant.js';
import { storm } from '../support/storm.js';
import { compareTrees, expectSameTree, readTree } from '../support/tree.js';

/** What overlayfs notes for itself. The marks that mean something to a lower layer are not among them. */
const BOOKKEEPING = /^trusted\.overlay\.(origin|impure|nlink|uuid|upper)$/;

describe('LiveCopy', () => {
  it.each(['xfs', 'btrfs'] as const)('takes no room for the bytes of a file where they can be shared (%s)', (kind) => {
    using disk = mountDisk(kind);
    const upper = join(disk.path, 'upper');
    mkdirSync(upper);
    writeFileSync(join(upper, 'large'), randomBytes(64 << 20));
    files.syncFileSystem(upper);
    const free = () => statfsSync(disk.path).bfree * statfsSync(disk.path).bsize;
    const before = free();
    const copy = new LiveCopy(files, upper, join(disk.path, 'copy'), join(disk.path, 'links'), undefined);
    finish(copy.copyRunning(machine.clocks()));
    finish(copy.copyFrozen(machine.clocks()));
    finish(copy.end());
    files.syncFileSystem(upper);
    expect(before - free()).toBeLessThan(8 << 20);
    expectSameLayer(join(disk.path, 'copy'), upper);
  });

  it.each([41, 42])(
    'copies what was written until the freeze, bit for bit, and shares it with the next copy (seed %i)',
    (seed) => {
      using place = temporaryDirectory();
      const base = join(place.path, 'base');
      const upper = join(place.path, 'version/delta');
      mkdirSync(base);
      storm(base, { seed, steps: 150 });
      using overlay = mountOverlay({ lowers: [base], upper });
      storm(overlay.path, { seed: seed * 100, steps: 200 });
      let earlier: EarlierCopy | undefined;
      for (let round = 1; round <= 3; round += 1) {
        letTimePass();
        const delta = join(place.path, `copy-${round}`);
        const before = earlier === undefined ? undefined : readTree(earlier.delta);
        const copy = new LiveCopy(files, upper, delta, `${delta}-links`, earlier);
        finish(copy.copyRunning(machine.clocks()));
        storm(overlay.path, { seed: seed * 100 + round, steps: 15 });
        finish(copy.copyFrozen(machine.clocks()));
        finish(copy.end());
        expectSameLayer(delta, upper);
        if (before !== undefined) {
          expectSameTree(readTree(earlier?.delta as string), before);
          expect(countShared(delta, earlier?.delta as string)).toBeGreaterThan(0);
        }
        earlier = { delta, sources: [...copy.trustedSources()] };
      }
    },
  );

  it.each([51, 52])(
    'survives any change under its hands, and has in the end what was there at the freeze (seed %i)',
    (seed) => {
      using place = temporaryDirectory();
      const base = join(place.path, 'base');
      const upper = join(place.path, 'version/delta');
      mkdirSync(base);
      storm(base, { seed, steps: 100 });
      using overlay = mountOverlay({ lowers: [base], upper });
      storm(overlay.path, { seed: seed * 100, steps: 150 });
      letTimePass();
      let changes = 0;
      const restless = whileCalled(files, (call) => {
        if (call % 4 !== 0) return;
        changes += 1;
        storm(overlay.path, { seed: seed * 1000 + changes, steps: 1 });
      });
      const delta = join(place.path, 'copy');
      const copy = new LiveCopy(restless.files, upper, delta, `${delta}-links`, undefined);
      finish(copy.copyRunning(machine.clocks()));
      expect(changes).toBeGreaterThan(30);
      restless.stop();
      finish(copy.copyFrozen(machine.clocks()));
      finish(copy.end());
      expectSameLayer(delta, upper);
    },
  );

  it('reads again, while all stands still, only what changed or was too young to be sure of', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), Object.fromEntries(names(30).map((name) => [name, 'content'])));
    letTimePass();
    writeFileSync(join(delta, 'young'), 'young');
    const read: string[] = [];
    const reading: Files = {
      ...files,
      copyContent: (from, to) => {
        read.push(String(from).split('/').at(-1) as string);
        files.copyContent(from, to);
      },
    };
    const copy = new LiveCopy(reading, delta, join(place.path, 'copy'), join(place.path, 'links'), undefined);
    finish(copy.copyRunning(machine.clocks()));
    expect(read.splice(0).sort()).toEqual([...names(30), 'young'].sort());
    writeFileSync(join(delta, 'file-7'), 'changed');
    writeFileSync(join(delta, 'new'), 'new');
    finish(copy.copyFrozen(machine.clocks()));
    finish(copy.end());
    expect(read.sort()).toEqual(['file-7', 'new', 'young']);
    expect(
      [...copy.trustedSources()]
        .map(([place]) => place.name)
        .filter(Boolean)
        .sort(),
    ).toEqual(
      names(30)
        .filter((name) => name !== 'file-7')
        .sort(),
    );
  });

  it('shares no file with an earlier copy that was written to since', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { same: 'same', changed: 'before', attributed: '' });
    letTimePass();
    const first = liveCopy(delta, join(place.path, 'first'));
    letTimePass();
    writeFileSync(join(delta, 'changed'), 'after!');
    setXattr(Buffer.from(join(delta, 'attributed')), 'user.a', Buffer.from('1'));
    renameSync(join(delta, 'same'), join(delta, 'renamed'));
    plant(delta, { same: 'same' });
    letTimePass();
    liveCopy(delta, join(place.path, 'second'), first);
    expectSameLayer(join(place.path, 'second'), delta);
    expect(countShared(join(place.path, 'second'), join(place.path, 'first'))).toBe(0);
  });

  it('gives the copy nothing of the directory that it lies in', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { 'dir/file': '', fifo });
    const version = plant(join(place.path, 'version'), {});
    execFileSync('setfacl', ['-d', '-m', 'u:1000:rwx', version]);
    liveCopy(delta, join(version, 'delta'));
    expectSameLayer(join(version, 'delta'), delta);
  });

  it('works below paths that are too long for the kernel, and keeps hard links between them', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), {});
    digDeep(delta, 20, 'echo > file; mkdir dir; ln file dir/linked; ln -s /etc link; mknod gone c 0 0');
    letTimePass();
    const first = liveCopy(delta, join(place.path, 'first'));
    expectSameLayer(join(place.path, 'first'), delta);
    liveCopy(delta, join(place.path, 'second'), first);
    expectSameLayer(join(place.path, 'second'), delta);
  });

  it('leaves nothing open', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { 'a/b/c': '', 'a/d': symlinkTo('/') });
    const before = files.list('/proc/self/fd').length;
    liveCopy(delta, join(place.path, 'copy'));
    expect(() => liveCopy(delta, join(place.path, 'copy'))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(files.list('/proc/self/fd').length).toBe(before);
  });
});

/** A whole copy, of what does not change meanwhile. */
function liveCopy(from: string, to: string, earlier?: EarlierCopy): EarlierCopy {
  const copy = new LiveCopy(files, from, to, `${to}-links`, earlier);
  finish(copy.copyRunning(machine.clocks()));
  finish(copy.copyFrozen(machine.clocks()));
  finish(copy.end());
  return { delta: to, sources: [...copy.trustedSources()] };
}

/** Compares two layers by what they mean: a whiteout is a whiteout, whatever its time and however many names it has. */
function expectSameLayer(actual: string, expected: string): void {
  const [is, shouldBe] = [readTree(actual), readTree(expected, { omitXattrs: BOOKKEEPING })];
  const ignore = (path: string, attribute: string) =>
    shouldBe.get(path)?.device === 0n && ['mtime', 'mode', 'owner', 'hard link'].includes(attribute);
  expect(compareTrees(is, shouldBe, { ignore })).toEqual([]);
}

/** How many regular files are one and the same in two copies. */
function countShared(a: string, b: string): number {
  return [...readTree(a, { content: false })].filter(([path, node]) => {
    const [one, other] = [a, b].map((root) => files.stat(Buffer.from(`${root}/${path}`, 'latin1')));
    return node.type === 'file' && one?.inode === other?.inode;
  }).length;
}

/** Calls `act` before every call, with the number of the call. */
function whileCalled(files: Files, act: (call: number) => void): { files: Files; stop: () => void } {
  let [call, stopped] = [0, false];
  const wrapped = new Proxy(files, {
    get(target, name: keyof Files) {
      return (...args: never[]) => {
        call += 1;
        if (!stopped) act(call);
        return (target[name] as (...args: never[]) => unknown)(...args);
      };
    },
  });
  return {
    files: wrapped,
    stop: () => {
      stopped = true;
    },
  };
}

/** Until the kernel's clock is so far on that what was written before counts as old. */
function letTimePass(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
}

function names(count: number): BytePath[] {
  return Array.from({ length: count }, (_, i) => `file-${i}` as BytePath);
}
