import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import type { HostPath } from '../../src/host/libc.js';
import { type CopiedInode, decodeCopiedInodes, encodeCopiedInodes } from '../../src/layer/copied-inodes.js';
import { type EarlierCopy, LiveCopy } from '../../src/layer/live-copy.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { runWithoutYielding } from '../../src/model/job.js';
import { type Place, PlaceReader } from '../../src/model/place.js';
import { asBytes } from '../support/bytes.js';
import { removeXattr, setMtime, setXattr } from '../support/libc.js';
import { mapFile } from '../support/mapped-file.js';
import { type DisposablePath, mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { device, directory, fifo, linkTo, opaque, plant, symlinkTo, whiteout } from '../support/plant.js';
import { stormStack } from '../support/stack.js';
import { storm } from '../support/storm.js';
import { compareTrees, readTree, type Tree } from '../support/tree.js';
import { until } from '../support/until.js';

/** What overlayfs notes for itself. The marks that mean something to a lower layer are not among them. */
const BOOKKEEPING = /^trusted\.overlay\.(origin|impure|nlink|uuid|upper)$/;
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');
/** Until what was just written counts as older than a copy that begins. */
const SETTLED_MS = 40;

describe('a live copy of a delta that stands still', () => {
  it.each([44, 45])('is that delta bit for bit, the marks of overlayfs included (seed %i)', (seed) => {
    using stack = stormStack({ seed, deltas: 2, steps: 150 });
    const marks = new Set<string>();
    for (const [index, delta] of stack.layers.entries()) {
      const before = readTree(delta);
      for (const node of before.values()) {
        if (node.linkedAs !== undefined) marks.add(node.device === 0n ? 'linked whiteouts' : 'hard link');
        if (node.sparse) marks.add('hole');
        for (const name of node.xattrs.keys()) marks.add(name);
      }
      const to = join(stack.path, `copy-${index}`);
      settle();
      copyLive(delta, to);
      expect(compareTrees(readTree(to), readTree(delta, { omitXattrs: BOOKKEEPING }))).toEqual([]);
      expect(compareTrees(readTree(delta), before)).toEqual([]);
    }
    const wanted = [
      'hard link',
      'hole',
      'linked whiteouts',
      'security.capability',
      'system.posix_acl_access',
      'user.a',
    ];
    expect([...marks]).toEqual(expect.arrayContaining([...wanted, 'trusted.overlay.opaque']));
  });
});

describe('what changes between the two passes', () => {
  /** What is done to a delta as `plantDelta` makes it. */
  const changes: Record<string, (at: (name: string) => string) => void> = {
    'bytes in the same place, with the time of before': (at) => {
      const { mtimeNs } = lstatSync(at('file'), { bigint: true });
      writeFileSync(at('file'), 'CONTENT');
      setMtime(Buffer.from(at('file')), mtimeNs);
    },
    'a file that grew': (at) => writeFileSync(at('dir/sub/leaf'), 'x'.repeat(3_000_000)),
    'a file that shrank': (at) => truncateSync(at('sparse'), 10),
    'a new file': (at) => writeFileSync(at('dir/new'), 'new'),
    'a removed file': (at) => unlinkSync(at('dir/sub/leaf')),
    'a renamed file': (at) => renameSync(at('file'), at('dir/sub/file')),
    'two files that changed names': (at) => swap(at('file'), at('dir/other'), at('tmp')),
    'a new directory, full of things': (at) => {
      plant(at('dir/fresh'), { 'a/b/c': 'deep', fifo, gone: whiteout, 'o/': opaque, link: symlinkTo('/etc') });
    },
    'a removed directory': (at) => rmSync(at('dir'), { recursive: true }),
    'a renamed directory': (at) => renameSync(at('dir'), at('moved')),
    'two directories that changed names': (at) => swap(at('dir'), at('linked'), at('tmp')),
    'a directory that went down into another': (at) => renameSync(at('dir/sub'), at('linked/sub')),
    'a directory that became a file': (at) => replace(at('dir'), (path) => writeFileSync(path, 'file')),
    'a directory that became a symbolic link': (at) => replace(at('dir'), symlinkTo('/etc')),
    'a directory that became a whiteout': (at) => replace(at('dir'), whiteout),
    'a file that became a directory': (at) => replace(at('file'), (path) => plant(path, { inside: 'it' })),
    'a file that became a FIFO': (at) => replace(at('file'), fifo),
    'a file that became a whiteout': (at) => replace(at('file'), whiteout),
    'a whiteout that became a file': (at) => replace(at('gone'), (path) => writeFileSync(path, 'back')),
    'a whiteout that became a device': (at) => replace(at('gone'), device(1, 3)),
    'a symbolic link that leads elsewhere': (at) => replace(at('symlink'), symlinkTo('/elsewhere')),
    'the mode of a file': (at) => chmodSync(at('file'), 0o4711),
    'the mode of a directory': (at) => chmodSync(at('dir'), 0o1770),
    'the time of a directory': (at) => setMtime(Buffer.from(at('dir')), 12_345n),
    'the time of the root': (at) => setMtime(Buffer.from(at('')), 12_345n),
    'an attribute of a file': (at) => setXattr(Buffer.from(at('file')), 'user.a', Buffer.from('other')),
    'an attribute that a file lost': (at) => removeXattr(Buffer.from(at('file')), 'user.a'),
    'a capability that a file lost': (at) => removeXattr(Buffer.from(at('file')), 'security.capability'),
    'an attribute of a directory': (at) => setXattr(Buffer.from(at('dir')), 'user.d', Buffer.from('other')),
    'an attribute that a directory lost': (at) => removeXattr(Buffer.from(at('dir')), 'user.d'),
    'an ACL that a directory lost': (at) => execFileSync('setfacl', ['-b', at('dir')]),
    'a default ACL that a directory lost': (at) => execFileSync('setfacl', ['-k', at('dir')]),
    'an attribute that the root lost': (at) => removeXattr(Buffer.from(at('')), 'user.root'),
    'an opaque directory in the place of another': (at) => replace(at('dir'), opaque),
    'a directory in the place of an opaque one': (at) => replace(at('opaque'), directory),
    'a hard link that was added': (at) => linkSync(at('file'), at('dir/sub/link')),
    'a hard link that was removed': (at) => unlinkSync(at('linked/b')),
    'a hard link that became a copy': (at) => replace(at('linked/b'), (path) => writeFileSync(path, 'linked')),
    'bytes of a file with several names': (at) => writeFileSync(at('linked/b'), 'LINKED'),
    'the name of a directory with a hard link in it': (at) => renameSync(at('linked'), at('0-first')),
    'the later name of a directory with a hard link in it': (at) => renameSync(at('linked'), at('zz-last')),
    'the names of both directories of a hard link': (at) => {
      renameSync(at('linked'), at('zz-last'));
      renameSync(at('links'), at('0-first'));
    },
  };

  it.each(Object.entries(changes))('is taken over: %s', (_, change) => {
    using place = temporaryDirectory();
    const delta = plantDelta(join(place.path, 'delta'));
    const copy = startCopy(delta, join(place.path, 'copy'));
    change((name) => join(delta, name));
    expect(differences(join(place.path, 'copy'), delta)).not.toEqual([]);
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    expectExact(join(place.path, 'copy'), delta);
  });

  it('is taken over, whatever else changes with it', () => {
    using place = temporaryDirectory();
    const all = Object.values(changes);
    for (let first = 0; first < all.length; first += 1) {
      const delta = plantDelta(join(place.path, `delta-${first}`));
      const copy = startCopy(delta, join(place.path, `copy-${first}`));
      for (const step of [0, 7, 17, 29]) {
        try {
          all[(first + step) % all.length]?.((name) => join(delta, name));
        } catch (error) {
          // What one of them took away, another one cannot change.
          expect((error as Error).message).toMatch(/ENOENT|ENOTDIR|ENODATA|EEXIST|ENOTEMPTY|EPERM|EISDIR|setfacl/);
        }
      }
      runWithoutYielding(copy.copyFrozen(machine.clocks()));
      runWithoutYielding(copy.end());
      expectExact(join(place.path, `copy-${first}`), delta);
    }
  });

  it.each([54, 55, 56])('is taken over from a storm in a mounted overlay (seed %i)', (seed) => {
    using place = temporaryDirectory();
    const base = join(place.path, 'base');
    mkdirSync(base);
    storm(base, { seed: seed * 10, steps: 200 });
    const [upper, to] = [join(place.path, 'top/delta'), join(place.path, 'copy')];
    using overlay = mountOverlay({ lowers: [base], upper });
    storm(overlay.path, { seed: seed * 10 + 1, steps: 150 });
    const copy = startCopy(upper, to);
    storm(overlay.path, { seed: seed * 10 + 2, steps: 100 });
    expect(differences(to, upper).length).toBeGreaterThan(20);
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    expectExact(to, upper);
  });
});

describe('a file that is written to through a mapping', () => {
  it('is taken over, though its time does not tell of the last write', () => {
    using place = temporaryDirectory();
    using mapped = mappedFile(place);
    mapped.file.write('before the sync');
    const copy = startCopy(mapped.delta, join(place.path, 'copy'));
    mapped.file.write('after the sync!');
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    expectExact(join(place.path, 'copy'), mapped.delta);
    expect(readFileSync(join(place.path, 'copy/database'), 'latin1').slice(0, 15)).toBe('after the sync!');
  });

  it('is not taken for unchanged by the next copy, in which its time is still the same', () => {
    // Where another process syncs the file system between the two writes, the time tells of the second: then once more.
    for (let tries = 0; !isHiddenWriteFound(); tries += 1) expect(tries).toBeLessThan(100);
  });

  /** @returns false where the time told of the write. */
  function isHiddenWriteFound(): boolean {
    using place = temporaryDirectory();
    using mapped = mappedFile(place);
    const first = startCopy(mapped.delta, join(place.path, 'first'));
    mapped.file.write('while the copy was made');
    runWithoutYielding(first.copyFrozen(machine.clocks()));
    runWithoutYielding(first.end());
    const time = lstatSync(join(mapped.delta, 'database'), { bigint: true }).ctimeNs;
    mapped.file.write('when the copy was made!');
    if (lstatSync(join(mapped.delta, 'database'), { bigint: true }).ctimeNs !== time) return false;

    settle();
    const before = readTree(join(place.path, 'first'));
    const earlier = { delta: join(place.path, 'first'), sources: storedSources(first) };
    copyLive(mapped.delta, join(place.path, 'second'), earlier);
    expectExact(join(place.path, 'second'), mapped.delta);
    expect(compareTrees(readTree(join(place.path, 'first')), before)).toEqual([]);
    return true;
  }

  it('is taken over on a tmpfs, where no write through a mapping changes a time', () => {
    using outer = temporaryDirectory();
    const place = { path: plant(join(outer.path, 'tmpfs'), {}) };
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place.path]);
    using mapped = mappedFile(place);
    const first = startCopy(mapped.delta, join(place.path, 'first'));
    mapped.file.write('between the passes');
    runWithoutYielding(first.copyFrozen(machine.clocks()));
    runWithoutYielding(first.end());
    expectExact(join(place.path, 'first'), mapped.delta);
    mapped.file.write('between the copies');
    settle();
    const earlier = { delta: join(place.path, 'first'), sources: storedSources(first) };
    copyLive(mapped.delta, join(place.path, 'second'), earlier);
    expectExact(join(place.path, 'second'), mapped.delta);
  });
});

