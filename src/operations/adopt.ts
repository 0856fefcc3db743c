/**
 * Adopts a stopped container that lxcv does not know: what it holds becomes a first version, moved and not copied. An overlay
 * container keeps its lower directories as bases outside the store; of a plain one the root file system itself is the version.
 */

import { basename, dirname } from 'node:path';
import type { Files, Stat } from '../host/files.js';
import { fingerprint } from '../layer/base.js';
import { newId } from '../model/ids.js';
import type { Base, ContainerName, Version } from '../model/version.js';
import { freeBranchName } from '../plumbing/branch-names.js';
import type { Context } from '../plumbing/context.js';
import type { DeltaMove } from '../plumbing/delta-move.js';
import { checkUnmounted } from '../plumbing/hold.js';
import type { Repository } from '../plumbing/lookup.js';
import { removeTrial, tryMove } from '../plumbing/root-move.js';
import { checkUnused } from '../plumbing/root-use.js';
import { switchUpper } from '../plumbing/switch-upper.js';
import { draftVersion } from '../plumbing/version-draft.js';
import type { Container } from '../store/containers.js';
import { type RepositoryLayout, scratchOf, type VersionLayout } from '../store/layout.js';
import { clonesIn } from '../store/lxc-layout.js';
import { runStep, type Step } from '../store/steps.js';
import { type Adoptable, checkAdoptable } from './adoption-check.js';
import type { CommitOrder } from './commit-request.js';

export async function adopt(
  context: Context,
  repository: Repository,
  container: Container,
  request: CommitOrder,
  hold: Disposable,
): Promise<Version> {
  const origin = await checkAdoptable(context, container, 'stopped');
  const { files } = context.host;
  const layout = repository.layout.version(newId(context.host.randomBytes));
  const bases = origin.lowers.map((path): Base => ({ path, fingerprint: fingerprint(files, path) as string }));
  const branch = freeBranchName(repository, container.name);
  const draft = draftVersion(context, repository, {
    id: layout.id,
    container: container.name,
    branch,
    parents: [],
    chain: [layout.deltaLayer],
    bases,
    message: request.message,
    author: await request.author,
  });
  const made = await switchUpper(context, {
    command: 'commit',
    container,
    repository: repository.layout,
    currentDelta: {
      kind: 'version',
      draft,
      keyframe: undefined,
      before: origin.lowers,
      after: [layout.delta, ...origin.lowers],
      move: planMove(context, container, origin, repository.layout, layout),
    },
    next: { container: container.name, branch, parents: [draft.id], lowers: [layout.deltaLayer], bases },
    rootAttributesFrom: origin.delta,
    refs: new Map([[branch, draft.id]]),
    hold,
  });
  reportUnprotected(context, container.name, bases);
  return made;
}

/** Reports bases that another container can still change: its first commit protects them. */
function reportUnprotected(
  { host: { files }, lxcpath, report }: Context,
  own: ContainerName,
  bases: readonly Base[],
): void {
  for (const { path } of bases) {
    const owner = dirname(path);
    const isOthers = dirname(owner) === lxcpath && basename(owner) !== own;
    const isContainers = isOthers && files.stat(`${owner}/config`) !== undefined;
    if (!isContainers || files.stat(path)?.type !== 'directory') continue;
    report({
      kind: 'notice',
      message: `its versions stand on ${path}, which ${basename(owner)} can change; to protect it: lxcv commit ${basename(owner)}`,
    });
  }
}

function planMove(
  context: Context,
  container: Container,
  origin: Adoptable,
  repository: RepositoryLayout,
  layout: VersionLayout,
): DeltaMove {
  const { host } = context;
  const registrations = origin.lowers.flatMap((lower) => registration(host.files, lower, repository));
  return {
    from: origin.delta,
    mtimeNs: (host.files.stat(origin.delta) as Stat).mtimeNs,
    stage: async () => {
      for (const step of registrations) await runStep(host, { do: 'register', ...step });
      host.files.mkdir(layout.root, 0o700);
      tryMove(host.files, origin.delta, layout);
    },
    verifyAfterSwap: () => {
      checkUnmounted(context, container);
      checkUnused(context, container, origin.delta);
    },
    moved: leaveOldPlace(host.files, container, origin),
    back: [
      ...removeTrial(origin.delta, layout),
      { do: 'rmdir', path: layout.root },
      ...registrations.map((step): Step => ({ do: 'unregister', ...step })),
    ],
  };
}

/** The steps that remove what the move leaves at the old place, but for the link where other containers' mounts may name it. */
function leaveOldPlace(files: Files, container: Container, { delta, lowers, isLower }: Adoptable): Step[] {
  if (lowers.length === 0) {
    const isClones = isLower || files.stat(container.layout.clones) !== undefined;
    return isClones ? [] : [{ do: 'unlink', path: delta }];
  }
  const parent = dirname(delta);
  const own = basename(parent) === 'overlay' && dirname(parent) === container.layout.root ? [parent] : [];
  const directories = [`${parent}/work`, ...own];
  // Where it is a link, what that leads to may be anybody's.
  const hasWork = files.stat(`${parent}/work`)?.type === 'directory';
  return [
    { do: 'unlink', path: delta },
    ...(hasWork ? [{ do: 'remove-copy', path: scratchOf(`${parent}/work`) } satisfies Step] : []),
    ...directories.map((path): Step => ({ do: 'rmdir', path })),
  ];
}

/** The entry of the repository in LXC's list of clones of the container that a base is the root file system of, unless it is there. */
function registration(files: Files, base: string, repository: RepositoryLayout): { path: string; entry: string }[] {
  const owner = dirname(base);
  if (files.stat(`${owner}/config`) === undefined) return [];
  const path = clonesIn(owner);
  const entry = `${repository.storeRoot}\n${repository.name}\n`;
  const isListed = `\n${files.readIfPresent(path)?.toString('utf8') ?? ''}`.includes(`\n${entry}`);
  return isListed ? [] : [{ path, entry }];
}
