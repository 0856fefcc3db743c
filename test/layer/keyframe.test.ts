import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { mergeLayers, planKeyframe, smallRun } from '../../src/layer/keyframe.js';
import { runWithoutYielding } from '../../src/model/job.js';
import type { Layer } from '../../src/model/version.js';
import { digDeep, LONG_NAME } from '../support/deep.js';
import { getXattr, setXattr } from '../support/libc.js';
import { type DisposablePath, mountOverlay, temporaryDirectory } from '../support/overlay.js';
import {
  directory,
  linkTo,
  type Make,
  opaque,
  plant,
  symlinkTo,
  whiteout,
  withXattrWhiteouts,
  xattrWhiteout,
} from '../support/plant.js';
import { mountedTree, stormStack } from '../support/stack.js';
import { Random } from '../support/storm.js';
import { expectSameTree, readTree, type Tree } from '../support/tree.js';

describe('mergeLayers', () => {
  it.each([21, 22])('makes of any run of layers one that shows the same, under all and over none (seed %i)', (seed) => {
    using stack = stormStack({ seed, deltas: 3, steps: 80 });
    const trees = stack.layers.map((_, index) => mountedTree(stack.layers.slice(index)));
    for (let from = 0; from < 3; from += 1) {
      for (let to = from + 1; to <= 3; to += 1) {
        const below = stack.layers.slice(to);
        const keyframe = join(stack.path, `keyframe-${from}-${to}`);
        runWithoutYielding(mergeLayers(files, stack.layers.slice(from, to), below, keyframe));
        expectSameTree(mountedTree([keyframe, ...below]), trees[from] as Tree);
        expectSameTree(mountedTree([...stack.layers.slice(0, from), keyframe, ...below]), trees[0] as Tree);
      }
    }
  });

  it('changes nothing in the layers that it merges but the number of their links', () => {
    using stack = stormStack({ seed: 23, deltas: 2, steps: 80 });
    const before = stack.layers.map((layer) => readTree(layer));
    runWithoutYielding(
      mergeLayers(files, stack.layers.slice(0, 2), stack.layers.slice(2), join(stack.path, 'keyframe')),
    );
    for (const [index, layer] of stack.layers.entries()) expectSameTree(readTree(layer), before[index] as Tree);
  });

  it('copies no content: its files are those of the layers', () => {
    using place = temporaryDirectory();
    const { upper, keyframe } = merge(place, { file: 'content', link: symlinkTo('/'), other: linkTo('file') });
    for (const name of ['file', 'link', 'other']) {
      expect(lstatSync(join(keyframe, name)).ino, name).toBe(lstatSync(join(upper, name)).ino);
    }
    expect(lstatSync(join(keyframe, 'file')).ino).toBe(lstatSync(join(keyframe, 'other')).ino);
  });

  it.each<[string, Record<string, Make>, Record<string, Make>, string[]]>([
    ['keeps a whiteout of what lies below', { file: whiteout }, { file: '' }, ['file']],
    ['drops a whiteout of nothing', { file: whiteout }, {}, []],
    ['drops a whiteout over a whiteout', { file: whiteout }, { file: whiteout }, []],
    ['drops a whiteout in a directory that is new', { 'dir/file': whiteout }, {}, ['dir']],
    ['drops a whiteout in a directory over a file', { 'dir/file': whiteout }, { dir: '' }, ['dir']],
    ['drops a whiteout in an opaque directory', { 'dir/': opaque, 'dir/file': whiteout }, { 'dir/file': '' }, ['dir']],
    ['keeps a whiteout in a shared directory', { 'dir/file': whiteout }, { 'dir/file': '' }, ['dir', 'dir/file']],
    [
      'writes as a device a whiteout that was an attribute',
      { 'dir/': withXattrWhiteouts, 'dir/file': xattrWhiteout, 'dir/none': xattrWhiteout },
      { 'dir/file': '' },
      ['dir', 'dir/file'],
    ],
  ])('%s', (_, upper, lower, expected) => {
    using place = temporaryDirectory();
    const { keyframe } = merge(place, upper, lower);
    const tree = readTree(keyframe);
    expect([...tree.keys()].filter(Boolean)).toEqual(expected);
    const whiteouts = [...tree.values()].filter((node) => node.type !== 'directory');
    expect(whiteouts.every((node) => node.type === 'char' && node.device === 0n)).toBe(true);
  });

  it('leaves in no listing the name of something that is not there', () => {
    using place = temporaryDirectory();
    const { keyframe, below } = merge(
      place,
      { 'new/gone': whiteout, 'old/gone': whiteout, 'old/here': '' },
      { 'old/gone': '' },
    );
    using overlay = mountOverlay({ lowers: [keyframe, below] });
    const listed = ['new', 'old'].flatMap((name) =>
      readdirSync(join(overlay.path, name)).map((entry) => join(name, entry)),
    );
    expect(listed).toEqual(['old/here']);
  });

  it('marks as opaque what one of the layers closed, and nothing else', () => {
    using place = temporaryDirectory();
    const { keyframe } = merge(
      place,
      { 'a/': opaque, 'a/new': '', 'b/new': '', 'c/new': '' },
      { 'a/old': '', 'b/old': '', c: 'a file' },
    );
    expect(marks(keyframe)).toEqual(['/a']);
  });

  it('hides what lies below a directory that a higher layer took away and a still higher one made again', () => {
    using place = temporaryDirectory();
    const layers = [
      plant(join(place.path, '3'), { 'dir/new': '3' }),
      plant(join(place.path, '2'), { dir: whiteout }),
      plant(join(place.path, '1'), { 'dir/one': '1' }),
    ];
    const base = plant(join(place.path, 'base'), { 'dir/old': '0' });
    const keyframe = join(place.path, 'keyframe');
    runWithoutYielding(mergeLayers(files, layers, [base], keyframe));
    expect(marks(keyframe)).toEqual(['/dir']);
    expectSameTree(mountedTree([keyframe, base]), mountedTree([...layers, base]));
  });

  it("gives directories all that they have, whatever the bytes of an attribute's name are", () => {
    using place = temporaryDirectory();
    const named: Make = [directory, (path) => setXattr(Buffer.from(path), 'user.\xe9', Buffer.from('value'))];
    const { keyframe } = merge(place, { 'dir/': named });
    expect(getXattr(Buffer.from(join(keyframe, 'dir')), 'user.\xe9').toString()).toBe('value');
  });

  it('follows no symbolic link that took the place of a directory', () => {
    using place = temporaryDirectory();
    const linked = plant(join(place.path, 'linked'), { etc: symlinkTo('/etc') });
    const base = plant(join(place.path, 'base'), { 'etc/own': '' });
    const again = plant(join(place.path, 'again'), { 'etc/new': '' });
    runWithoutYielding(mergeLayers(files, [linked, base], [], join(place.path, 'a')));
    runWithoutYielding(mergeLayers(files, [again, linked], [base], join(place.path, 'b')));
    expect([...readTree(join(place.path, 'a')).keys()]).toEqual(['', 'etc']);
    expect([...readTree(join(place.path, 'b')).keys()]).toEqual(['', 'etc', 'etc/new']);
    expect([...mountedTree([join(place.path, 'b'), base]).keys()]).toEqual(['', 'etc', 'etc/new']);
  });

  it('works below paths that are too long for the kernel', () => {
    using place = temporaryDirectory();
    const [upper, below] = [plant(join(place.path, 'upper'), {}), plant(join(place.path, 'below'), {})];
    digDeep(upper, 20, 'echo > added; ln added linked; mknod removed c 0 0; mknod nothing c 0 0');
    digDeep(below, 20, 'echo > removed');
    runWithoutYielding(mergeLayers(files, [upper], [below], join(place.path, 'keyframe')));
    const found = [...readTree(join(place.path, 'keyframe')).keys()].filter((path) => !path.endsWith(LONG_NAME));
    expect(found.map((path) => path.split('/').at(-1))).toEqual(['', 'added', 'linked', 'removed']);
  });

  it('refuses to write where something is', () => {
    using place = temporaryDirectory();
    const layer = plant(join(place.path, 'layer'), { file: '' });
    const taken = plant(join(place.path, 'taken'), { kept: '' });
    expect(() => runWithoutYielding(mergeLayers(files, [layer], [], taken))).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    );
    expect(readdirSync(taken)).toEqual(['kept']);
  });
});

