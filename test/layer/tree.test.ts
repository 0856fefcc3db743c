import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { type Lookup, TreeDirectory } from '../../src/layer/tree.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import {
  device,
  directory,
  type Make,
  opaque,
  plant,
  symlinkTo,
  whiteout,
  withXattrWhiteouts,
  xattrWhiteout,
} from '../support/plant.js';

describe('TreeDirectory', () => {
  it.each<[string, Record<string, Make>, Record<string, Make>, unknown]>([
    ['nothing', {}, {}, { kind: 'absent' }],
    ['a file of the lower layer', {}, { name: '' }, { kind: 'entry', from: 'lower', layers: [], opaque: true }],
    ['a file of both', { name: '' }, { name: '' }, { kind: 'entry', from: 'upper', layers: [], opaque: true }],
    ['a whiteout', { name: whiteout }, { name: '' }, { kind: 'whiteout', from: 'upper' }],
    ['a whiteout of the lower layer', {}, { name: whiteout }, { kind: 'whiteout', from: 'lower' }],
    [
      'another device than that of a whiteout',
      { name: device(0, 1) },
      {},
      { kind: 'entry', from: 'upper', layers: [], opaque: true },
    ],
    [
      'a directory that lets through what lies below the stack',
      {},
      { name: directory },
      { kind: 'entry', from: 'lower', layers: ['lower'], opaque: false },
    ],
    [
      'a directory that both have a part in',
      { name: directory },
      { name: directory },
      { kind: 'entry', from: 'upper', layers: ['upper', 'lower'], opaque: false },
    ],
    [
      'an opaque directory',
      { name: opaque },
      { name: directory },
      { kind: 'entry', from: 'upper', layers: ['upper'], opaque: true },
    ],
    [
      'a directory over an opaque one',
      { name: directory },
      { name: opaque },
      { kind: 'entry', from: 'upper', layers: ['upper', 'lower'], opaque: true },
    ],
    [
      'a directory over a file',
      { name: directory },
      { name: '' },
      { kind: 'entry', from: 'upper', layers: ['upper'], opaque: true },
    ],
    [
      'a directory over a whiteout',
      { name: directory },
      { name: whiteout },
      { kind: 'entry', from: 'upper', layers: ['upper'], opaque: true },
    ],
    [
      'a symbolic link over a directory',
      { name: symlinkTo('/etc') },
      { name: directory },
      { kind: 'entry', from: 'upper', layers: [], opaque: true },
    ],
    [
      'a file that stands for a whiteout where files may',
      { '/': withXattrWhiteouts, name: xattrWhiteout },
      { name: '' },
      { kind: 'whiteout', from: 'upper' },
    ],
    [
      'a file that would stand for a whiteout elsewhere',
      { name: xattrWhiteout },
      {},
      { kind: 'entry', from: 'upper', layers: [], opaque: true },
    ],
    [
      'a file that has the attribute of a whiteout, but a content as well',
      { '/': withXattrWhiteouts, name: (path) => xattrWhiteout(path, 'content') },
      {},
      { kind: 'entry', from: 'upper', layers: [], opaque: true },
    ],
  ])('finds %s', (_, upper, lower, expected) => {
    using place = temporaryDirectory();
    using root = open(place, { upper, lower });
    expect(describeLookup(place, root.lookup('name' as BytePath))).toEqual(expected);
  });

  it('opens of a directory the parts that show, and names what is in them', () => {
    using place = temporaryDirectory();
    using root = open(place, {
      top: { 'dir/a': '' },
      hidden: {},
      middle: { 'dir/': opaque, 'dir/b': whiteout },
      bottom: { 'dir/c': '' },
    });
    const found = root.lookup('dir' as BytePath) as Extract<Lookup, { kind: 'entry' }>;
    using dir = root.openChild('dir' as BytePath, found.layers);
    expect(dir.layers).toEqual([join(place.path, 'top'), join(place.path, 'middle')]);
    expect([...dir.names()].sort()).toEqual(['a', 'b']);
    expect([...dir.names(1)]).toEqual(['a']);
    expect(dir.entry('a' as BytePath)?.stat.type).toBe('file');
    expect(dir.entry('b' as BytePath)).toBeUndefined();
  });

  it('knows of what went since a directory was listed that it was there, and no more', () => {
    using place = temporaryDirectory();
    using root = open(place, { layer: { file: '' } });
    expect([...root.names()]).toEqual(['file']);
    files.unlink(join(place.path, 'layer/file'));
    const entry = root.entry('file' as BytePath);
    expect(entry?.type).toBe('file');
    expect(() => entry?.stat).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(root.entry('other' as BytePath)).toBeUndefined();
  });

  it('is itself what its topmost part is', () => {
    using place = temporaryDirectory();
    using root = open(place, { upper: {}, lower: {} });
    files.chmod(join(place.path, 'upper'), 0o1711);
    expect(root.self().stat).toMatchObject({ type: 'directory', mode: 0o1711 });
  });

  it('reads the directory that it opened, whatever takes its place', () => {
    using place = temporaryDirectory();
    using root = open(place, { layer: { 'dir/inside': '' } });
    using dir = root.openChild('dir' as BytePath, root.layers);
    files.rename(join(place.path, 'layer/dir'), join(place.path, 'layer/moved'));
    files.symlink('/etc', join(place.path, 'layer/dir'));
    expect([...dir.names()]).toEqual(['inside']);
    using instead = root.openChild('dir' as BytePath, root.layers);
    expect([...instead.names()]).toEqual([]);
  });

  it('leaves nothing open where a layer cannot be opened', () => {
    using place = temporaryDirectory();
    const layer = plant(join(place.path, 'layer'), {});
    const before = files.list('/proc/self/fd').length;
    for (const missing of [join(place.path, 'missing'), join(plant(join(place.path, 'd'), { file: '' }), 'file')]) {
      expect(() => TreeDirectory.openRoot(files, [layer, missing])).toThrow(
        expect.objectContaining({ name: 'LxcvError' }),
      );
    }
    expect(files.list('/proc/self/fd').length).toBe(before);
  });
});

/** The tree of these layers, top first. */
function open(place: DisposablePath, layers: Record<string, Record<string, Make>>): TreeDirectory {
  return TreeDirectory.openRoot(
    files,
    Object.entries(layers).map(([name, entries]) => plant(join(place.path, name), entries)),
  );
}

/** A lookup with layers by their names; `from` is the one that the entry is of. */
function describeLookup(place: DisposablePath, lookup: Lookup): unknown {
  if (lookup.kind === 'absent') return lookup;
  const { inode } = lookup.entry.stat;
  const from = ['upper', 'lower'].find((layer) => files.stat(join(place.path, layer, 'name'))?.inode === inode);
  if (lookup.kind === 'whiteout') return { kind: lookup.kind, from };
  const layers = lookup.layers.map((layer) => layer.slice(place.path.length + 1));
  return { kind: lookup.kind, from, layers, opaque: lookup.opaque };
}
