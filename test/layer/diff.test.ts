import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { diffTrees, isUntouched, type ListOptions, listDifferences } from '../../src/layer/diff.js';
import { mergeLayers } from '../../src/layer/keyframe.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { type Change, ChangeList } from '../../src/model/changes.js';
import { gather, runWithoutYielding } from '../../src/model/job.js';
import { digDeep, LONG_NAME } from '../support/deep.js';
import { setMtime, setXattr } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { placeOf } from '../support/place.js';
import {
  device,
  directory,
  fifo,
  type Make,
  opaque,
  plant,
  symlinkTo,
  whiteout,
  withXattrWhiteouts,
  xattrWhiteout,
} from '../support/plant.js';
import { mountedTree, stormStack } from '../support/stack.js';
import type { Tree } from '../support/tree.js';

describe('diffTrees', () => {
  it.each([1, 2, 3])('tells what two mounts differ in, for any two states of a storm (seed %i)', (seed) => {
    using stack = stormStack({ seed, deltas: 4, steps: 80 });
    const states = [...stack.layers.map((_, index) => stack.layers.slice(index)), []];
    const trees = states.map((layers) => mountedTree(layers));
    const told = { added: 0, modified: 0, removed: 0, metadata: 0 };
    for (const [from, before] of states.entries()) {
      for (const [to, after] of states.entries()) {
        if (after.length === 0) continue;
        const changes = diff(before, after);
        expect(changes, `from state ${from} to ${to}`).toEqual(compareMounts(trees[from] as Tree, trees[to] as Tree));
        expect(list(before, after)).toEqual(changes.map((change) => ({ ...change, size: 0 })));
        expect(list(before, after, { sizes: true })).toEqual(changes);
        for (const change of changes) told[change.kind] += 1;
      }
    }
    expect(Math.min(...Object.values(told))).toBeGreaterThan(10);
  });

  it('knows a delta that changed nothing by its root alone', () => {
    using place = temporaryDirectory();
    const [below, delta] = [join(place.path, 'below'), join(place.path, 'delta')] as [string, string];
    plant(below, { file: 'text' });
    plant(delta, {});
    expect(isUntouched(files, delta, below)).toBe(true);
    chmodSync(delta, 0o700);
    expect(isUntouched(files, delta, below)).toBe(false);
    chmodSync(delta, 0o755);
    setXattr(Buffer.from(delta), 'user.mark', Buffer.from('x'));
    expect(isUntouched(files, delta, below)).toBe(false);
    setXattr(Buffer.from(below), 'user.mark', Buffer.from('x'));
    expect(isUntouched(files, delta, below)).toBe(true);
    plant(delta, { file: whiteout });
    expect(isUntouched(files, delta, below)).toBe(false);
    expect(isUntouched(files, delta, join(place.path, 'gone'))).toBe(false);
  });

  it('finds no difference between layers and a keyframe that stands for them', () => {
    using stack = stormStack({ seed: 11, deltas: 4, steps: 80 });
    const keyframe = join(stack.path, 'keyframe');
    runWithoutYielding(mergeLayers(files, stack.layers.slice(1, 3), stack.layers.slice(3), keyframe));
    const [top, , , ...below] = stack.layers as [string, ...string[]];

    expect(diff(stack.layers.slice(1), [keyframe, ...below])).toEqual([]);
    expect(diff([keyframe, ...below], stack.layers.slice(1))).toEqual([]);
    expect(diff([keyframe, ...below], [top, keyframe, ...below])).toEqual(
      diff(stack.layers.slice(1), [top, keyframe, ...below]),
    );
    expect(diff([keyframe, ...below], stack.layers).length).toBeGreaterThan(10);
  });

  it.each<[string, Record<string, Make>, string[]]>([
    ['a file that came', { new: 'content' }, ['added file /new 7']],
    ['a file that went', { file: whiteout }, ['removed file /file 0']],
    ['another content of the same size', { file: 'Content' }, ['modified file /file 7']],
    ['a symbolic link that leads elsewhere', { link: symlinkTo('/away') }, ['modified symlink /link 0']],
    ['another device', { device: device(1, 5) }, ['modified char /device 0']],
    ['a file that became a fifo', { file: fifo }, ['modified fifo /file 0']],
    ['a mode', { file: ['content', (path) => chmodSync(path, 0o600)] }, ['metadata file /file 0']],
    ['an owner', { file: ['content', (path) => chownSync(path, 5, 0)] }, ['metadata file /file 0']],
    ['a group', { 'dir/': [directory, (path) => chownSync(path, 0, 5)] }, ['metadata directory /dir 0']],
    ['a nanosecond', { fifo: [fifo, (path) => touch(path, 2n)] }, ['metadata fifo /fifo 0']],
    ['an attribute that came', { file: ['content', xattr('user.b', '')] }, ['metadata file /file 0']],
    [
      'an attribute of another value',
      { marked: ['m', xattr('user.a', '1'), xattr('user.\xe9', '3')] },
      ['metadata file /marked 0'],
    ],
    ['an attribute that went', { marked: 'm' }, ['metadata file /marked 0']],
    [
      'an attribute under another name',
      { marked: ['m', xattr('user.a', '1'), xattr('user.\xe8', '2')] },
      ['metadata file /marked 0'],
    ],
    [
      'a directory that went, and all that it held',
      { dir: whiteout },
      [
        'removed directory /dir 0',
        'removed directory /dir/below 0',
        'removed file /dir/below/deep 0',
        'removed file /dir/one 0',
      ],
    ],
    [
      'a directory that became a file',
      { dir: 'file' },
      [
        'modified file /dir 4',
        'removed directory /dir/below 0',
        'removed file /dir/below/deep 0',
        'removed file /dir/one 0',
      ],
    ],
    ['a file that became a directory', { 'file/in': 'side' }, ['modified directory /file 0', 'added file /file/in 4']],
    [
      'an opaque directory, by what is in it',
      { 'dir/': opaque, 'dir/one': '1', 'dir/two': '22' },
      ['removed directory /dir/below 0', 'removed file /dir/below/deep 0', 'added file /dir/two 2'],
    ],
    [
      'whiteouts in the form of attributes',
      { 'dir/': withXattrWhiteouts, 'dir/one': xattrWhiteout, 'dir/below': xattrWhiteout },
      ['removed directory /dir/below 0', 'removed file /dir/below/deep 0', 'removed file /dir/one 0'],
    ],
    [
      'a file with the attribute of a whiteout and a content, which is none',
      { 'dir/': withXattrWhiteouts, 'dir/one': (path) => xattrWhiteout(path, 'here') },
      ['modified file /dir/one 4'],
    ],
    ['no whiteout that hides nothing', { nothing: whiteout, 'new/none': whiteout }, ['added directory /new 0']],
    ['no time of a directory', { 'dir/': [directory, (path) => touch(path, 9n)] }, []],
    ['no copy of what it already was', { marked: ['m', xattr('user.a', '1'), xattr('user.\xe9', '2')] }, []],
    ['no bookkeeping of overlayfs', { file: ['content', xattr('trusted.overlay.origin', 'x')] }, []],
    [
      'the marks of an overlay inside the container',
      { file: ['content', xattr('trusted.overlay.overlay.opaque', 'y')] },
      ['metadata file /file 0'],
    ],
    [
      'the root',
      { '/': [directory, (path) => chmodSync(path, 0o700)], new: '' },
      ['metadata directory / 0', 'added file /new 0'],
    ],
    [
      'names in the order of their bytes, each with what it holds',
      { b: '', 'a/b': '', 'a-b': '', B: '', ü: '', 'a/a': '' },
      [
        'added file /B 0',
        'added directory /a 0',
        'added file /a/a 0',
        'added file /a/b 0',
        'added file /a-b 0',
        'added file /b 0',
        'added file /\xc3\xbc 0',
      ],
    ],
  ])('tells %s', (_, delta, expected) => {
    using place = temporaryDirectory();
    const base = plantBase(join(place.path, 'base'));
    const layer = plant(join(place.path, 'delta'), delta);
    expect(diff([base], [layer, base]).map(toLine)).toEqual(expected);
  });

  it.each<[string, Record<string, Make>]>([
    ['an opaque directory', { 'dir/': opaque, 'dir/one': '1' }],
    ['whiteouts', { 'dir/one': whiteout, file: whiteout }],
    ['whiteouts in the form of attributes', { 'dir/': withXattrWhiteouts, 'dir/one': xattrWhiteout }],
    [
      'a content under the attribute of a whiteout',
      { 'dir/': withXattrWhiteouts, 'dir/one': (path) => xattrWhiteout(path, '!') },
    ],
    ['the attribute of a directory of whiteouts on the root', { '/': withXattrWhiteouts, file: xattrWhiteout }],
    ['a change of type', { dir: 'file', 'file/in': 'side', link: directory }],
    ['marks of an overlay inside', { file: ['content', xattr('trusted.overlay.overlay.opaque', 'y')] }],
  ])('reads %s as the kernel does', (_, delta) => {
    using place = temporaryDirectory();
    const base = plantBase(join(place.path, 'base'));
    const layer = plant(join(place.path, 'delta'), delta);
    for (const [before, after] of [
      [[base], [layer, base]],
      [[layer, base], [base]],
    ] as const) {
      expect(diff(before, after)).toEqual(compareMounts(mountedTree(before), mountedTree(after)));
    }
  });

  it('follows no symbolic link that took the place of a directory', () => {
    using place = temporaryDirectory();
    const base = plant(join(place.path, 'base'), { 'etc/own': '', 'etc/passwd': 'of the base' });
    const linked = plant(join(place.path, 'linked'), { etc: symlinkTo('/etc') });
    const again = plant(join(place.path, 'again'), { 'etc/new': '' });
    expect(diff([base], [linked, base]).map(toLine)).toEqual([
      'modified symlink /etc 0',
      'removed file /etc/own 0',
      'removed file /etc/passwd 0',
    ]);
    expect(diff([linked, base], [again, linked, base]).map(toLine)).toEqual([
      'modified directory /etc 0',
      'added file /etc/new 0',
    ]);
  });

  it('looks only at the paths that are asked for, and at what is below them', () => {
    using place = temporaryDirectory();
    const base = plant(join(place.path, 'base'), { 'etc/a': '1', 'etc/b/c': '1', 'usr/d': '1', 'usr2/e': '1' });
    const delta = plant(join(place.path, 'delta'), {
      'etc/a': '22',
      'etc/b/c': '22',
      'usr/d': '22',
      'usr2/e': '22',
      'new/a': '',
      'new/b/c': '',
    });
    const told = (...paths: string[]) => {
      const options = { paths: paths as BytePath[] };
      const found = runWithoutYielding(gather(diffTrees(files, [base], [delta, base], options))).map(
        ({ path }) => path,
      );
      const listed = new ChangeList(runWithoutYielding(gather(listDifferences(files, [base], [delta, base], options))));
      expect([...listed].map(({ path }) => path)).toEqual(found);
      return found;
    };
    expect(told('etc')).toEqual(['etc/a', 'etc/b/c']);
    expect(told('etc/b/c')).toEqual(['etc/b/c']);
    expect(told('usr', 'etc/a')).toEqual(['etc/a', 'usr/d']);
    expect(told('nowhere', 'etc/a/b')).toEqual([]);
    expect(told('new/b', 'new/c')).toEqual(['new/b', 'new/b/c']);
    expect(told('')).toHaveLength(8);
  });

  it('reads coarsely only what nothing else tells apart, and takes all that differs for modified', () => {
    using place = temporaryDirectory();
    const contents = { same: 'as it was', touched: 'as it was', changed: 'as it was' };
    const base = plant(join(place.path, 'base'), contents);
    const delta = plant(join(place.path, 'delta'), {
      ...contents,
      touched: ['as it was', (path) => touch(path, 2n)],
      changed: 'as it is.',
    });
    const read: string[] = [];
    const watched: Files = {
      ...files,
      sameContent: (a, b) => {
        read.push(`${b}`.replace(/.*\//, ''));
        return files.sameContent(a, b);
      },
    };
    const changes = runWithoutYielding(gather(diffTrees(watched, [base], [delta, base], { skipContent: true })));
    expect(changes.map(toLine)).toEqual(['modified file /changed 9', 'modified file /touched 9']);
    expect(read).toEqual(['changed', 'same']);
    expect(diff([base], [delta, base]).map(toLine)).toEqual(['modified file /changed 9', 'metadata file /touched 0']);
  });

  it('tells no hard link to what is there already, but the new name', () => {
    using place = temporaryDirectory();
    const base = plant(join(place.path, 'base'), { file: 'content' });
    const delta = plant(join(place.path, 'delta'), { file: 'content' });
    linkSync(join(delta, 'file'), join(delta, 'name'));
    expect(diff([base], [delta, base]).map(toLine)).toEqual(['added file /name 7']);
  });

  it('does not take two files of two file systems for one because they have one number', () => {
    using place = temporaryDirectory();
    const [base, delta] = [join(place.path, 'base'), join(place.path, 'delta')];
    for (const [root, content] of Object.entries({ [base]: 'before', [delta]: 'after' })) {
      mkdirSync(root);
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', root]);
      plant(root, { file: content });
    }
    expect(files.stat(join(base, 'file'))?.inode).toBe(files.stat(join(delta, 'file'))?.inode);
    expect(diff([base], [delta, base]).map(toLine)).toEqual(['modified file /file 5']);
  });

  it('works below paths that are too long for the kernel', () => {
    using place = temporaryDirectory();
    const [base, delta] = [join(place.path, 'base'), join(place.path, 'delta')];
    for (const root of [base, delta]) mkdirSync(root);
    digDeep(base, 20, 'echo was > changed; echo > removed');
    digDeep(delta, 20, 'echo now, and longer > changed; echo new > added; mknod removed c 0 0');
    const below = `/${`${LONG_NAME}/`.repeat(20)}`;
    expect(diff([base], [delta, base]).map(toLine)).toEqual([
      `added file ${below}added 4`,
      `modified file ${below}changed 16`,
      `removed file ${below}removed 0`,
    ]);
  });

  it('lists no directory that only shared layers have a part in', () => {
    using place = temporaryDirectory();
    const untouched = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`usr/${i}/file`, '']));
    const base = plant(join(place.path, 'base'), { ...untouched, 'etc/file': 'a' });
    const delta = plant(join(place.path, 'delta'), { 'etc/file': 'b' });
    const { listed, counting } = countLists();
    const changes = runWithoutYielding(gather(diffTrees(counting, [base], [delta, base])));
    expect(changes.map(toLine)).toEqual(['modified file /etc/file 1']);
    expect(listed()).toBe(2);
  });

  it('asks nothing more of what only one tree has, where sizes are not wanted', () => {
    using place = temporaryDirectory();
    const base = plant(join(place.path, 'base'), { 'etc/file': 'a' });
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`etc/new/${i}`, 'content']));
    const delta = plant(join(place.path, 'delta'), { ...many, 'etc/new/null': device(1, 3) });
    const asked: string[] = [];
    const watched: Files = {
      ...files,
      stat: (path) => {
        asked.push(basename(path.toString()));
        return files.stat(path);
      },
    };
    const sized = runWithoutYielding(gather(diffTrees(watched, [base], [delta, base])));
    expect(sized.map(({ size }) => size)).toEqual([0, ...Array(50).fill(7), 0]);
    expect(asked).toContain('49');
    asked.splice(0);
    const parts = runWithoutYielding(gather(listDifferences(watched, [base], [delta, base])));
    const changes = [...new ChangeList(parts)];
    expect(changes.map(toLine)).toEqual(sized.map(({ path, kind, type }) => toLine({ path, kind, type, size: 0 })));
    const names = Array.from({ length: 50 }, (_, i) => `${i}`).sort();
    expect(parts[1]).toEqual({ parent: placeOf('etc/new'), kind: 'added', type: 'file', names });
    expect(parts).toHaveLength(3);
    expect(asked).toContain('null');
    expect(asked).not.toContain('49');
  });

  it('tells very many of one directory some at a time, so that there is room to yieldToEventLoop', () => {
    using place = temporaryDirectory();
    const many = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`new/${i}`, `${i}`]));
    const delta = plant(join(place.path, 'delta'), { ...many, 'new/1x/': directory });
    const parts = runWithoutYielding(gather(listDifferences(files, [], [delta], { sizes: true })));
    expect(parts.map((part) => ('names' in part ? part.names.length : part.path))).toEqual([
      ...['new', 1024, 88, 'new/1x', 1024, 364],
    ]);
    expect(list([], [delta], { sizes: true })).toEqual(diff([], [delta]));
  });

  it.each([
    ['base-missing', 'rootfs'],
    ['store-damaged', 'versions/abcdefghijkl/delta'],
    ['store-damaged', 'versions/abcdefghijkl/keyframe-2'],
  ])('throws %s where %s is not there', (code, name) => {
    using place = temporaryDirectory();
    const base = plant(join(place.path, 'base'), {});
    const missing = join(place.path, name);
    const expected = expect.objectContaining({ code, message: expect.stringContaining(missing) }) as Error;
    expect(() => diff([base], [missing, base])).toThrow(expected);
    expect(() => diff([missing, base], [base])).toThrow(expected);
  });

  it('takes a base that is named by a symbolic link', () => {
    using place = temporaryDirectory();
    plant(place.path, { 'base/file': '', linked: symlinkTo('base') });
    expect(diff([], [join(place.path, 'linked')]).map(toLine)).toEqual(['added file /file 0']);
  });

  it('leaves no directory open, not even where its reader stops early or it fails', () => {
    using stack = stormStack({ seed: 12, deltas: 2, steps: 60 });
    const open = () => files.list('/proc/self/fd').length;
    const before = open();
    for (const _ of diffTrees(files, [], stack.layers)) break;
    expect(() => diff([], [...stack.layers, join(stack.path, 'missing')])).toThrow();
    diff([], stack.layers);
    expect(open()).toBe(before);
  });
});