const SMALL = keyframe(0);

describe('planKeyframe', () => {
  const always = () => true;
  const none = () => 0;

  it.each<[string, number[], unknown]>([
    ['nothing of an empty chain', [], undefined],
    ['nothing of three deltas', counter(3), undefined],
    ['one of four deltas', counter(4), { count: 4, rank: 1 }],
    ['nothing of three deltas over three keyframes', counter(3, 3), undefined],
    ['one of four deltas over two keyframes', counter(4, 2), { count: 4, rank: 1 }],
    ['one of four deltas and the three keyframes below, at once', counter(4, 3), { count: 7, rank: 2 }],
    ['one across three ranks', counter(4, 3, 3), { count: 10, rank: 3 }],
    ['one of all deltas, where there are more than four', counter(11), { count: 11, rank: 1 }],
    ['nothing of what lies under a layer of another rank', [0, 1, ...counter(20)], undefined],
  ])('plans %s', (_, ranks, expected) => {
    expect(planKeyframe(ranks.map(layer), always, none)).toEqual(expected);
  });

  it.each<[string, Layer[], number, unknown]>([
    ['nothing of one delta', [layer(0)], 1, undefined],
    ['one of two', counter(2).map(layer), 2, { count: 2, rank: 0 }],
    ['nothing of two of which one is large', counter(2).map(layer), 1, undefined],
    ['one of one and the small keyframe below', [layer(0), SMALL], 2, { count: 2, rank: 0 }],
    ['nothing of one over a keyframe that is full', [layer(0), SMALL], 1, undefined],
    ['one of two and the small keyframe below', [...counter(2).map(layer), SMALL], 3, { count: 3, rank: 0 }],
    ['one of two over a keyframe that is full', [...counter(2).map(layer), SMALL], 2, { count: 2, rank: 0 }],
    ['one of two, whatever a keyframe of rank 1 holds', counter(2, 1).map(layer), 3, { count: 2, rank: 0 }],
    [
      'a higher one, where they are the fourth',
      [...counter(2).map(layer), SMALL, layer(0), SMALL],
      2,
      { count: 5, rank: 1 },
    ],
    [
      'a still higher one, where that is the fourth',
      [...counter(2).map(layer), SMALL, layer(0), SMALL, ...Array(3).fill(layer(1))],
      2,
      { count: 8, rank: 2 },
    ],
  ])('plans, where little changes at a time, %s', (_, chain, small, expected) => {
    expect(planKeyframe(chain, always, () => small)).toEqual(expected);
  });

  it('keeps a chain of 3000 commits short, and links a file again at most once for each rank', () => {
    const { commits, merges, linked } = simulate(3000, { weigh: () => Number.POSITIVE_INFINITY });
    for (const [number, chain] of commits) {
      const digits = [...number.toString(4)].map(Number);
      expect(chain.length, `commit ${number}`).toBe(digits.reduce((sum, digit) => sum + digit, 0));
    }
    expect(merges).toBe(Math.floor(3000 / 4));
    expect(linked).toBeLessThanOrEqual(3000 * 5);
  });

  it('keeps it at one layer where little changes at a time, and begins anew when that is much together', () => {
    const { commits, merges } = simulate(100, { weigh: () => 1, small: 30 });
    const lengths = commits.map(([, chain]) => chain.length);
    const thirty = (length: number) => Array(30).fill(length);
    // The ninety-first makes one of all of them.
    expect(lengths).toEqual([...thirty(1), ...thirty(2), ...thirty(3), 1, ...Array(9).fill(2)]);
    // Each commit but the first, and the first over what is full.
    expect(merges).toBe(96);
  });

  it('keeps it short whatever the sizes, in whatever order', () => {
    for (const seed of [1, 2, 3]) {
      const random = new Random(seed);
      const weigh = (number: number) => (number % 3 === seed % 3 ? 1000 : random.below(40));
      for (const [number, chain] of simulate(3000, { weigh, small: 100 }).commits) {
        const most = 3 * (Math.floor(Math.log(number) / Math.log(4)) + 1);
        expect(chain.length, `commit ${number}`).toBeLessThanOrEqual(most);
      }
    }
  });

  it('merges the whole of a chain that would not fit', () => {
    const chain = [0, 0, 0, 1, 1].map(layer);
    const most = (limit: number) => (merged: number) => chain.length - merged + Math.min(merged, 1) <= limit;
    expect(planKeyframe(chain, most(5), none)).toBeUndefined();
    expect(planKeyframe(chain, most(4), none)).toEqual({ count: 5, rank: 2 });
    expect(planKeyframe([0].map(layer), () => false, none)).toBeUndefined();
  });

  it('lets no chain grow past what can be mounted, however little that is', () => {
    for (const limit of [2, 5, 12]) {
      const fits = (chain: readonly unknown[]) => (merged: number) =>
        chain.length - merged + Math.min(merged, 1) <= limit;
      expect(simulate(500, { fits }).longest, `a limit of ${limit}`).toBe(limit);
    }
  });

  it('gives no keyframe a rank above nine', () => {
    expect(planKeyframe([0, 9].map(layer), () => false, none)).toEqual({ count: 2, rank: 9 });
    expect(planKeyframe(counter(4, 3, 3, 3, 3, 3, 3, 3, 3, 3).map(layer), always, none)).toEqual({
      count: 4 + 9 * 3,
      rank: 9,
    });
  });

  it.each<[string, (layers: readonly string[]) => number, string[], string[]]>([
    ['small', (layers) => runWithoutYielding(smallRun(files, layers)), ['80/keyframe-0'], ['dir/0']],
    ['large', none, ['80/keyframe-2', '64/keyframe-3'], ['dir/62']],
  ])('makes, with mergeLayers, a chain that shows what 80 %s commits wrote', (_, countSmall, layers, removed) => {
    using place = temporaryDirectory();
    const base = plant(join(place.path, 'base'), { 'dir/base': '', 'dir/0': '', same: 'base' });
    const pathOf = (name: string) => join(place.path, name);
    const expected = new Map<string, string>([
      ['dir/base', ''],
      ['dir/0', ''],
    ]);
    let chain: Layer[] = [];
    for (let number = 1; number <= 80; number += 1) {
      const gone = `dir/${number - 3}`;
      const delta = {
        [`dir/${number}`]: `${number}`,
        same: `${number}`,
        ...(expected.delete(gone) ? { [gone]: whiteout } : {}),
      };
      expected.set(`dir/${number}`, `${number}`).set('same', `${number}`);
      chain = [`${number}/delta` as Layer, ...chain];
      plant(pathOf(chain[0] as Layer), delta);
      const plan = planKeyframe(chain, always, () => countSmall(chain.map(pathOf)));
      if (plan === undefined) continue;
      const keyframe = `${number}/keyframe-${plan.rank}` as Layer;
      const all = [...chain.map(pathOf), base];
      runWithoutYielding(mergeLayers(files, all.slice(0, plan.count), all.slice(plan.count), pathOf(keyframe)));
      chain = [keyframe, ...chain.slice(plan.count)];
    }
    expect(chain).toEqual(layers);
    using overlay = mountOverlay({ lowers: [...chain.map(pathOf), base] });
    expect(
      new Map(readdirSync(join(overlay.path, 'dir')).map((name) => [`dir/${name}`, read(overlay, `dir/${name}`)])),
    ).toEqual(new Map([...expected].filter(([path]) => path !== 'same')));
    expect(read(overlay, 'same')).toBe('80');
    // What is removed and lies below.
    for (const path of removed) expect(existsSync(join(pathOf(chain[0] as Layer), path)), path).toBe(true);
    expect(existsSync(join(pathOf(chain[0] as Layer), 'dir/76'))).toBe(false);
  });
});

