import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountOverlay, temporaryDirectory } from './overlay.js';
import { OPERATION_NAMES, storm } from './storm.js';
import { compareTrees, expectSameTree, readTree, rootMtime } from './tree.js';

describe('storm', () => {
  it('leaves an overlay that is the same once its upper has become a lower', () => {
    using directory = temporaryDirectory();
    const base = join(directory.path, 'base');
    const delta = join(directory.path, 'version/delta');
    mkdirSync(base);
    storm(base, { seed: 7, steps: 300 });

    const before = readTree(base);
    const written = (() => {
      using overlay = mountOverlay({ lowers: [base], upper: delta });
      storm(overlay.path, { seed: 1, steps: 300 });
      return readTree(overlay.path);
    })();
    using stacked = mountOverlay({ lowers: [delta, base], upper: join(directory.path, 'next/delta') });

    expectSameTree(readTree(stacked.path), written, { ignore: rootMtime });
    expectSameTree(readTree(base), before);
    expect(compareTrees(written, before).length).toBeGreaterThan(100);
  });

  it('does the same for the same seed', () => {
    using a = temporaryDirectory();
    using b = temporaryDirectory();
    expect(storm(a.path, { seed: 3, steps: 300 })).toEqual(storm(b.path, { seed: 3, steps: 300 }));

    const ignore = (_: string, attribute: string) => attribute === 'mtime';
    expectSameTree(readTree(a.path), readTree(b.path), { ignore });
    expect(storm(a.path, { seed: 4, steps: 300 })).not.toEqual(storm(b.path, { seed: 5, steps: 300 }));
  });

  it('knows every operation, and leaves every type of file', () => {
    using directory = temporaryDirectory();
    expect(new Set(storm(directory.path, { seed: 1, steps: 2000 }))).toEqual(new Set(OPERATION_NAMES));

    const types = new Set([...readTree(directory.path, { content: false }).values()].map((node) => node.type));
    expect(types).toEqual(new Set(['file', 'directory', 'symlink', 'fifo', 'socket', 'char', 'block']));
  });
});