describe('a delta that another process changes under the copy', () => {
  it('is copied without a failure, and exactly once it stands still', async () => {
    using place = temporaryDirectory();
    const delta = plantDelta(join(place.path, 'delta'));
    const outside = plant(join(place.path, 'outside'), { secret: 'of the host' });
    using tempest = await startTempest(delta, outside);
    let earlier: EarlierCopy | undefined;
    for (let round = 0; round < 40; round += 1) {
      const to = join(place.path, `copy-${round}`);
      const copy = new LiveCopy(files, delta, to, `${to}-links`, earlier);
      runWithoutYielding(copy.copyRunning(machine.clocks()));
      for (let again = 0; again < round % 3; again += 1) {
        await copy.syncAgain(machine.clocks());
        runWithoutYielding(copy.copyAgain());
      }
      await tempest.halt();
      runWithoutYielding(copy.copyFrozen(machine.clocks()));
      runWithoutYielding(copy.end());
      expectExact(to, delta);
      expect(lstatSync(join(outside, 'secret')).nlink).toBe(1);
      earlier = { delta: to, sources: storedSources(copy) };
      tempest.goOn();
    }
    expect(tempest.isAlive()).toBe(true);
  });
});

describe('another thing that takes the place of what is being copied', () => {
  const BIND = 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die $!';
  const things: Record<string, (outside: string) => (path: string) => void> = {
    'a file with attributes': () => (path) => {
      writeFileSync(path, 'other');
      setXattr(Buffer.from(path), 'user.swapped', Buffer.from('in'));
      execFileSync('setfacl', ['-m', 'u:5:rwx', path]);
      setXattr(Buffer.from(path), 'security.capability', CAPABILITY);
    },
    'a directory with attributes': () => (path) => {
      plant(path, { inside: 'it' });
      setXattr(Buffer.from(path), 'user.swapped', Buffer.from('in'));
      execFileSync('setfacl', ['-m', 'd:u:5:r', path]);
    },
    'a link to a directory': (outside) => symlinkTo(outside),
    'a link to a file': (outside) => symlinkTo(join(outside, 'secret')),
    'a FIFO': () => fifo,
    'a socket': () => (path) => execFileSync('perl', ['-MIO::Socket::UNIX', '-e', BIND, path]),
    'a whiteout': () => whiteout,
    'a device without a driver': () => device(10, 254),
  };

  it.each(Object.keys(things))('at any call leads out of no delta and stops no copy (first it was %s)', (first) => {
    using place = temporaryDirectory();
    const outside = plant(join(place.path, 'outside'), { secret: 'of the host' });
    const secret = readTree(outside).get('secret')?.sha256;
    let count = 0;
    for (const [then, make] of [...Object.entries(things), ['nothing', () => () => {}] as const]) {
      for (let happened = true, call = 0; happened; call += 1) {
        count += 1;
        const [delta, to] = [join(place.path, `${count}/delta`), join(place.path, `${count}/copy`)];
        plant(delta, { victim: things[first]?.(outside) ?? directory });
        const swapped = swapAt(call, () => replace(join(delta, 'victim'), make(outside)));
        const copy = new LiveCopy(swapped.files, delta, to, `${to}-links`, undefined);
        const what = `${then} before call ${call}`;
        expect(() => runWithoutYielding(copy.copyRunning(machine.clocks())), what).not.toThrow();
        expect(
          [...readTree(to).values()].map(({ sha256 }) => sha256),
          what,
        ).not.toContain(secret);
        happened = swapped.stop();
        runWithoutYielding(copy.copyFrozen(machine.clocks()));
        runWithoutYielding(copy.end());
        expect(differences(to, delta), what).toEqual([]);
      }
    }
    expect(count).toBeGreaterThan(3 * Object.keys(things).length);
    expect(lstatSync(join(outside, 'secret')).nlink).toBe(1);
  });

  it('is not opened where it is a FIFO, so that who waits at its other end goes on waiting', async () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { victim: 'file' });
    const victim = join(delta, 'victim');
    let writer: ChildProcess | undefined;
    const swapped = swapAt(1, () => {
      replace(victim, fifo);
      writer = spawn('sh', ['-c', 'echo heard >"$0"', victim], { stdio: 'ignore' });
      // This thread cannot hear from it.
      while (!waitsAtFifo(writer)) wait(1);
    });
    const copy = new LiveCopy(swapped.files, delta, join(place.path, 'copy'), join(place.path, 'links'), undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    const child = writer as ChildProcess;
    expect(waitsAtFifo(child)).toBe(true);
    child.kill('SIGKILL');
  });

  it('may be a name that a directory tells twice', () => {
    using place = temporaryDirectory();
    const delta = plantDelta(join(place.path, 'delta'));
    settle();
    const twice: Files = { ...files, list: (path) => files.list(path).flatMap((name) => [name, name]) };
    copyLive(delta, join(place.path, 'copy'), undefined, twice);
    expectExact(join(place.path, 'copy'), delta);
  });
});

