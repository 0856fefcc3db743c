import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mounts } from '../../src/host/mounts.js';
import { tryLock } from '../../src/host/native.js';
import { askUppers } from '../../src/host/overlay-trial.js';
import { mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { directory, plant } from '../support/plant.js';
import { until } from '../support/until.js';

describe('uppersInUse', () => {
  it.each(['delta', 'with blank', 'comma,comma', 'colon:colon', 'back\\slash', 'tab\tand\nline', 'ümläut', '\\054'])(
    'knows the upper directory of an overlay: %j',
    (name) => {
      using place = temporaryDirectory();
      const [lower, upper] = [plant(join(place.path, 'lower'), {}), join(place.path, 'version', name)];
      const isInUse = () => mounts.isUpperInUse(upper, place.path);
      expect(isInUse()).toBe(false);
      {
        using _ = mountOverlay({ lowers: [lower], upper });
        expect(isInUse()).toBe(true);
      }
      expect(isInUse()).toBe(false);
      expect(readdirSync(place.path).sort()).toEqual(['lower', 'version']);
    },
  );

  it.each(['delta', 'with blank'])('finds those in use among many, and no lower directory: %s', (name) => {
    using place = temporaryDirectory();
    const many = Array.from({ length: 500 }, (_, index) => plant(join(place.path, `${index}`, name), {}));
    using _first = mountOverlay({ lowers: [many[50] as string], upper: many[7] as string });
    using _second = mountOverlay({ lowers: [many[50] as string], upper: many[8] as string });
    using _third = mountOverlay({ lowers: [many[51] as string, many[50] as string] });
    expect([...mounts.uppersInUse(many, place.path)].sort()).toEqual([many[7], many[8]]);
  });

  it('sees an overlay that only another mount namespace has, by whatever name, until its last trace is gone', async () => {
    using place = temporaryDirectory();
    const upper = join(place.path, 'version/delta');
    for (const name of ['lower', 'merged', 'version/delta', 'version/work', 'other']) {
      mkdirSync(join(place.path, name), { recursive: true });
    }
    const script = `cd "$1" && mount --bind version other &&
      mount -t overlay overlay -o lowerdir=lower,upperdir=other/delta,workdir=other/work merged &&
      exec 3<merged && umount -l merged && echo mounted && exec sleep 1000`;
    const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', place.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(mounts.isUpperInUse(upper, place.path)).toBe(true);
    expect(mounts.isUpperInUse(join(place.path, 'lower'), place.path)).toBe(false);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await until(() => mounts.isUpperInUse(upper, place.path), false);
  });

  it('knows an upper directory of two overlays when one of them has gone, and the mark of the kernel with it', () => {
    using place = temporaryDirectory();
    const [lower, upper] = [plant(join(place.path, 'lower'), {}), join(place.path, 'version/delta')];
    const first = mountOverlay({ lowers: [lower], upper });
    using _ = mountOverlay({ lowers: [lower], upper, work: join(place.path, 'work') });
    first[Symbol.dispose]();
    expect(mounts.isUpperInUse(upper, place.path)).toBe(true);
  });

  it('is not misled by an overlay that a stranger mounts with the same text', async () => {
    using place = temporaryDirectory();
    const upper = plant(join(place.path, 'version/delta'), {});
    const script = `mount -t tmpfs none "$1" && mkdir -p "$1/lower" "$1/merged" "$1/version/delta" "$1/version/work" &&
      mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/version/delta,workdir=$1/version/work" "$1/merged" &&
      echo mounted && exec sleep 1000`;
    const child = spawn('unshare', ['-Urm', 'sh', '-c', script, 'sh', place.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8')).toContain(`upperdir=${upper}`);
    expect(mounts.isUpperInUse(upper, place.path)).toBe(false);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });

  it('takes no answer of the kernel for one where that does without an index', () => {
    using place = temporaryDirectory();
    const [lower, upper] = [
      plant(join(place.path, 'lower'), { 'directory/file': '' }),
      join(place.path, 'version/delta'),
    ];
    // An overlay has no file handles, which an index is made of.
    using overlay = mountOverlay({ lowers: [lower], upper });
    const [without, within] = [join(overlay.path, 'directory'), join(lower, 'directory')];
    expect([...askUppers([without], place.path)]).toEqual([]);
    expect([...askUppers([within], place.path)]).toEqual([[within, false]]);
  });

  it('clears away what a trial that was killed has left, and nothing of one that lives', () => {
    using place = temporaryDirectory();
    plant(place.path, { '.trial-left/1/work': directory, '.trial-lives/0': directory });
    const fd = openSync(join(place.path, '.trial-lives'), 'r');
    expect(tryLock(fd)).toBe(true);
    expect(mounts.tryUpper(place.path)).toBeUndefined();
    expect(readdirSync(place.path)).toEqual(['.trial-lives']);
    closeSync(fd);
  });
});

describe('tryUpper', () => {
  it('tells a file system that can hold upper directories from one that cannot', () => {
    using place = temporaryDirectory();
    expect(mounts.tryUpper(place.path)).toBeUndefined();
    const [lower, upper] = [plant(join(place.path, 'lower'), {}), join(place.path, 'version/delta')];
    using overlay = mountOverlay({ lowers: [lower], upper });
    expect(mounts.tryUpper(overlay.path)).toBe('EINVAL');
    expect(mounts.tryUpper('/proc')).toMatch(/^E/);
    expect([place.path, upper].map((path) => readdirSync(path).filter((name) => name.startsWith('.')))).toEqual([
      [],
      [],
    ]);
  });
});