describe('smallRun', () => {
  it('counts names, and directories for more, of as many layers as are small together', () => {
    using place = temporaryDirectory();
    const of = (name: string, names: number, directories = 0) => {
      const files = Object.fromEntries(Array.from({ length: names }, (_, index) => [`f${index}`, '']));
      const more = Object.fromEntries(Array.from({ length: directories }, (_, index) => [`d${index}/`, directory]));
      return plant(join(place.path, name), { ...files, ...more });
    };
    const [few, many] = [of('few', 10), of('many', 1300)];
    const [full, deep] = [of('full', 1409), of('deep', 0, 12)];
    const small = (...layers: string[]) => runWithoutYielding(smallRun(files, layers));
    expect(small()).toBe(0);
    expect(small(few, few, few)).toBe(3);
    expect(small(few, many, few)).toBe(1);
    expect(small(many, few)).toBe(1);
    expect(small(few, deep, few)).toBe(1);
    expect(small(deep)).toBe(0);
    expect(small(full)).toBe(0);
  });

  it('follows no link, and reads no further than it must', () => {
    using place = temporaryDirectory();
    const deep = plant(join(place.path, 'deep'), { out: symlinkTo('/') });
    digDeep(deep, 20, 'echo > file');
    let opened = 0;
    const openDirectory: typeof files.openDirectory = (path) => {
      opened += 1;
      return files.openDirectory(path);
    };
    expect(runWithoutYielding(smallRun({ ...files, openDirectory }, [deep, deep]))).toBe(0);
    expect(opened).toBeLessThanOrEqual(16);
  });
});