type Told = Omit<Change, 'place'>;

function diff(before: readonly string[], after: readonly string[]): Told[] {
  const found = runWithoutYielding(gather(diffTrees(files, before, after)));
  return found.map(({ path, kind, type, size }) => ({ path, kind, type, size }));
}

function list(before: readonly string[], after: readonly string[], options: ListOptions = {}): Told[] {
  const found = new ChangeList(runWithoutYielding(gather(listDifferences(files, before, after, options))));
  return [...found].map(({ path, kind, type, size }) => ({ path, kind, type, size }));
}

/** The same from two mounts, read wholly by the tests' own reader. */
function compareMounts(before: Tree, after: Tree): Told[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].map((path) => path.split('/')).sort(compareParts);
  return paths.flatMap((parts): Told[] => {
    const path = parts.join('/') as Change['path'];
    const kind = kindOf(before.get(path), after.get(path));
    if (kind === undefined || (path === '' && before.size === 0)) return [];
    const node = (after.get(path) ?? before.get(path)) as Node;
    return [{ path, kind, type: node.type, size: node.type === 'file' ? (node.size as number) : 0 }];
  });
}

type Node = Tree extends ReadonlyMap<string, infer N> ? N : never;

function kindOf(was: Node | undefined, is: Node | undefined): Change['kind'] | undefined {
  if (was === undefined) return 'added';
  if (is === undefined) return 'removed';
  const content = ({ type, size, sha256, target, device }: Node) => [type, size, sha256, target, device].join();
  if (content(was) !== content(is)) return 'modified';
  const xattrs = (node: Node) => [...node.xattrs].map(([name, value]) => `${name}=${value.toString('hex')}`);
  const rest = (node: Node) =>
    [node.mode, node.uid, node.gid, node.type === 'directory' ? 0 : node.mtimeNs, ...xattrs(node)].join();
  return rest(was) === rest(is) ? undefined : 'metadata';
}

