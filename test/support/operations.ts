/** Everything that the engine does, with a state to do it in. */

import type { Engine } from '../../src/engine.js';
import type { BranchName, ContainerName, TagName } from '../../src/model/version.js';
import { C, COMMIT, type Operation } from './struck.js';

const CHECKOUT = { detach: false, restart: false, acceptBase: false };
const TAG = { name: C, tag: 'good' as TagName, revision: 'mysql@0', message: 'it works', author: COMMIT.author };
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'adopting an overlay container': {
    verb: 'commit',
    prepare: async (place) => place.makeOverlay(),
    args: [COMMIT],
  },
  'adopting a dir container': {
    verb: 'commit',
    prepare: async (place) => place.makeDirectory(),
    args: [COMMIT],
  },
  'adopting a running container': {
    verb: 'commit',
    // Of a plain root file system each start changes the time of `/`.
    prepare: async (place) => place.makeOverlay(),
    args: [{ ...COMMIT, restart: true }],
    running: true,
    only: /restarting|^(start|stop|exchange)/,
  },
  'committing a stopped container': {
    verb: 'commit',
    prepare: (place) => place.makeHistory(2),
    args: [COMMIT],
  },
  'committing with a keyframe': {
    verb: 'commit',
    prepare: (place) => place.makeHistory(3),
    args: [COMMIT],
  },
  'committing a running container': {
    verb: 'commit',
    prepare: (place) => place.makeHistory(2),
    args: [COMMIT],
    running: true,
  },
  'checking out a new container': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2),
    args: [{ ...CHECKOUT, revision: 'mysql@0', container: 'mysql_tmp' as ContainerName }],
  },
  'switching in place with work to keep': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2),
    args: [{ ...CHECKOUT, revision: 'mysql@0' }],
  },
  'switching in place with nothing to keep': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2, { dirty: false }),
    args: [{ ...CHECKOUT, revision: 'mysql@0' }],
  },
  'switching in place with what cannot be kept': {
    verb: 'checkout',
    prepare: async (place) => {
      await place.makeHistory(2);
      place.makeUnkeepable();
    },
    args: [{ ...CHECKOUT, revision: 'mysql@0' }],
  },
  'switching a running container in place': {
    verb: 'checkout',
    prepare: (place) => place.makeHistory(2),
    args: [{ ...CHECKOUT, revision: 'mysql@0', restart: true }],
    running: true,
  },
  'creating a branch': {
    verb: 'createBranch',
    prepare: (place) => place.makeHistory(2),
    args: [C, 'tuning' as BranchName, 'mysql@0'],
  },
  'renaming a branch': {
    verb: 'renameBranch',
    prepare: (place) => place.makeHistory(2),
    args: [C, 'mysql' as BranchName, 'main' as BranchName],
  },
  'deleting a branch': {
    verb: 'deleteBranch',
    prepare: async (place) => {
      await place.makeHistory(2);
      await (await place.engine()).createBranch(C, 'tuning' as BranchName, 'mysql@0');
    },
    args: [C, 'tuning' as BranchName, true],
  },
  'creating a tag': {
    verb: 'createTag',
    prepare: (place) => place.makeHistory(2),
    args: [TAG],
  },
  'deleting a tag': {
    verb: 'deleteTag',
    prepare: async (place) => {
      await place.makeHistory(2);
      await (await place.engine()).createTag(TAG);
    },
    args: [C, TAG.tag],
  },
  'sealing versions': {
    verb: 'seal',
    prepare: (place) => place.makeHistory(2),
    args: [C],
  },
};

/** The verbs of the engine that change no repository and no container; what is neither here nor above has no test yet. */
export const READING: readonly (keyof Engine)[] = [
  'blame',
  'diff',
  'dropMessage',
  'exportVersion',
  'fsck',
  'grep',
  'keepMessage',
  'list',
  'notStarted',
  'listBranches',
  'listTags',
  'log',
  'mountVersion',
  'names',
  'patch',
  'showPath',
  'showVersion',
  'status',
  'statusOfAll',
  'unmountVersion',
];