/** Merges one layer over another; what is made lies at `keyframe`. */
function merge(place: DisposablePath, layer: Record<string, Make>, under: Record<string, Make> = {}) {
  const upper = plant(join(place.path, 'upper'), layer);
  const below = plant(join(place.path, 'below'), under);
  const keyframe = join(place.path, 'keyframe');
  runWithoutYielding(mergeLayers(files, [upper], [below], keyframe));
  return { upper, below, keyframe };
}

/** The paths of a layer that are marked as opaque. */
function marks(layer: string): string[] {
  return [...readTree(layer)].flatMap(([path, node]) =>
    node.xattrs.has('trusted.overlay.opaque') ? [`/${path}`] : [],
  );
}

function read(overlay: DisposablePath, path: string): string {
  return readFileSync(join(overlay.path, path), 'utf8');
}

/** The ranks of a chain: so many deltas, so many keyframes of rank 1, and so on. */
function counter(...digits: number[]): number[] {
  return digits.flatMap((digit, rank) => Array<number>(digit).fill(rank));
}

function layer(rank: number): Layer {
  return rank === 0 ? (`versions/${'x'.repeat(12)}/delta` as Layer) : keyframe(rank);
}

function keyframe(rank: number): Layer {
  return `versions/${'x'.repeat(12)}/keyframe-${rank}` as Layer;
}