describe('a copy that knows an earlier one', () => {
  it('shares unchanged files with it, and no others', () => {
    using place = temporaryDirectory();
    const delta = plantDelta(join(place.path, 'delta'));
    const [first, second, third] = [0, 1, 2].map((count) => join(place.path, `${count}`)) as [string, string, string];
    const earlier = copyFirst(delta, first);
    writeFileSync(join(delta, 'dir/other'), 'changed');
    chmodSync(join(delta, 'sparse'), 0o600);
    const before = readTree(first);
    settle();
    const sources = copyLive(delta, second, earlier);
    expectExact(second, delta);
    expect(compareTrees(readTree(first), before)).toEqual([]);
    const shared = sharedWith(first, second);
    expect(shared).toEqual(expect.arrayContaining(['dir/sub/leaf', 'file', 'opaque/inside']));
    expect(shared.filter((path) => ['dir/other', 'sparse'].includes(path))).toEqual([]);

    const beforeSecond = readTree(second);
    copyLive(delta, third, { delta: second, sources });
    expectExact(third, delta);
    expect(sharedWith(second, third)).toEqual(expect.arrayContaining(['dir/other', 'dir/sub/leaf', 'file', 'sparse']));
    expect(compareTrees(readTree(second), beforeSecond)).toEqual([]);
  });

  it('reads no file twice, in whatever order the file system tells names', () => {
    using place = temporaryDirectory();
    const names = ['a', 'a!', 'a.b', 'ab', 'b/a', 'b/a.c', 'b.a', 'z/1/2', 'z/1!', 'z!'];
    const delta = plant(join(place.path, 'delta'), Object.fromEntries(names.map((name) => [name, name])));
    const orders: Record<string, (all: BytePath[]) => BytePath[]> = {
      sorted: (all) => all.sort(),
      reversed: (all) => all.sort().reverse(),
    };
    let earlier: EarlierCopy | undefined;
    for (const [order, arrange] of Object.entries(orders)) {
      let copied = 0;
      const copyContent: Files['copyContent'] = (...args) => {
        copied += 1;
        return files.copyContent(...args);
      };
      const by = { ...files, copyContent, list: (path: HostPath) => arrange(files.list(path)) };
      settle();
      const to = join(place.path, order);
      const sources = copyLive(delta, to, earlier, by);
      expect(copied, order).toBe(earlier === undefined ? names.length : 0);
      expectExact(to, delta);
      earlier = { delta: to, sources };
    }
    copyLive(delta, join(place.path, 'last'), earlier, { ...files, list: (path) => files.list(path).sort().reverse() });
    expect(sharedWith(earlier?.delta as string, join(place.path, 'last'))).toHaveLength(names.length);
  });

  it('does not change it, whatever changes in either pass', () => {
    using place = temporaryDirectory();
    const base = join(place.path, 'base');
    mkdirSync(base);
    storm(base, { seed: 610, steps: 200 });
    const upper = join(place.path, 'top/delta');
    using overlay = mountOverlay({ lowers: [base], upper });
    storm(overlay.path, { seed: 611, steps: 150 });
    let earlier: EarlierCopy | undefined;
    const copies = new Map<string, Tree>();
    let shared = 0;
    for (let round = 0; round < 5; round += 1) {
      storm(overlay.path, { seed: 620 + round, steps: 40 });
      const to = join(place.path, `copy-${round}`);
      const copy = startCopy(upper, to, earlier);
      storm(overlay.path, { seed: 630 + round, steps: 40 });
      runWithoutYielding(copy.copyFrozen(machine.clocks()));
      runWithoutYielding(copy.end());
      expectExact(to, upper);
      if (earlier !== undefined) shared += sharedWith(earlier.delta, to).length;
      earlier = { delta: to, sources: storedSources(copy) };
      for (const [path, tree] of copies) expect(compareTrees(readTree(path), tree)).toEqual([]);
      copies.set(to, readTree(to));
    }
    expect(shared).toBeGreaterThan(20);
  });

  it('finds a directory that was away in the moment of the earlier one', () => {
    using place = temporaryDirectory();
    const delta = plantDelta(join(place.path, 'delta'));
    const first = startCopy(delta, join(place.path, 'first'));
    renameSync(join(delta, 'dir'), join(delta, 'away'));
    runWithoutYielding(first.copyFrozen(machine.clocks()));
    runWithoutYielding(first.end());
    renameSync(join(delta, 'away'), join(delta, 'dir'));
    settle();
    copyLive(delta, join(place.path, 'second'), { delta: join(place.path, 'first'), sources: storedSources(first) });
    expectExact(join(place.path, 'second'), delta);
  });

  it('follows no link that stood in the place of a directory in the earlier one', () => {
    using place = temporaryDirectory();
    const outside = plant(join(place.path, 'outside'), { secret: 'of the host' });
    const delta = plant(join(place.path, 'delta'), { 'dir/secret': 'of the container' });
    const first = startCopy(delta, join(place.path, 'first'));
    renameSync(join(delta, 'dir'), join(delta, 'away'));
    symlinkSync(outside, join(delta, 'dir'));
    runWithoutYielding(first.copyFrozen(machine.clocks()));
    runWithoutYielding(first.end());
    unlinkSync(join(delta, 'dir'));
    renameSync(join(delta, 'away'), join(delta, 'dir'));
    settle();
    copyLive(delta, join(place.path, 'second'), { delta: join(place.path, 'first'), sources: storedSources(first) });
    expect(readFileSync(join(place.path, 'second/dir/secret'), 'utf8')).toBe('of the container');
    expect(lstatSync(join(outside, 'secret')).nlink).toBe(1);
  });

  it('follows no link in it, whatever the list of its files says', () => {
    using place = temporaryDirectory();
    const outside = plant(join(place.path, 'outside'), { secret: 'of the host' });
    const delta = plant(join(place.path, 'delta'), { 'dir/secret': 'of the container' });
    const { ino, ctimeNs } = lstatSync(join(delta, 'dir/secret'), { bigint: true });
    const earlier = plant(join(place.path, 'earlier'), { dir: symlinkTo(outside) });
    const secret = new PlaceReader().readPath('dir/secret' as BytePath);
    const sources: [Place, CopiedInode][] = [[secret, { inode: ino, ctimeNs }]];
    settle();
    copyLive(delta, join(place.path, 'copy'), { delta: earlier, sources });
    expectExact(join(place.path, 'copy'), delta);
    expect(lstatSync(join(outside, 'secret')).nlink).toBe(1);
  });

  it.each(['0-first', 'zz-last'])('keeps a hard link whose other directory was renamed to %s since', (name) => {
    using place = temporaryDirectory();
    const delta = plantDelta(join(place.path, 'delta'));
    const earlier = copyFirst(delta, join(place.path, 'first'));
    renameSync(join(delta, 'linked'), join(delta, name));
    settle();
    copyLive(delta, join(place.path, 'second'), earlier);
    expectExact(join(place.path, 'second'), delta);
  });
});

