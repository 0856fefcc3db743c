/** What can be looked at: a version, what a container holds now, or the base under it. */

import { unlessGone } from '../host/files.js';
import { findPath } from '../layer/find-path.js';
import { findNear } from '../layer/near-path.js';
import { type BytePath, tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { parseRevision, type Revision } from '../model/revision.js';
import type { Version } from '../model/version.js';
import { deltaOf } from '../store/layout.js';
import { tellChangedBases } from './changed-bases.js';
import { consistently } from './consistently.js';
import { resolveRevision } from './find-revision.js';
import { checkUnedited, layersOfVersion, layersToRead } from './layers.js';
import { type Found, findByName, type Repository } from './lookup.js';
import type { World } from './world.js';

/** The listings of the deltas that operands stand on, be they sealed or not. */
export function listingsOf(...operands: readonly Pick<Operand, 'repository' | 'version'>[]): Map<string, string> {
  return new Map(
    operands.flatMap(({ repository: { layout }, version }) =>
      (version?.chain ?? []).flatMap((layer): [string, string][] => {
        const id = deltaOf(layer);
        return id === undefined ? [] : [[layout.layer(layer), layout.version(id).entries]];
      }),
    ),
  );
}

/** Says which of the paths that were asked for are in none of the trees: nothing could be told of them. */
export function tellMissing(
  world: World,
  paths: readonly BytePath[],
  operands: readonly Pick<Operand, 'name' | 'layers'>[],
): void {
  const { files } = world.host;
  for (const path of paths) {
    const isThere = operands.some(({ layers }) => {
      using found = findPath(files, layers, path);
      return found !== undefined;
    });
    if (isThere) continue;
    const where = [...new Set(operands.map(({ name }) => name))].join(' or ');
    const near = operands.map(({ layers }) => unlessGone(undefined, () => findNear(files, layers, path)));
    const meant = near.findLast((each) => each?.meant !== undefined)?.meant;
    const guess = meant === undefined ? '' : `; did you mean ${tellPath(meant)}?`;
    world.report({ kind: 'notice', message: `there is no ${tellPath(path)} in ${where}${guess}` });
  }
}

export interface Operand {
  /** `work` may change while it is looked at, where the container runs. */
  readonly kind: 'version' | 'work' | 'base';
  /** What to call it: `mysql@2`, `mysql@WORK`, `mysql@BASE`. */
  readonly name: string;
  readonly repository: Repository;
  /** The layers of its tree, top first; none are an empty tree. */
  readonly layers: readonly string[];
  /** The version that it is, or that the container came from. */
  readonly version: Version | undefined;
  /** The LXC config of that time, whole; undefined for a base. */
  readonly config: Buffer | undefined;
}

/**
 * Finds what a revision names: a version or, behind `@WORK`, what the container holds now, or, behind `@BASE`, what lies under
 * all versions, outside the store.
 * @throws LxcvError `bad-revision`, `revision-not-found`, `container-edited` and those of `findByName`.
 */
export function findOperand(world: World, text: string | Revision): Operand {
  const revision = typeof text === 'string' ? parseRevision(text) : text;
  const found = findByName(world, revision.name);
  const { start, steps } = revision.point;
  if (start !== 'WORK' && start !== 'BASE') return versionOperand(world, found, resolveRevision(found, revision));
  if (steps.length > 0) throw stepsFromNowhere(revision);
  return start === 'WORK' ? workOperand(world, found, revision) : baseOperand(world, found, revision);
}

/**
 * Both sides of a comparison, as one reading found them. What they stand on does not change any more, so that what is then made of them
 * need not begin again where another lxcv commits meanwhile.
 */
export function findOperands(world: World, from: string, to: string): Promise<readonly [Operand, Operand]> {
  return consistently(world, (reading) => [findOperand(reading, from), findOperand(reading, to)] as const);
}

function versionOperand(world: World, { repository }: Found, version: Version): Operand {
  tellChangedBases(world, version.bases);
  return {
    kind: 'version',
    name: `${repository.name}@${version.number}`,
    repository,
    layers: layersOfVersion(repository.layout, version),
    version,
    config: world.host.files.read(repository.layout.version(version.id).config),
  };
}

function workOperand(world: World, { repository, container, head }: Found, { name, text }: Revision): Operand {
  if (container === undefined) {
    throw new LxcvError(
      'revision-not-found',
      `${text} names nothing: ${name} is no container, so it holds nothing now`,
      'lxcv list shows the containers.',
    );
  }
  checkUnedited(container);
  tellChangedBases(world, container.versioned.working.bases);
  return {
    kind: 'work',
    name: `${name}@WORK`,
    repository,
    layers: layersToRead(world, container.versioned),
    version: head === undefined ? undefined : repository.history.get(head),
    config: container.configBytes,
  };
}

function baseOperand(world: World, found: Found, revision: Revision): Operand {
  const head = resolveRevision(found, { ...revision, point: { start: 'HEAD', steps: [] } });
  tellChangedBases(world, head.bases);
  return {
    kind: 'base',
    name: `${revision.name}@BASE`,
    repository: found.repository,
    layers: head.bases.map((base) => base.path),
    version: undefined,
    config: undefined,
  };
}

function stepsFromNowhere({ text, point, name }: Revision): LxcvError {
  return new LxcvError(
    'bad-revision',
    `${text} names no version: ${point.start} is none, and has no ancestors`,
    `Count from a version: ${name}~1 is the one before HEAD.`,
  );
}
