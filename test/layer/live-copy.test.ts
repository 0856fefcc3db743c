import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, renameSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import type { HostPath } from '../../src/host/libc.js';
import { mergeLayers } from '../../src/layer/keyframe.js';
import { type EarlierCopy, LiveCopy } from '../../src/layer/live-copy.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { runWithoutYielding } from '../../src/model/job.js';
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
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
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
        runWithoutYielding(copy.copyRunning(machine.clocks()));
        storm(overlay.path, { seed: seed * 100 + round, steps: 15 });
        runWithoutYielding(copy.copyFrozen(machine.clocks()));
        runWithoutYielding(copy.end());
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
      runWithoutYielding(copy.copyRunning(machine.clocks()));
      expect(changes).toBeGreaterThan(30);
      restless.stop();
      runWithoutYielding(copy.copyFrozen(machine.clocks()));
      runWithoutYielding(copy.end());
      expectSameLayer(delta, upper);
    },
  );

  it('reads again, while all stands still, only what changed or was too young to be sure of', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), Object.fromEntries(names(30).map((name) => [name, 'content'])));
    letTimePass();
    writeFileSync(join(delta, 'young'), 'young');
    const read: string[] = [];
    const copy = new LiveCopy(noting(read), delta, join(place.path, 'copy'), join(place.path, 'links'), undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    expect(read.splice(0).sort()).toEqual([...names(30), 'young'].sort());
    writeFileSync(join(delta, 'file-7'), 'changed');
    writeFileSync(join(delta, 'new'), 'new');
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
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

  it('catches up while all goes on, so that little is left for the frozen pass', async () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), Object.fromEntries(names(30).map((name) => [name, 'content'])));
    writeFileSync(join(delta, 'large'), randomBytes(3 << 20));
    letTimePass();
    const read: string[] = [];
    const to = join(place.path, 'copy');
    const copy = new LiveCopy(noting(read), delta, to, `${to}-links`, undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    read.length = 0;
    letTimePass();
    for (const name of ['file-7', 'file-8']) writeFileSync(join(delta, name), 'changed');
    plant(delta, { 'new/file': 'new' });
    rmSync(join(delta, 'file-1'));
    writeFileSync(join(delta, 'large'), 'changed', { flag: 'r+' });
    const before = files.stat(join(to, 'large'))?.inode;
    letTimePass();
    await copy.syncAgain(machine.clocks());
    runWithoutYielding(copy.copyAgain());
    expect(read.splice(0).sort()).toEqual(['file', 'file-7', 'file-8', 'large, what differs']);
    expect(copy.recopied.bytes).toBeGreaterThanOrEqual(3 << 20);
    expect(copy.recopied.largest.map(({ place: { name } }) => name)[0]).toBe('large');
    expect(files.stat(join(to, 'large'))?.inode).toBe(before);
    writeFileSync(join(delta, 'file-9'), 'changed');
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    expect(read).toEqual(['file-9']);
    expectSameLayer(to, delta);
  });

  it.each(['ext4', 'btrfs'] as const)(
    'writes to no file of an earlier copy, whatever of a large one changed (%s)',
    (kind) => {
      using disk = kind === 'ext4' ? temporaryDirectory() : mountDisk(kind);
      const delta = plant(join(disk.path, 'delta'), {});
      const large = join(delta, 'large');
      writeFileSync(large, randomBytes(3 << 20));
      letTimePass();
      const first = liveCopy(delta, join(disk.path, 'first'));
      const before = readTree(first.delta);
      const changes = [
        () => writeFileSync(large, 'in the middle', { flag: 'r+' }),
        () => writeFileSync(large, randomBytes(100), { flag: 'a' }),
        () => truncateSync(large, 2_500_001),
        () => writeFileSync(large, randomBytes(5 << 20)),
        () => truncateSync(large, 7 << 20),
        () => truncateSync(large, 0),
      ];
      const to = join(disk.path, 'second');
      const copy = new LiveCopy(files, delta, to, `${to}-links`, first);
      runWithoutYielding(copy.copyRunning(machine.clocks()));
      for (const change of changes) {
        change();
        files.syncFileSystem(delta);
        runWithoutYielding(copy.copyFrozen(machine.clocks()));
        expectSameLayer(to, delta);
        expect(compareTrees(readTree(first.delta), before)).toEqual([]);
      }
      runWithoutYielding(copy.end());
    },
  );

  it.each([
    ['ext4', ['A', 'S', 'd', 'Ad'], ['D', 'A']],
    ['btrfs', ['C', 'm', 'c', 'A'], ['C', 'c']],
    ['xfs', ['A', 'S', 'd'], ['A']],
  ] as const)('keeps the flags of chattr, in its passes and in a keyframe (%s)', (kind, ofFiles, ofDirectories) => {
    using disk = mountDisk(kind);
    const delta = plant(join(disk.path, 'delta'), {});
    for (const flags of ofFiles) {
      writeFileSync(join(delta, flags), '');
      execFileSync('chattr', [`+${flags}`, join(delta, flags)]);
      writeFileSync(join(delta, flags), `content of ${flags}`);
    }
    for (const flags of ofDirectories) {
      mkdirSync(join(delta, `dir-${flags}`));
      execFileSync('chattr', [`+${flags}`, join(delta, `dir-${flags}`)]);
      writeFileSync(join(delta, `dir-${flags}/inside`), 'content');
    }
    const to = join(disk.path, 'copy');
    // What is made in it inherits its flags: a copy has none that its original has not.
    execFileSync('chattr', ['+A', disk.path]);
    const copy = new LiveCopy(files, delta, to, `${to}-links`, undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    expect(flagsIn(to)).toEqual(flagsIn(delta));
    execFileSync('chattr', ['+A', join(delta, `dir-${ofDirectories[0]}/inside`)]);
    execFileSync('chattr', [`-${ofFiles[0]}`, join(delta, ofFiles[0])]);
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    expect(flagsIn(to)).toEqual(flagsIn(delta));
    expectSameLayer(to, delta);
    runWithoutYielding(mergeLayers(files, [to], [], join(disk.path, 'keyframe')));
    expect(flagsIn(join(disk.path, 'keyframe'))).toEqual(flagsIn(delta));
  });

  it('keeps the projects of files and directories, for quotas, in its passes', () => {
    using disk = mountDisk('xfs');
    const delta = plant(join(disk.path, 'delta'), { 'own/file': 'a', 'own/dir/file': 'b', other: 'c', none: 'd' });
    const at = (path: string) => join(delta, path);
    const chattr = (...args: string[]) => execFileSync('chattr', args);
    chattr('-R', '-p', '7', at('own'));
    chattr('-p', '9', at('other'));
    linkSync(at('other'), at('own/other'));
    chattr('+P', at('own'));
    const to = join(disk.path, 'copy');
    const copy = new LiveCopy(files, delta, to, `${to}-links`, undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    expect(projectsIn(to)).toEqual(projectsIn(delta));
    chattr('-P', at('own'));
    linkSync(at('other'), at('own/dir/other'));
    writeFileSync(at('own/other'), 'changed');
    chattr('-p', '8', at('own'), at('own/file'));
    chattr('+P', at('own'));
    chattr('+P', at('own/dir'));
    chattr('-p', '5', at('none'));
    runWithoutYielding(copy.copyFrozen(machine.clocks()));
    runWithoutYielding(copy.end());
    const projects = projectsIn(delta);
    expect(projects).toMatchObject({ own: '8 P', 'own/file': '8', 'own/dir/other': '9', 'own/dir': '7 P', none: '5' });
    expect(projectsIn(to)).toEqual(projects);
    expectSameLayer(to, delta);
  });

  it.each(['i', 'a'])('refuses the flag %s, which no copy can have', (flag) => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), { 'dir/file': 'content' });
    execFileSync('chattr', [`+${flag}`, join(delta, 'dir/file')]);
    try {
      expect(() => liveCopy(delta, join(place.path, 'copy'))).toThrow(
        expect.objectContaining({
          code: 'delta-not-keepable',
          message: `/dir/file has the attribute ${flag} of chattr, which no copy of it can have`,
        }),
      );
    } finally {
      execFileSync('chattr', [`-${flag}`, join(delta, 'dir/file')]);
    }
  });

  it('ends where it is told to, in the middle of a file', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), {});
    writeFileSync(join(delta, 'large'), randomBytes(8 << 20));
    const to = join(place.path, 'copy');
    const copy = new LiveCopy(files, delta, to, `${to}-links`, undefined);
    runWithoutYielding(copy.copyRunning(machine.clocks()));
    writeFileSync(join(delta, 'large'), randomBytes(8 << 20));
    let ticks = 0;
    const tick = () => {
      ticks += 1;
      if (ticks === 4) throw new Error('enough');
    };
    expect(() => runWithoutYielding(copy.copyFrozen(machine.clocks(), tick))).toThrow('enough');
    expect(ticks).toBe(4);
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