/** A delta with something of everything. */
function plantDelta(path: string): string {
  plant(path, {
    file: ['content', (at) => setXattr(Buffer.from(at), 'user.a', Buffer.from('value'))],
    'dir/other': 'other',
    'dir/sub/leaf': 'leaf',
    sparse: ['data', (at) => truncateSync(at, 1_000_000)],
    symlink: symlinkTo('/nowhere'),
    fifo,
    gone: whiteout,
    'dir/gone': linkTo('../gone'),
    opaque,
    'opaque/inside': 'it',
    'linked/b': 'linked',
    'links/a': linkTo('../linked/b'),
    'links/c': linkTo('../linked/b'),
  });
  setXattr(Buffer.from(join(path, 'file')), 'security.capability', CAPABILITY);
  setXattr(Buffer.from(path), 'user.root', Buffer.from('value'));
  setXattr(Buffer.from(join(path, 'dir')), 'user.d', Buffer.from('value'));
  execFileSync('setfacl', ['-m', 'u:5:rwx,d:u:6:r', join(path, 'dir')]);
  return path;
}

/** True for a process that has opened a FIFO which nobody has open at its other end. */
function waitsAtFifo({ pid }: ChildProcess): boolean {
  return readFileSync(`/proc/${pid}/wchan`, 'latin1') === 'wait_for_partner';
}

