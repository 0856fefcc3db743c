/**
 * Materialises a version as a container that was not there. Its directory is made under another name, which is none of a
 * container, and its commit point is the rename that gives it its own: not where another program has taken that meanwhile.
 */

import { isErrno } from '../host/host.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { type LxcConfig, ownValue, parseLxcConfig } from '../model/lxc-config.js';
import { newHwaddr, rewriteForClone } from '../model/lxc-config-clone.js';
import { checkHostName } from '../model/names.js';
import type { CheckoutOutcome } from '../model/results.js';
import type { ContainerName, Layer, Version } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import type { FoundRevision } from '../plumbing/find-revision.js';
import { checkBases, checkLayers } from '../plumbing/layers.js';
import { readRepository, refsAt } from '../plumbing/lookup.js';
import { checkSpace } from '../plumbing/space.js';
import {
  copyPrivateFiles,
  privateFilesOf,
  removePrivateFiles,
  stackConfig,
  stageWorking,
} from '../plumbing/staging.js';
import { lowersOf } from '../store/containers.js';
import type { RepositoryLayout } from '../store/layout.js';
import { ContainerLayout, stagedContainer } from '../store/lxc-layout.js';
import { discardWorking, type Step } from '../store/steps.js';
import { lockRepository } from '../store/store.js';
import { transact } from '../store/transaction.js';
import type { Working } from '../store/working.js';
import { branchOfNew } from './checkout-branch.js';
import type { CheckoutRequest } from './checkout-request.js';

/** The mode that LXC gives to a container's directory. */
const DIRECTORY_MODE = 0o770;
const CONFIG_MODE = 0o640;

export async function checkoutNew(
  context: Context,
  request: CheckoutRequest,
  { version, repository: { name } }: FoundRevision,
  container: ContainerName,
): Promise<CheckoutOutcome> {
  if (version.container !== container) checkHostName(container);
  using layout = await lockRepository(context.host, context.lxcpath, name, `checkout ${container}`);
  const repository = readRepository(context, layout);
  const branch = branchOfNew(context, request, repository, version, container);
  checkLayers(context, layout, version);
  const bases = checkBases(context, version.bases, request.acceptBase);
  const target = new ContainerLayout(context.lxcpath, container);
  if (context.host.files.stat(target.root) !== undefined) throw directoryTaken(target);
  checkSpace(context, `the checkout of ${container}`);
  const working: Working = { container, branch, parents: [version.id], lowers: [...version.chain], bases };
  try {
    await materialise(context, layout, version, target, working);
  } catch (error) {
    throw isErrno(error, 'EEXIST') ? directoryTaken(target) : error;
  }
  const refs = refsAt(readRepository(context, layout), version.id);
  return { container, repository: name, version, refs, branch, saved: undefined, setAside: undefined };
}

async function materialise(
  context: Context,
  repository: RepositoryLayout,
  version: Version,
  target: ContainerLayout,
  working: Working,
): Promise<void> {
  const { files } = context.host;
  const source = repository.version(version.id);
  const former = new ContainerLayout(target.lxcpath, version.container);
  const config = parseLxcConfig(files.read(source.config));
  const privates = privateFilesOf(config, former);
  const layout = repository.version(newId(context.host.randomBytes));
  const staged = stagedContainer(target.lxcpath, layout.id);
  const cloned = cloneConfig(context, config, former, target);
  const options = ownValue(config, 'lxc.rootfs.options');
  const place = { repository, container: target.name, layout };
  const stacked = stackConfig(cloned, options, place, lowersOf(repository, target.name, working));
  const { branch } = working;
  await transact(context.host, repository.operations, {
    operation: layout.id,
    time: context.host.now().toISOString(),
    command: 'checkout',
    subject: target.name,
    point: { from: staged, to: target.root },
    stage: () => {
      files.mkdir(staged, DIRECTORY_MODE);
      files.chmod(staged, DIRECTORY_MODE);
      copyPrivateFiles(context, privates, source.files, staged);
      stageWorking(context, repository, layout, working, repository.layer(version.chain[0] as Layer));
      files.create(`${staged}/config`, stacked, CONFIG_MODE);
    },
    forward: branch === null ? [] : [{ do: 'ref', path: repository.branch(branch), id: version.id }],
    back: [
      ...discardWorking(layout),
      { do: 'unlink', path: `${staged}/config` },
      ...removePrivateFiles(privates, staged),
      { do: 'rmdir', path: staged } satisfies Step,
    ],
  });
}

/** The config of a clone; a container that gets its own name back keeps its addresses and its host name. */
function cloneConfig(context: Context, config: LxcConfig, former: ContainerLayout, target: ContainerLayout): LxcConfig {
  if (former.name === target.name) return config;
  return rewriteForClone(config, {
    oldDirectory: former.root,
    newDirectory: target.root,
    newName: target.name,
    newHwaddr: () => newHwaddr(context.host.randomBytes),
  });
}

function directoryTaken(target: ContainerLayout): LxcvError {
  return new LxcvError(
    'container-exists',
    `${target.root} is there already, though it is no container`,
    'Choose another name, or see what is in that directory and move it away.',
  );
}
