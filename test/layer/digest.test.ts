import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startDigestThread } from '../../src/host/digest-thread.js';
import { files } from '../../src/host/files.js';
import { SealedDigests } from '../../src/layer/digest.js';
import { sealDelta } from '../../src/layer/seal.js';
import { runWithoutYielding } from '../../src/model/job.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { placeOf } from '../support/place.js';
import { plant } from '../support/plant.js';

const LARGE = 2 ** 30;

describe('SealedDigests', () => {
  it('tells the digests of a large file at once, wherever it stands', () => {
    using place = temporaryDirectory();
    const names = ['a/x', 'a!', 'b', 'z/1/2', 'z/9'];
    const { delta, listings } = sealed(place, 'one', names);
    for (const name of names) {
      using digests = new SealedDigests(files, listings);
      expect(digests.find(delta, placeOf(name), LARGE)).toBe(sha256(name));
      expect(digests.find(delta, placeOf(name), LARGE), 'again').toBe(sha256(name));
    }
    using digests = new SealedDigests(files, listings);
    for (const name of ['a', 'a/none', 'a!', 'a!!', 'z/1', 'z/9']) {
      const expected = names.includes(name) ? sha256(name) : undefined;
      expect(digests.find(delta, placeOf(name), LARGE), name).toBe(expected);
    }
  });

  it('tells nothing wrong in whatever order it is asked', () => {
    using place = temporaryDirectory();
    const names = ['a', 'b', 'c', 'd'];
    const { delta, listings } = sealed(place, 'one', names);
    using digests = new SealedDigests(files, listings);
    for (const name of ['c', 'a', 'd', 'b']) {
      expect([undefined, sha256(name)]).toContain(digests.find(delta, placeOf(name), LARGE));
    }
  });

  it('looks through a listing no sooner than it would have taken as long to read the files', () => {
    using place = temporaryDirectory();
    const names = Array.from({ length: 3000 }, (_, index) => `f${`${index}`.padStart(4, '0')}`);
    const { delta, listings, listing } = sealed(place, 'one', names);
    const opened: unknown[] = [];
    const openFile: typeof files.openFile = (path) => {
      opened.push(path);
      return files.openFile(path);
    };
    using digests = new SealedDigests({ ...files, openFile }, listings);
    const first = names.findIndex((name) => digests.find(delta, placeOf(name), 4) !== undefined);
    expect(first).toBe(Math.ceil((statSync(listing).size * 4) / 80_004) - 1);
    expect(first).toBeGreaterThan(10);
    for (const name of names.slice(first)) expect(digests.find(delta, placeOf(name), 4)).toBe(sha256(name));
    expect(opened).toEqual([listing]);
  });

  it('compares what both know, and looks through no listing where only one does', () => {
    using place = temporaryDirectory();
    const one = sealed(place, 'one', ['same', 'other']);
    const two = sealed(place, 'two', ['same'], { other: 'not the same' });
    const listings = new Map([...one.listings, ...two.listings]);
    using digests = new SealedDigests(files, listings);
    expect(digests.compare(one.delta, two.delta, placeOf('other'), LARGE)).toBe(false);
    expect(digests.compare(one.delta, two.delta, placeOf('same'), LARGE)).toBe(true);
    const openFile = () => expect.unreachable('only one of them has a listing');
    using blind = new SealedDigests({ ...files, openFile }, one.listings);
    expect(blind.compare(one.delta, two.delta, placeOf('same'), LARGE)).toBeUndefined();
    expect(blind.compare(two.delta, one.delta, placeOf('same'), LARGE)).toBeUndefined();
  });

  it('tells which layers were to be sealed, and are not', () => {
    using place = temporaryDirectory();
    const { delta, listings } = sealed(place, 'one', ['a']);
    const unsealed = new Set<string>();
    const paths = new Map([...listings, ['/two', join(place.path, 'none')]]);
    using digests = new SealedDigests(files, paths, unsealed);
    expect(digests.compare(delta, '/two', placeOf('a'), LARGE)).toBeUndefined();
    expect(digests.find('/three', placeOf('a'), LARGE)).toBeUndefined();
    expect([...unsealed]).toEqual(['/two']);
  });

  it('refuses a listing that is not as it was sealed, and leaves none open', () => {
    using place = temporaryDirectory();
    const { delta, listings, listing } = sealed(place, 'one', ['a', 'b', 'c']);
    const open = () => readdirSync('/proc/self/fd').filter((fd) => targetOf(fd) === listing);
    {
      using digests = new SealedDigests(files, listings);
      expect(digests.find(delta, placeOf('b'), LARGE)).toBe(sha256('b'));
      expect(open()).toHaveLength(1);
    }
    expect(open()).toEqual([]);
    writeFileSync(listing, readFileSync(listing, 'latin1').replace(sha256('b'), sha256('c')));
    using digests = new SealedDigests(files, listings);
    expect(() => digests.find(delta, placeOf('a'), LARGE)).toThrow(expect.objectContaining({ code: 'store-damaged' }));
    expect(open()).toEqual([]);
  });
});

/** A delta of files that hold their names, sealed. */
function sealed(place: DisposablePath, name: string, names: readonly string[], others: Record<string, string> = {}) {
  const listing = join(place.path, name, 'entries');
  const contents = { ...Object.fromEntries(names.map((path) => [path, path])), ...others };
  const delta = plant(join(place.path, name, 'delta'), contents);
  const paths = { partial: `${listing}.partial`, entries: listing };
  runWithoutYielding(sealDelta(files, delta, paths, { startThread: startDigestThread }));
  return { delta, listing, listings: new Map([[delta, listing]]) };
}

function targetOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
