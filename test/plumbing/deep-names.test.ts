import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { machine } from '../../src/host/host.js';
import { diffTrees } from '../../src/layer/diff.js';
import { sealDelta } from '../../src/layer/seal.js';
import { countChanges } from '../../src/model/changes.js';
import { runWithoutYielding } from '../../src/model/job.js';
import { compareTrees } from '../../src/plumbing/compare-trees.js';
import type { Context } from '../../src/plumbing/context.js';
import { foldPackages } from '../../src/plumbing/packages.js';
import { diffLines } from '../../src/render/diff.js';
import { statusLines } from '../../src/render/status.js';
import { LONG_NAME } from '../support/deep.js';
import { temporaryDirectory } from '../support/overlay.js';

/** The bytes of all paths that were made. */
const made = vi.hoisted(() => ({ bytes: 0 }));
const counted = vi.hoisted(() => <Args extends unknown[]>(make: (...args: Args) => string) => (...args: Args) => {
  const path = make(...args);
  made.bytes += path.length;
  return path;
});
vi.mock('../../src/model/place.js', async (original) => {
  const place = await original<typeof import('../../src/model/place.js')>();
  return { ...place, pathOf: counted(place.pathOf) };
});
vi.mock('../../src/model/byte-path.js', async (original) => {
  const path = await original<typeof import('../../src/model/byte-path.js')>();
  return { ...path, joinPath: counted(path.joinPath) };
});

const DEPTH = 200;
/** A path for each directory would be a hundred times as much. */
const FEW_BYTES = 2 * DEPTH * LONG_NAME.length;
/** In each a file with bytes that no other has. */
const DIG = `my ($name, $depth) = @ARGV;
  for (1 .. $depth) { mkdir $name; chdir $name or die $!; open my $file, ">", "file" or die $!; print $file "$_ of many" }`;
const context: Context = { host: machine, lxcpath: '/', report: () => undefined };
const STYLE = { human: true, colour: false, width: 80 } as never;

describe(`${DEPTH} directories with long names, each in the one before`, () => {
  it('are compared, counted and shown without a path of each', async () => {
    using room = deepRoom();
    const { before, after } = room;
    expect(await bytesOf(() => runWithoutYielding(countChanges(diffTrees(machine.files, before, after))))).toBe(0);
    let changes = await tell(room);
    for (const paths of [undefined, ['a'], [`a/${LONG_NAME}`, 'b']] as never[]) {
      const bytes = await bytesOf(async () => {
        changes = await tell(room, paths);
      });
      expect(bytes, `${paths}`).toBe(0);
    }
    expect(changes.length).toBeGreaterThan(4 * DEPTH);
    const packages = await foldPackages(context, { layers: before, name: '' }, { layers: after, name: '' }, changes);
    expect(packages).toEqual([]);
    const shown = { container: 'c', repository: 'c', branch: null, version: null, describe: null, state: '' } as never;
    const shows = {
      packages: () => foldPackages(context, { layers: before, name: '' }, { layers: after, name: '' }, changes),
      status: () => [...statusLines({ ...(shown as object), changes, packages } as never, STYLE)],
      summary: () => [...diffLines({ changes, config: { added: [], removed: [] } }, STYLE, 10)],
    };
    for (const [name, show] of Object.entries(shows)) expect(await bytesOf(show), name).toBeLessThan(FEW_BYTES);
  });
});

async function bytesOf(act: () => unknown): Promise<number> {
  made.bytes = 0;
  await act();
  return made.bytes;
}

async function tell({ before, after, listings }: ReturnType<typeof deepRoom>, paths?: never) {
  return await compareTrees(context, before, after, {
    what: '',
    listings,
    detail: 'sizes',
    paths,
  });
}

/** `a` went, with a file in each directory, and `b` came with the same: all of them are sealed. */
function deepRoom() {
  const directory = temporaryDirectory();
  const layers = ['a', 'b'].map((name) => {
    const layer = join(directory.path, name);
    mkdirSync(join(layer, name), { recursive: true });
    execFileSync('perl', ['-e', DIG, LONG_NAME, `${DEPTH}`], { cwd: join(layer, name) });
    const [entries, partial] = [join(directory.path, `${name}-entries`), join(directory.path, `${name}-partial`)];
    runWithoutYielding(
      sealDelta(
        machine.files,
        layer,
        { entries, partial },
        { known: undefined, startThread: machine.startDigestThread },
      ),
    );
    return { layer, entries };
  });
  const [one, other] = layers as [(typeof layers)[0], (typeof layers)[0]];
  return {
    before: [one.layer],
    after: [other.layer],
    listings: new Map(layers.map(({ layer, entries }) => [layer, entries])),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
}
