import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import { encodeDraft, encodeManifest } from '../../src/model/manifest.js';
import type { ContainerName, RepositoryName, VersionId } from '../../src/model/version.js';
import { closeDeltaNow, reopenDelta } from '../../src/store/closed-delta.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import { discardWorking, type Publication, runStep, type Step, type StepHost } from '../../src/store/steps.js';
import { digDeep } from '../support/deep.js';
import { faultyHost } from '../support/faults.js';
import { mountOverlayAt, unmount } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { device, directory, fifo, type Make, plant, symlinkTo, whiteout } from '../support/plant.js';
import { compareTrees, readTree } from '../support/tree.js';
import { exampleDraft, exampleVersion } from '../support/version.js';

const ID = 'abcdefghijkl' as VersionId;
const OTHER_ID = 'bbcdefghijkl' as VersionId;

const PUBLISHED = `${encodeManifest(exampleVersion(1, { changes: { added: 1, modified: 1, removed: 0, bytes: 8 } }))}`;

/** A step, by a function that makes paths absolute. */
type StepAt = (at: (name: string) => string) => Step;

describe('a step', () => {
  it.each<[string, StepAt, Record<string, Make>, string[]]>([
    ['renames', (at) => ({ do: 'rename', from: at('a'), to: at('b') }), { a: 'new', b: 'old' }, ['b: new']],
    ['has renamed', (at) => ({ do: 'rename', from: at('a'), to: at('b') }), { b: 'new' }, ['b: new']],
    [
      'renames a link',
      (at) => ({ do: 'rename', from: at('a'), to: at('b') }),
      { a: symlinkTo('/none') },
      ['b -> /none'],
    ],
    ['unlinks', (at) => ({ do: 'unlink', path: at('a') }), { a: '', b: '' }, ['b: ']],
    ['unlinks a link', (at) => ({ do: 'unlink', path: at('a') }), { a: symlinkTo('b'), b: '' }, ['b: ']],
    ['has unlinked', (at) => ({ do: 'unlink', path: at('a') }), { b: '' }, ['b: ']],
    ['has nothing to unlink below what is gone', (at) => ({ do: 'unlink', path: at('a/b') }), {}, []],
    ['has nothing to unlink below a file', (at) => ({ do: 'unlink', path: at('a/b') }), { a: '' }, ['a: ']],
    ['removes an empty directory', (at) => ({ do: 'rmdir', path: at('a') }), { a: directory }, []],
    ['leaves a directory that is not empty', (at) => ({ do: 'rmdir', path: at('a') }), { 'a/b': '' }, ['a/', 'a/b: ']],
    ['leaves what is no directory', (at) => ({ do: 'rmdir', path: at('a') }), { a: '' }, ['a: ']],
    ['has removed a directory', (at) => ({ do: 'rmdir', path: at('a') }), {}, []],
    ['makes a ref', (at) => ({ do: 'ref', path: at('main'), id: ID }), {}, [`main: ${ID}\n`]],
    ['moves a ref', (at) => ({ do: 'ref', path: at('main'), id: ID }), { main: `${OTHER_ID}\n` }, [`main: ${ID}\n`]],
    ['removes a ref', (at) => ({ do: 'ref', path: at('main'), id: null }), { main: `${ID}\n`, b: '' }, ['b: ']],
    ['has removed a ref', (at) => ({ do: 'ref', path: at('main'), id: null }), { b: '' }, ['b: ']],
    [
      'moves a directory in, and leaves a link to it',
      (at) => ({ do: 'move-in', from: at('old'), to: at('new'), mtimeNs: '1' }),
      { 'old/file': 'here' },
      ['new/', 'new/file: here', 'old -> new'],
    ],
    [
      'moves a directory in that a crash left where it was',
      (at) => ({ do: 'move-in', from: at('old'), to: at('new'), mtimeNs: '1' }),
      { 'old/file': 'here', new: symlinkTo('new') },
      ['new/', 'new/file: here', 'old -> new'],
    ],
    [
      'has moved a directory in',
      (at) => ({ do: 'move-in', from: at('old'), to: at('new'), mtimeNs: '1' }),
      { 'new/file': 'here', old: symlinkTo('new') },
      ['new/', 'new/file: here', 'old -> new'],
    ],
    [
      'has moved a directory in, and removed the link to it',
      (at) => ({ do: 'move-in', from: at('old'), to: at('new'), mtimeNs: '1' }),
      { 'new/file': 'here' },
      ['new/', 'new/file: here'],
    ],
    ['closes a delta', (at) => ({ do: 'close-delta', work: at('work') }), { 'work/work': directory }, ['work: ']],
    [
      'closes a delta that was never mounted',
      (at) => ({ do: 'close-delta', work: at('work') }),
      { work: directory },
      ['work: '],
    ],
    ['closes a delta without a workdir', (at) => ({ do: 'close-delta', work: at('work') }), {}, ['work: ']],
    [
      "closes a delta, and keeps of its workdir what is not overlayfs's scratch",
      (at) => ({ do: 'close-delta', work: at('work') }),
      { 'work/work/#1': 'scratch', 'work/index/1': 'kept' },
      ['work: ', 'work-left/', 'work-left/index/', 'work-left/index/1: kept'],
    ],
    ['has closed a delta', (at) => ({ do: 'close-delta', work: at('work') }), { work: '' }, ['work: ']],
    [
      'removes a copy of every type of file, and nothing that it leads to',
      (at) => ({ do: 'remove-copy', path: at('copy') }),
      {
        'copy/dir/file': '',
        'copy/device': device(1, 3),
        'copy/fifo': fifo,
        'copy/gone': whiteout,
        'copy/link': symlinkTo('../kept'),
        'kept/file': 'kept',
      },
      ['kept/', 'kept/file: kept'],
    ],
    ['has removed a copy', (at) => ({ do: 'remove-copy', path: at('copy') }), {}, []],
    [
      'removes as a copy no link',
      (at) => ({ do: 'remove-copy', path: at('copy') }),
      { 'kept/a': '', copy: symlinkTo('kept') },
      ['copy -> kept', 'kept/', 'kept/a: '],
    ],
    [
      'publishes a version, with what it changes',
      publish,
      { draft: `${encodeDraft(exampleDraft(1))}`, 'base/old': 'old', 'delta/new': 'new', 'delta/old': 'older' },
      ['base/', 'base/old: old', 'delta/', 'delta/new: new', 'delta/old: older', `manifest: ${PUBLISHED}`],
    ],
    [
      'has published a version, and need not read its layers',
      publish,
      { draft: `${encodeDraft(exampleDraft(1))}`, manifest: PUBLISHED },
      [`manifest: ${PUBLISHED}`],
    ],
    [
      'publishes a version with a keyframe, anew where that was begun',
      (at) => ({
        ...(publish(at) as Publication),
        keyframe: { path: at('keyframe-1'), of: [at('delta'), at('older')], below: [at('base')], instead: [] },
      }),
      {
        draft: `${encodeDraft(exampleDraft(1))}`,
        'base/old': 'old',
        'delta/new': 'new',
        'delta/old': 'older',
        'older/new': 'hidden',
        'older/file': '',
        'keyframe-1/half': 'made before a crash',
      },
      [
        ...['base/', 'base/old: old', 'delta/', 'delta/new: new', 'delta/old: older'],
        ...['keyframe-1/', 'keyframe-1/file: ', 'keyframe-1/new: new', 'keyframe-1/old: older'],
        ...[`manifest: ${PUBLISHED}`, 'older/', 'older/file: ', 'older/new: hidden'],
      ],
    ],
    [
      'has published a version with a keyframe',
      (at) => ({
        ...(publish(at) as Publication),
        keyframe: { path: at('keyframe-1'), of: [at('delta')], below: [], instead: [] },
      }),
      { draft: `${encodeDraft(exampleDraft(1))}`, manifest: PUBLISHED, 'keyframe-1/file': 'made' },
      ['keyframe-1/', 'keyframe-1/file: made', `manifest: ${PUBLISHED}`],
    ],
    ['has published a version, and removed the draft', publish, { manifest: PUBLISHED }, [`manifest: ${PUBLISHED}`]],
    ['registers a clone', register('/p\nc\n'), {}, ['clones: /p\nc\n']],
    ['registers a clone behind others', register('/p\nc\n'), { clones: '/p\na\n' }, ['clones: /p\na\n/p\nc\n']],
    ['has registered a clone', register('/p\nc\n'), { clones: '/p\nc\n/p\na\n' }, ['clones: /p\nc\n/p\na\n']],
    [
      'registers a clone though another one ends alike',
      register('/p\nc\n'),
      { clones: '/a/p\nc\n' },
      ['clones: /a/p\nc\n/p\nc\n'],
    ],
    ['takes away a clone', unregister('/p\nc\n'), { clones: '/p\na\n/p\nc\n/p\nb\n' }, ['clones: /p\na\n/p\nb\n']],
    ['takes away the last clone', unregister('/p\nc\n'), { clones: '/p\nc\n' }, []],
    ['has taken away a clone', unregister('/p\nc\n'), { clones: '/p\na\n' }, ['clones: /p\na\n']],
    ['has taken away the last clone', unregister('/p\nc\n'), {}, []],
    [
      'takes away no other clone that ends alike',
      unregister('/p\nc\n'),
      { clones: '/a/p\nc\n' },
      ['clones: /a/p\nc\n'],
    ],
  ])('%s, does no more the second time, and makes up for a crash', async (_, step, before, after) => {
    using place = temporaryDirectory();
    const prepare = (name: string): string => plant(join(place.path, name), before);
    const run = (root: string, host: StepHost = machine) => runStep(host, stepIn(root, step));
    const whole = faultyHost({ kind: 'none' }, -1);
    const once = prepare('once');
    await run(once, whole);
    expect(show(once)).toEqual(after);
    await run(once);
    expect(show(once)).toEqual(after);
    for (const [index, call] of whole.calls.entries()) {
      const root = prepare(`${index}`);
      const kind = /^(create|append) /.test(call) ? 'cut-short' : 'death';
      await expect(run(root, faultyHost({ kind }, index)), call).rejects.toThrow();
      await run(root);
      expect(show(root), `${kind} at ${call}`).toEqual(after);
    }
  });

  it('makes a ref that only root reads, by whatever name a branch can have', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'a'.repeat(255));
    await runStep(machine, { do: 'ref', path, id: ID });
    expect(readFileSync(path, 'utf8')).toBe(`${ID}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('moves a directory in such that its old path leads to what it holds after every call, and keeps its time', async () => {
    using place = temporaryDirectory();
    plant(place.path, { 'old/file': 'here' });
    const seen: string[] = [];
    const look = () => seen.push(readFileSync(join(place.path, 'old/file'), 'utf8'));
    const host = watched(machine, look);
    await runStep(host, { do: 'move-in', from: join(place.path, 'old'), to: join(place.path, 'new'), mtimeNs: '1' });
    expect(lstatSync(join(place.path, 'new'), { bigint: true }).mtimeNs).toBe(1n);
    look();
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen)).toEqual(new Set(['here']));
  });

  it('closes a delta such that the kernel mounts nothing that writes to it', async () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    for (const name of ['lower', 'delta', 'work', 'merged']) mkdirSync(at(name));
    const options = `lowerdir=${at('lower')},upperdir=${at('delta')},workdir=${at('work')}`;
    const mount = () => mountOverlayAt(Buffer.from(at('merged')), Buffer.from(options));
    mount();
    writeFileSync(join(at('merged'), 'file'), '');
    unmount(Buffer.from(at('merged')));
    await runStep(machine, { do: 'close-delta', work: at('work') });
    expect(mount).toThrow(expect.objectContaining({ syscall: 'mount' }));
    expect(readdirSync(at('delta'))).toEqual(['file']);
  });

  it('removes a copy of hard links, and changes no original', async () => {
    using place = temporaryDirectory();
    plant(place.path, { 'original/file': 'content', copy: directory });
    linkSync(join(place.path, 'original/file'), join(place.path, 'copy/file'));
    const before = readTree(join(place.path, 'original'));
    await runStep(machine, { do: 'remove-copy', path: join(place.path, 'copy') });
    expect(compareTrees(readTree(join(place.path, 'original')), before)).toEqual([]);
    expect(lstatSync(join(place.path, 'original/file')).nlink).toBe(1);
  });

  it('removes a copy below paths that are too long for the kernel', async () => {
    using place = temporaryDirectory();
    mkdirSync(join(place.path, 'copy'));
    digDeep(join(place.path, 'copy'), 20, 'echo > file');
    await runStep(machine, { do: 'remove-copy', path: join(place.path, 'copy') });
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('has nothing to thaw where there is no such container', async () => {
    using place = temporaryDirectory();
    const step: Step = { do: 'thaw', lxcpath: place.path, container: 'missing' as ContainerName };
    await expect(runStep(machine, step)).resolves.toBeUndefined();
  });

  it('throws what it cannot do', async () => {
    using place = temporaryDirectory();
    plant(place.path, { 'full/file': '' });
    const step: Step = { do: 'unlink', path: join(place.path, 'full') };
    await expect(runStep(machine, step)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(show(place.path)).toEqual(['full/', 'full/file: ']);
  });
});

describe('reopenDelta', () => {
  it.each([
    ['an empty one', { 'work/work': directory }, ['work/']],
    ['one with scratch files', { 'work/work/#1': 'scratch' }, ['work/', 'work/work/', 'work/work/#1: scratch']],
    ['one that was closed in part', {}, ['work/']],
  ])('undoes that a delta was closed: %s', (_, before, after) => {
    using place = temporaryDirectory();
    plant(place.path, before);
    if (Object.keys(before).length > 0) {
      closeDeltaNow(machine.files, join(place.path, 'work'));
      expect(statSync(join(place.path, 'work')).isFile()).toBe(true);
    }
    for (const times of ['once', 'twice']) {
      reopenDelta(machine.files, join(place.path, 'work'));
      expect(show(place.path), times).toEqual(after);
    }
  });
});

describe('discardWorking', () => {
  it('takes away a working delta in which nothing was written', async () => {
    using place = temporaryDirectory();
    const version = new RepositoryLayout(place.path, 'mysql' as RepositoryName).version(ID);
    plant(version.root, { delta: directory, 'work/work': directory, 'working.json': '{}' });
    for (const times of ['once', 'twice']) {
      for (const step of discardWorking(version)) await runStep(machine, step);
      expect(readdirSync(join(place.path, 'mysql/versions')), times).toEqual([]);
    }
  });

  it('keeps what was written, and gives up the record alone', async () => {
    using place = temporaryDirectory();
    const version = new RepositoryLayout(place.path, 'mysql' as RepositoryName).version(ID);
    plant(version.root, { 'delta/file': 'kept', 'work/work': directory, 'working.json': '{}' });
    for (const step of discardWorking(version)) await runStep(machine, step);
    expect(show(version.root)).toEqual(['delta/', 'delta/file: kept']);
  });
});

function stepIn(root: string, step: StepAt): Step {
  return step((name) => join(root, name));
}

function register(entry: string): StepAt {
  return (at) => ({ do: 'register', path: at('clones'), entry });
}

function publish(at: (name: string) => string): Step {
  const before = [at('base')];
  return { do: 'publish', draft: at('draft'), manifest: at('manifest'), before, after: [at('delta'), ...before] };
}

function unregister(entry: string): StepAt {
  return (at) => ({ do: 'unregister', path: at('clones'), entry });
}

/** What a directory holds, a line a path. */
function show(root: string): string[] {
  return [...readTree(root)].slice(1).map(([path, node]) => {
    if (node.type === 'directory') return `${path}/`;
    const at = join(root, path);
    return node.type === 'symlink'
      ? `${path} -> ${readlinkSync(at)}`.replaceAll(`${root}/`, '')
      : `${path}: ${readFileSync(at)}`;
  });
}

/** Calls `act` before every call to the machine's files. */
function watched(host: StepHost, act: () => void): StepHost {
  const get = (target: Files, name: keyof Files) => {
    act();
    return target[name];
  };
  return { ...host, files: new Proxy(host.files, { get }) };
}
