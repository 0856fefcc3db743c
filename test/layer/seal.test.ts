import { createHash } from 'node:crypto';
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DigestThread, startDigestThread } from '../../src/host/digest-thread.js';
import { files } from '../../src/host/files.js';
import { walkLayer } from '../../src/layer/delta.js';
import { sealDelta } from '../../src/layer/seal.js';
import { SharedDigests } from '../../src/layer/shared-digests.js';
import { runRecursion, runWithoutYielding } from '../../src/model/job.js';
import { pathOf } from '../../src/model/place.js';
import { entriesIn } from '../support/bytes.js';
import { digDeep, LONG_NAME } from '../support/deep.js';
import { temporaryDirectory } from '../support/overlay.js';
import { device, directory, fifo, linkTo, opaque, plant, symlinkTo, whiteout } from '../support/plant.js';
import { stormStack } from '../support/stack.js';
import { readTree } from '../support/tree.js';

describe('sealing', () => {
  it.each([71, 72])('lists all that a delta holds, whiteouts and marks among it (seed %i)', (seed) => {
    using stack = stormStack({ seed, deltas: 1, steps: 150 });
    const delta = stack.layers[0] as string;
    const listed = new Map(seal(delta, stack.path).map(({ path, name: _, ...entry }) => [path as string, entry]));
    const expected = readTree(delta);
    expect([...listed.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [path, node] of expected) {
      const entry = listed.get(path);
      expect(entry, path).toMatchObject({
        ...{ type: node.type, mode: node.mode, uid: node.uid, gid: node.gid, mtimeNs: node.mtimeNs },
        ...{ xattrs: new Map([...node.xattrs].sort(([a], [b]) => (a < b ? -1 : 1))) },
        ...(node.type === 'file' ? { size: node.size, digest: node.sha256 } : {}),
        ...(node.type === 'symlink' ? { target: node.target } : {}),
        ...(node.type === 'char' || node.type === 'block' ? { rawDevice: node.device } : {}),
      });
    }
  });

  it('goes on where it was cut short, at whatever byte, and reads no file again', () => {
    using place = temporaryDirectory();
    const names = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`d${index % 7}/f${index}`, `${index}`]));
    const delta = plant(join(place.path, 'delta'), {
      ...names,
      link: symlinkTo('/none'),
      pipe: fifo,
      gone: whiteout,
      over: opaque,
      node: device(1, 3),
      other: linkTo('d1/f1'),
    });
    seal(delta, place.path);
    const whole = readFileSync(join(place.path, 'entries'));
    for (let length = 0; length <= whole.length; length += 97) {
      const partial = join(place.path, 'partial');
      copyFileSync(join(place.path, 'entries'), partial);
      truncateSync(partial, length);
      const listed = whole.subarray(0, length).toString().split('\n').slice(0, -1);
      let read = 0;
      const openFile: typeof files.openFile = (path) => {
        if (path !== partial) read += 1;
        return files.openFile(path);
      };
      runWithoutYielding(sealDelta({ ...files, openFile }, delta, paths(place.path, 'again'), ALONE));
      expect(readFileSync(join(place.path, 'again')).equals(whole), `${length}`).toBe(true);
      expect(read).toBe(41 - listed.filter((line) => line.includes('type=file')).length);
    }
  });

  it('lists the same where a second thread takes digests, and leaves nothing open where it is cut short', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), manyFiles());
    let started = 0;
    const startThread = () => {
      started += 1;
      return startDigestThread();
    };
    const job = sealDelta(files, delta, paths(place.path, 'entries'), { ...ALONE, startThread });
    while (started === 0) expect(job.next().done).toBe(false);
    for (let step = 0; step < 500; step += 1) expect(job.next().done).toBe(false);
    job.return();
    expect(openBelow(place.path)).toEqual([]);
    runWithoutYielding(sealDelta(files, delta, paths(place.path, 'entries'), { ...ALONE, startThread }));
    const listed = entriesIn(join(place.path, 'entries'));
    const digests = listed.flatMap(({ path, digest }) => (digest === undefined ? [] : [[path as string, digest]]));
    const expected = [...readTree(delta)].flatMap(([path, node]) =>
      node.type === 'file' ? [[path, node.sha256] as const] : [],
    );
    expect(Object.fromEntries(digests)).toEqual(Object.fromEntries(expected));
    expect(listed.map(({ path }) => path)).toEqual(
      [...runRecursion(walkLayer(files, delta))].map(({ place }) => pathOf(place)),
    );
    expect(openBelow(place.path)).toEqual([]);
  });

  it('keeps few directories open, however many there are', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), manyFiles());
    const job = sealDelta(files, delta, paths(place.path, 'entries'), { ...ALONE, startThread: startDigestThread });
    let most = 0;
    for (let step = 0; !job.next().done; step += 1) {
      if (step % 20 === 0) most = Math.max(most, openBelow(place.path).length);
    }
    expect(most).toBeGreaterThan(2);
    // Those of the walk and of the other thread.
    expect(most).toBeLessThan(20);
  });

  it('does not let more wait for a digest than it has to', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), {
      ...Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`files/f${index}`, `${index}`])),
      'links/a': 'the first, and the only file there',
    });
    for (let index = 0; index < 20_001; index += 1) symlinkSync('/none', join(delta, `links/l${index}`));
    runWithoutYielding(
      sealDelta(files, delta, paths(place.path, 'entries'), { ...ALONE, startThread: startDigestThread }),
    );
    const listed = entriesIn(join(place.path, 'entries'));
    expect(listed).toHaveLength(900 + 20_002 + 3);
    expect(listed.find(({ path }) => path === 'links/a')?.digest).toBe(sha256('the first, and the only file there'));
  });

  it('begins with the largest files, whatever their turn, and takes no digest twice', () => {
    using place = temporaryDirectory();
    const sized = (bytes: number) => ['', (path: string) => truncateSync(path, bytes)] as const;
    const delta = plant(join(place.path, 'delta'), {
      'a/large': sized(10 * MIB),
      'b/small': 'small',
      'y/larger': sized(20 * MIB),
      'z/largest': sized(40 * MIB),
    });
    const begun: string[] = [];
    const startThread = (): DigestThread => {
      const thread = startDigestThread();
      return {
        ...thread,
        begin: (paths) => {
          begun.push(...paths.map((path) => basename(`${path}`)));
          thread.begin(paths);
        },
      };
    };
    const read: string[] = [];
    const openFile: typeof files.openFile = (path) => {
      read.push(basename(`${path}`));
      return files.openFile(path);
    };
    runWithoutYielding(
      sealDelta({ ...files, openFile }, delta, paths(place.path, 'entries'), { ...ALONE, startThread }),
    );
    expect(begun[0]).toBe('largest');
    expect([...begun, ...read].sort()).toEqual(['large', 'larger', 'largest', 'small']);
    const listed = entriesIn(join(place.path, 'entries'));
    for (const [path, bytes] of [
      ['a/large', 10 * MIB],
      ['y/larger', 20 * MIB],
      ['z/largest', 40 * MIB],
    ] as const) {
      const zeros = createHash('sha256').update(Buffer.alloc(bytes)).digest('hex');
      expect(listed.find((entry) => entry.path === path)?.digest).toBe(zeros);
    }
    expect(openBelow(place.path)).toEqual([]);
  });

  it('costs what the names take, however deep they lie', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), {});
    const depth = 1500;
    digDeep(delta, depth, 'for name in a b c d; do echo $name > $name; done');
    let written = 0;
    const append: typeof files.append = (path, data) => {
      written += data.length;
      files.append(path, data);
    };
    const heapBefore = process.memoryUsage().heapUsed;
    let heap = 0;
    const job = sealDelta({ ...files, append }, delta, paths(place.path, 'entries'), ALONE);
    for (let step = 0; !job.next().done; step += 1) {
      if (step % 500 === 0) heap = Math.max(heap, process.memoryUsage().heapUsed);
    }
    const names = depth * LONG_NAME.length;
    expect(statSync(join(place.path, 'entries')).size).toBeLessThan(2 * names);
    expect(written).toBeLessThan(2 * names);
    // Whole paths of all of them would be 280 MB.
    expect(heap - heapBefore).toBeLessThan(100 * MIB);
    const listed = entriesIn(join(place.path, 'entries')).slice(-4);
    expect(listed.map(({ name, digest }) => [name, digest])).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => [name, sha256(`${name}\n`)]),
    );
    expect(listed[0]?.path).toHaveLength(depth * (LONG_NAME.length + 1) + 1);
  });

  it('begins anew where a power cut left nonsense', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { a: '1', b: '2' });
    writeFileSync(join(place.path, 'partial'), `#mtree v2.0\n. type=dir\0\0\0\0\n${'\0'.repeat(100)}\n`);
    expect(seal(delta, place.path).map(({ path }) => path)).toEqual(['', 'a', 'b']);
    for (const left of ['', '#mtr', '\n', '#mtree v2.0\n', '#mtree v2.0\n\n', '#mtree v1.0\n. type=dir\n']) {
      writeFileSync(join(place.path, 'partial'), left);
      expect(
        seal(delta, place.path).map(({ path }) => path),
        JSON.stringify(left),
      ).toEqual(['', 'a', 'b']);
    }
  });

  it('reads the files whose name in another delta is one of something else', () => {
    using place = temporaryDirectory();
    const first = plant(join(place.path, 'first/delta'), { a: 'one', b: 'two', c: 'three' });
    const second = plant(join(place.path, 'second/delta'), { d: 'new' });
    for (const [from, to] of [
      ['b', 'a'],
      ['a', 'b'],
      ['c', 'c'],
    ] as const) {
      files.link(join(first, from), join(second, to));
    }
    files.link(join(second, 'd'), join(second, 'e'));
    runWithoutYielding(sealDelta(files, first, paths(join(place.path, 'first'), 'entries'), ALONE));
    const read: string[] = [];
    const openFile: typeof files.openFile = (path) => {
      read.push(basename(`${path}`));
      return files.openFile(path);
    };
    using known = new SharedDigests(files, first, join(place.path, 'first/entries'));
    const sealed = paths(join(place.path, 'second'), 'entries');
    runWithoutYielding(sealDelta({ ...files, openFile }, second, sealed, { ...ALONE, known }));
    expect(read).toEqual(['a', 'b', 'd', 'e']);
    expect(entriesIn(sealed.entries).map(({ digest }) => digest)).toEqual([
      undefined,
      ...['two', 'one', 'three', 'new', 'new'].map(sha256),
    ]);
  });

  it('knows nothing where the other delta is not sealed', () => {
    using place = temporaryDirectory();
    const first = plant(join(place.path, 'first/delta'), { a: 'one' });
    const second = plant(join(place.path, 'second/delta'), {});
    files.link(join(first, 'a'), join(second, 'a'));
    using known = new SharedDigests(files, first, join(place.path, 'first/entries'));
    runWithoutYielding(sealDelta(files, second, paths(place.path, 'entries'), { ...ALONE, known }));
    expect(entriesIn(join(place.path, 'entries')).map(({ digest }) => digest)).toEqual([undefined, sha256('one')]);
  });

  it('takes the digest of a file that another delta shares from its listing', () => {
    using place = temporaryDirectory();
    const first = plant(join(place.path, 'first/delta'), { 'd/a': 'same', b: 'other' });
    const second = plant(join(place.path, 'second/delta'), { d: directory });
    files.link(join(first, 'd/a'), join(second, 'd/a'));
    runWithoutYielding(sealDelta(files, first, paths(join(place.path, 'first'), 'entries'), ALONE));
    using known = new SharedDigests(files, first, join(place.path, 'first/entries'));
    const unread = { ...files, openFile: () => expect.unreachable('the file is known') };
    runWithoutYielding(
      sealDelta(unread as never, second, paths(join(place.path, 'second'), 'entries'), {
        ...ALONE,
        known,
      }),
    );
    const digests = entriesIn(join(place.path, 'second/entries')).map(({ path, digest }) => [path, digest]);
    expect(digests).toEqual([
      ['', undefined],
      ['d', undefined],
      ['d/a', sha256('same')],
    ]);
  });
});

const MIB = 2 ** 20;

/** Without what would tell digests, or take them. */
const ALONE = { startThread: () => expect.unreachable('too little for a second thread') };

/** More of them than one thread digests alone, in directories of many and of few files. */
function manyFiles(): Record<string, string> {
  const path = (index: number) => (index % 3 === 0 ? `many/f${index}` : `d${index % 400}/sub/f${index}`);
  return Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [path(index), `${index}`]));
}

/** What of a directory this process has open. */
function openBelow(directory: string): string[] {
  const targets = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return targets.filter((target) => target.startsWith(directory));
}

function seal(delta: string, place: string) {
  runWithoutYielding(sealDelta(files, delta, paths(place, 'entries'), ALONE));
  return entriesIn(join(place, 'entries'));
}

function paths(place: string, entries: string) {
  return { partial: join(place, 'partial'), entries: join(place, entries) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
