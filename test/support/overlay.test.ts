import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { mountOverlay, temporaryDirectory } from './overlay.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('mountOverlay', () => {
  it('shows the lowers, top first, under what is written into the upper', () => {
    using directory = temporaryDirectory();
    const [top, bottom, upper] = layers(directory.path, 'top', 'bottom', 'delta/upper');
    writeFileSync(join(bottom, 'hidden'), 'bottom');
    writeFileSync(join(bottom, 'below'), 'bottom');
    writeFileSync(join(top, 'hidden'), 'top');
    {
      using overlay = mountOverlay({ lowers: [top, bottom], upper });
      expect(readFileSync(join(overlay.path, 'hidden'), 'utf8')).toBe('top');
      expect(readFileSync(join(overlay.path, 'below'), 'utf8')).toBe('bottom');
      writeFileSync(join(overlay.path, 'written'), '');
    }
    expect(readdirSync(upper)).toEqual(['written']);
    expect(existsSync(join(directory.path, 'delta/work'))).toBe(true);
  });

  it('mounts a single lower read-only where there is no upper', () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'file'), '');
    using overlay = mountOverlay({ lowers: [directory.path] });
    expect(readdirSync(overlay.path)).toEqual(['file']);
    expect(() => writeFileSync(join(overlay.path, 'written'), '')).toThrow(/EROFS/);
  });

  it('takes layers whose names mean something to the kernel', () => {
    using directory = temporaryDirectory();
    const [lower, upper] = layers(directory.path, 'a:b,c\\d', 'e:f,g\\h/upper');
    writeFileSync(join(lower, 'file'), '');
    using overlay = mountOverlay({ lowers: [lower], upper });
    writeFileSync(join(overlay.path, 'written'), '');
    expect(readdirSync(overlay.path)).toEqual(['file', 'written']);
    expect(readdirSync(upper)).toEqual(['written']);
  });

  it('leaves nothing behind', () => {
    using directory = temporaryDirectory();
    vi.stubEnv('LXCV_TEST_DIR', directory.path);
    mountOverlay({ lowers: ['/etc'] })[Symbol.dispose]();
    expect(() => mountOverlay({ lowers: [join(directory.path, 'missing')] })).toThrow(/ENOENT: mount/);
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('refuses options that the kernel would cut off', () => {
    const lowers = Array.from({ length: 500 }, (_, i) => `/lower${i}`);
    expect(() => mountOverlay({ lowers })).toThrow(/do not fit in a page/);
  });
});

describe('temporaryDirectory', () => {
  it('unmounts what is mounted below it, and removes none of that', () => {
    using directory = temporaryDirectory();
    const [lower] = layers(directory.path, 'lower');
    writeFileSync(join(lower, 'keep'), '');

    const inner = temporaryDirectory();
    vi.stubEnv('LXCV_TEST_DIR', inner.path);
    mountOverlay({ lowers: [lower], upper: join(directory.path, 'delta/upper') });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(inner.path);
    inner[Symbol.dispose]();

    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(inner.path);
    expect(existsSync(inner.path)).toBe(false);
    expect(readdirSync(lower)).toEqual(['keep']);
  });
});

function layers<Names extends string[]>(directory: string, ...names: Names): Names {
  const paths = names.map((name) => join(directory, name));
  for (const path of paths) mkdirSync(path, { recursive: true });
  return paths as Names;
}
