import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { mounts } from '../../src/host/mounts.js';
import { type DisposablePath, mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';

describe('uppersInUse', () => {
  it.each(['delta', 'with blank', 'comma,comma', 'colon:colon', 'back\\slash', 'tab\tand\nline', 'ümläut', '\\054'])(
    'names the upper directory of an overlay: %j',
    (name) => {
      using place = temporaryDirectory();
      const [lower, upper] = [plant(join(place.path, 'lower'), {}), join(place.path, 'version', name)];
      expect(mounts.uppersInUse()).not.toContain(upper);
      {
        using _ = mountOverlay({ lowers: [lower], upper });
        expect(mounts.uppersInUse()).toContain(upper);
      }
      expect(mounts.uppersInUse()).not.toContain(upper);
    },
  );

  it('names none of an overlay that is only read', () => {
    using place = temporaryDirectory();
    plant(place.path, { file: '' });
    using overlay = mountOverlay({ lowers: [place.path] });
    expect(readdirSync(overlay.path)).toEqual(['file']);
    const places = [place.path, dirname(overlay.path)];
    expect([...mounts.uppersInUse()].filter((upper) => places.some((path) => upper.startsWith(path)))).toEqual([]);
  });

  it('sees an overlay that only another mount namespace has', async () => {
    using place = temporaryDirectory();
    const upper = join(place.path, 'version/delta');
    for (const name of ['lower', 'merged', 'version/delta', 'version/work']) {
      mkdirSync(join(place.path, name), { recursive: true });
    }
    const script = `cd "$1" && mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/version/delta,workdir=$1/version/work" merged &&
      echo mounted && exec sleep 1000`;
    const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', place.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(upper);
    expect(mounts.uppersInUse()).toContain(upper);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect(mounts.uppersInUse()).not.toContain(upper);
  });
});

// These come last: from then on this process is in a mount namespace of its own.
describe('mountPrivately', () => {
  it('mounts what this process and its children see, and nobody else', () => {
    using place = temporaryDirectory();
    const lowers = layers(place);
    const before = readdirSync(join(place.path));
    using mount = mounts.mountPrivately(`lowerdir=${lowers.join(':')}`);
    expect(readFileSync(join(mount.path, 'file'), 'utf8')).toBe('top');
    expect(execFileSync('cat', [join(mount.path, 'file')], { encoding: 'utf8' })).toBe('top');
    expect(() => mkdirSync(join(mount.path, 'new'))).toThrow(expect.objectContaining({ code: 'EROFS' }));
    expect(readFileSync(`/proc/${process.ppid}/mountinfo`, 'utf8')).not.toContain(mount.path);
    expect(readdirSync(place.path)).toEqual(before);
  });

  it('leaves nothing behind', () => {
    using place = temporaryDirectory();
    const mount = mounts.mountPrivately(`lowerdir=${layers(place).join(':')}`);
    mount[Symbol.dispose]();
    expect(existsSync(mount.path)).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(mount.path);
  });

  it('leaves nothing behind where it fails', () => {
    using place = temporaryDirectory();
    vi.stubEnv('TMPDIR', place.path);
    expect(() => mounts.mountPrivately('lowerdir=/nowhere:/nowhere')).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'mount' }),
    );
    expect(readdirSync(place.path)).toEqual([]);
    vi.unstubAllEnvs();
  });
});

function layers(place: DisposablePath): string[] {
  const top = plant(join(place.path, 'top'), { file: 'top' });
  return [top, plant(join(place.path, 'bottom'), { file: 'bottom' })];
}