function wait(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Waits until what was written counts as older than a copy that begins. */
function settle(): void {
  wait(SETTLED_MS);
}

function startCopy(delta: string, to: string, earlier?: EarlierCopy): LiveCopy {
  settle();
  const copy = new LiveCopy(files, delta, to, `${to}-links`, earlier);
  runWithoutYielding(copy.copyRunning(machine.clocks()));
  return copy;
}

/** Copies a delta that stands still. @returns what the next copy need not read. */
function copyLive(delta: string, to: string, earlier?: EarlierCopy, by: Files = files): EarlierCopy['sources'] {
  const copy = new LiveCopy(by, delta, to, `${to}-links`, earlier);
  runWithoutYielding(copy.copyRunning(machine.clocks()));
  runWithoutYielding(copy.copyFrozen(machine.clocks()));
  runWithoutYielding(copy.end());
  return storedSources(copy);
}

/** What a copy leaves for the next one, as it is stored. */
function storedSources(copy: LiveCopy): [Place, CopiedInode][] {
  return [...decodeCopiedInodes(asBytes(Buffer.concat([...encodeCopiedInodes(copy.trustedSources())])))];
}

function copyFirst(delta: string, to: string): EarlierCopy {
  settle();
  return { delta: to, sources: copyLive(delta, to) };
}

/** A whiteout is as good as any other: when it was made, and which of them are one inode, does not matter. */
function differences(copy: string, delta: string): string[] {
  const expected = readTree(delta, { omitXattrs: BOOKKEEPING });
  const ignore = (path: string, attribute: string) =>
    expected.get(path)?.device === 0n && ['mtime', 'hard link'].includes(attribute);
  return compareTrees(readTree(copy), expected, { ignore });
}

function expectExact(copy: string, delta: string): void {
  expect(differences(copy, delta)).toEqual([]);
}

function replace(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true });
  make(path);
}