interface Stand {
  readonly layer: Layer;
  /** The commits that it stands for: all from the oldest to the newest. */
  readonly newest: number;
  readonly oldest: number;
  readonly weight: number;
}

interface Simulated {
  fits?(chain: readonly Stand[]): (merged: number) => boolean;
  /** How much is in the delta of a commit. */
  weigh?(number: number): number;
  /** So much is small. */
  readonly small?: number;
}

/** Commits one delta after another, and merges as planned. */
function simulate(count: number, { fits = () => () => true, weigh = () => 1, small = 0 }: Simulated) {
  let chain: Stand[] = [];
  let [merges, linked] = [0, 0];
  const commits: [number, readonly Stand[]][] = [];
  for (let number = 1; number <= count; number += 1) {
    chain = [{ layer: layer(0), newest: number, oldest: number, weight: weigh(number) }, ...chain];
    const countSmall = () => {
      const sums = chain.map((_, index) => sum(chain.slice(0, index + 1)));
      return sums.filter((weight) => weight <= small).length;
    };
    const ranks = chain.map(({ layer }) => layer);
    const plan = planKeyframe(ranks, fits(chain), countSmall);
    if (plan !== undefined) {
      const { oldest } = chain[plan.count - 1] as Stand;
      const weight = sum(chain.slice(0, plan.count));
      chain = [{ layer: keyframe(plan.rank), newest: number, oldest, weight }, ...chain.slice(plan.count)];
      merges += 1;
      linked += number - oldest + 1;
    }
    const newestBelow = chain.map((_, index) => chain[index + 1]?.newest ?? 0);
    expect(chain.map(({ oldest }) => oldest - 1)).toEqual(newestBelow);
    commits.push([number, chain]);
  }
  return { commits, merges, linked, longest: Math.max(...commits.map(([, chain]) => chain.length)) };
}

function sum(chain: readonly Stand[]): number {
  return chain.reduce((all, { weight }) => all + weight, 0);
}