/** Files that note the names of those whose bytes are read. */
function noting(read: string[]): Files {
  const nameOf = (path: HostPath) => String(path).split('/').at(-1) as string;
  return {
    ...files,
    copyContent: (from, to, tick) => {
      read.push(nameOf(from));
      return files.copyContent(from, to, tick);
    },
    updateContent: (from, to, tick) => {
      read.push(`${nameOf(from)}, what differs`);
      return files.updateContent(from, to, tick);
    },
  };
}

/** The flags that lsattr(1) tells, by path; whether a directory has an index is the file system's own. */
/** Of each path its project, and whether it hands that on. */
function projectsIn(root: string): Record<string, string> {
  const said = execFileSync('lsattr', ['-pRa', '.'], { cwd: root, encoding: 'utf8' });
  const lines = [...said.matchAll(/^ *(\d+) (\S+) \.\/(.+)$/gm)].filter(
    ([, , , path]) => !/(^|\/)\.\.?$/.test(path as string),
  );
  return Object.fromEntries(
    lines.map(([, project, flags, path]) => [path, flags?.includes('P') ? `${project} P` : project]),
  );
}

function flagsIn(directory: string): string[] {
  const lines = execFileSync('lsattr', ['-aR', '.'], { cwd: directory, encoding: 'utf8' }).split('\n');
  return lines
    .filter((line) => /^\S+ \.\//.test(line) && !line.endsWith('/..'))
    .map((line) => line.replace(/^\S+/, (flags) => flags.replace(/[eI]/g, '-')))
    .sort();
}

/** A whole copy, of what does not change meanwhile. */
function liveCopy(from: string, to: string, earlier?: EarlierCopy): EarlierCopy {
  const copy = new LiveCopy(files, from, to, `${to}-links`, earlier);
  runWithoutYielding(copy.copyRunning(machine.clocks()));
  runWithoutYielding(copy.copyFrozen(machine.clocks()));
  runWithoutYielding(copy.end());
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