function swap(a: string, b: string, spare: string): void {
  renameSync(a, spare);
  renameSync(b, a);
  renameSync(spare, b);
}

/** Paths whose files are the same inode in two trees. */
function sharedWith(a: string, b: string): string[] {
  const [treeA, treeB] = [a, b].map((root) => readTree(root, { content: false })) as [Tree, Tree];
  const inode = (root: string, path: string) => lstatSync(Buffer.from(`${root}/${path}`, 'latin1')).ino;
  return [...treeB.keys()].filter(
    (path) => treeA.get(path)?.type === 'file' && treeB.get(path)?.type === 'file' && inode(a, path) === inode(b, path),
  );
}

/** A file of a mounted overlay that a process has mapped, and has written to. */
function mappedFile(place: Pick<DisposablePath, 'path'>) {
  const base = plant(join(place.path, 'base'), { database: '-'.repeat(8192) });
  const delta = join(place.path, 'top/delta');
  const overlay = mountOverlay({ lowers: [base], upper: delta });
  chmodSync(join(overlay.path, 'database'), 0o600);
  const file = mapFile(join(overlay.path, 'database'));
  file.write('dirty');
  return {
    delta,
    file,
    [Symbol.dispose]() {
      file[Symbol.dispose]();
      overlay[Symbol.dispose]();
    },
  };
}