/** A parent stands before what it holds. */
function compareParts(a: readonly string[], b: readonly string[]): number {
  const index = a.findIndex((part, i) => part !== b[i]);
  const [left, right] = index < 0 ? [a.length, b.length] : [a[index] as string, b[index] ?? ''];
  return left < right ? -1 : Number(left > right);
}

/** With the bytes that count: those of what was added or modified. */
function toLine({ kind, type, path, size }: Told): string {
  return `${kind} ${type} /${path} ${kind === 'added' || kind === 'modified' ? size : 0}`;
}

/** One of each type, all of one time. */
function plantBase(root: string): string {
  return plant(root, {
    'dir/below/deep': 'd',
    'dir/one': '1',
    device: device(1, 3),
    fifo,
    file: 'content',
    link: symlinkTo('/nowhere'),
    marked: ['m', xattr('user.a', '1'), xattr('user.\xe9', '2')],
  });
}

function xattr(name: string, value: string): (path: string) => void {
  return (path) => setXattr(Buffer.from(path), name, Buffer.from(value));
}

function touch(path: string, mtimeNs: bigint): void {
  setMtime(Buffer.from(path), mtimeNs);
}

function countLists(): { listed: () => number; counting: Files } {
  let count = 0;
  const counting: Files = {
    ...files,
    listTyped: (path) => {
      count += 1;
      return files.listTyped(path);
    },
  };
  return { listed: () => count, counting };
}