/** The machine's files, of which one does something just before the n-th call that looks at a path named `victim`. */
function swapAt(at: number, act: () => void): { files: Files; stop: () => boolean } {
  const LOOKING = ['stat', 'openDirectory', 'list', 'readLink', 'xattrNames', 'xattr', 'copyContent'];
  let calls = 0;
  let stopped = false;
  const swapping = new Proxy(files, {
    get(_, name: string) {
      const method = Reflect.get(files, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        // Nothing here depends on it, and it takes most of the time.
        if (name === 'syncFileSystem') return undefined;
        if (!stopped && LOOKING.includes(name) && String(args[0]).endsWith('/victim')) {
          if (calls === at) act();
          calls += 1;
        }
        return method.apply(files, args);
      };
    },
  });
  /** Ends it. @returns whether it happened. */
  const stop = () => {
    stopped = true;
    return calls > at;
  };
  return { files: swapping, stop };
}

/** Changes the tree that it is started in as fast as it can: things of all types, and links that lead out of it. */
const TEMPEST = `
  my ($outside) = @ARGV; srand(7); $SIG{PIPE} = 'IGNORE';
  my @dirs = ('.', 'dir', 'dir/sub', 'd1', 'd1/d2', 'links', 'linked');
  sub path { $dirs[rand @dirs] . '/n' . int(rand 12) }
  $| = 1; print "up\\n";
  while (1) {
    select undef, undef, undef, .0002;
    my ($p, $q, $what) = (path(), path(), int rand 14);
    if ($what < 3) { next if -p $p; if (open my $f, '>', $p) { print $f 'x' x rand 9000; close $f } }
    elsif ($what == 3) { unlink $p }
    elsif ($what == 4) { rename $p, $q }
    elsif ($what == 5) { rename $dirs[1 + rand(@dirs - 1)], $p }
    elsif ($what == 6) { rename $p, $dirs[1 + rand(@dirs - 1)] if -d $p && !-l $p }
    elsif ($what == 7) { unlink $p; symlink $outside, $p }
    elsif ($what == 8) { unlink $p; symlink "$outside/secret", $p }
    elsif ($what == 9) { mkdir $p; mkdir $dirs[rand @dirs] }
    elsif ($what == 10) { unlink $p; link $q, $p }
    elsif ($what == 11) { rmdir $p; system('rm', '-rf', '--', $p) if rand() < .05 }
    elsif ($what == 12) { next if -l $p; chmod 0600 + int(rand 64), $p; utime 1, 2, $p }
    else { my $d = $dirs[1 + rand(@dirs - 1)]; rename $d, "$d.away" and symlink $outside, $d and unlink $d and rename "$d.away", $d }
  }`;

async function startTempest(delta: string, outside: string) {
  const child = spawn('perl', ['-e', TEMPEST, outside], {
    cwd: delta,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  await once(child.stdout, 'data');
  const pid = child.pid as number;
  /** Of it and of the rm that it may have started: a process group of their own. */
  const signal = (name: NodeJS.Signals) => process.kill(-pid, name);
  const states = () => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
    return [`${pid}`, ...children].map(
      (one) => /^\d+ \(.*\) (.)/s.exec(readFileSync(`/proc/${one}/stat`, 'latin1'))?.[1],
    );
  };
  return {
    /** Returns when they stand still: stopped, or at their end. */
    async halt() {
      signal('SIGSTOP');
      await until(() => states().every((state) => state === 'T' || state === 'Z'), true);
    },
    goOn: () => signal('SIGCONT'),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    [Symbol.dispose]() {
      signal('SIGKILL');
    },
  };
}
