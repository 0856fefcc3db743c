/** Records of the store, and what LXC has beside them, that are not what they must be. */

import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toFailure } from '../../src/cli/failure.js';
import { type Engine, openEngine } from '../../src/engine.js';
import { type Host, machine } from '../../src/host/host.js';
import { LxcvError } from '../../src/model/errors.js';
import type { BranchName, ContainerName, RepositoryName, TagName, VersionId } from '../../src/model/version.js';
import { RepositoryLayout, storeFile, storeRoot } from '../../src/store/layout.js';
import { ContainerLayout } from '../../src/store/lxc-layout.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { device, fifo, symlinkTo } from '../support/plant.js';
import { populate } from '../support/populous.js';

const KINDS: Readonly<Record<string, (path: string) => void>> = {
  'a directory': (path) => mkdirSync(path),
  'a FIFO': fifo,
  'a device': device(1, 5),
  garbage: (path) => writeFileSync(path, '\0\xff{"no": JSON\n\n', { mode: 0o600 }),
  'an empty file': (path) => writeFileSync(path, '', { mode: 0o600 }),
  'a dangling link': symlinkTo('/none'),
  'far too large': tooLarge,
};

function tooLarge(path: string): void {
  writeFileSync(path, '', { mode: 0o600 });
  truncateSync(path, 20 * 1024 ** 3);
}

const C = 'c0' as ContainerName;
const VERSION = 'v00000000001' as VersionId;

function pathsOf(lxcpath: string): Record<string, string> {
  const repository = new RepositoryLayout(storeRoot(machine.files, lxcpath), 'r0' as RepositoryName);
  const version = repository.version(VERSION);
  const working = repository.version('w00000000000' as VersionId);
  const container = new ContainerLayout(lxcpath, C);
  return {
    'store.json': storeFile(repository.storeRoot),
    ...Object.fromEntries(
      (
        [
          'root',
          'lock',
          'sealLock',
          'operations',
          'graph',
          'summaries',
          'versions',
          'branches',
          'tags',
          'guards',
          'restarting',
          'empty',
          'asides',
        ] as const
      ).map((name) => [name, repository[name]]),
    ),
    branch: repository.branch('main' as BranchName),
    tag: repository.tag('t' as TagName),
    guard: repository.guard(C),
    restart: repository.restart(C),
    aside: repository.aside(VERSION),
    ...Object.fromEntries(
      (
        [
          'root',
          'manifest',
          'stagedManifest',
          'config',
          'files',
          'sources',
          'entries',
          'partialEntries',
          'delta',
          'work',
          'links',
          'freezeMark',
        ] as const
      ).map((name) => [`version ${name}`, version[name]]),
    ),
    ...Object.fromEntries(
      (['root', 'working', 'delta', 'work'] as const).map((name) => [`working delta ${name}`, working[name]]),
    ),
    ...Object.fromEntries(
      (['root', 'config', 'stagedConfig', 'finalConfig', 'clones'] as const).map((name) => [
        `container ${name}`,
        container[name],
      ]),
    ),
  };
}

type Outcome = readonly Error[];

/** How one looks, and what is told beside what is found. */
const LOOKS: Readonly<Record<string, (engine: Engine) => Promise<Outcome>>> = {
  list: async (engine) => {
    const { troubles, notStarted } = await engine.list();
    return [
      ...troubles.map(({ error }) => error),
      ...notStarted.map(({ reason }) => new LxcvError('failed', reason, '')),
    ];
  },
  log: async (engine) => nothing(await engine.log({ revision: 'r0', all: true })),
  'log of a container': async (engine) => nothing(await engine.log({ revision: C, all: false })),
  status: async (engine) => nothing([...(await engine.status(C)).changes]),
  'status --all': async (engine) => (await engine.statusOfAll()).troubles.map(({ error }) => error),
  branch: async (engine) => nothing(await engine.listBranches(C)),
  tag: async (engine) => nothing(await engine.listTags(C)),
  show: async (engine) => nothing(await engine.showVersion('c0@1')),
  fsck: async (engine) =>
    (await engine.fsck(undefined)).map(
      ({ where, message, hint }) => new LxcvError('store-damaged', `${where}: ${message}`, hint),
    ),
};
const ALL = new Set(['list', 'status --all', 'fsck']);

function nothing(_: unknown): Outcome {
  return [];
}

/** Where nothing need be told: what is so anyway, what is made again, and what only a digest could tell. */
const HARMLESS: readonly (readonly [kinds: RegExp, names: RegExp])[] = [
  [
    /a directory/,
    /^(branches|tags|guard|restarting|empty|asides)$|^version (files|delta)$|^working delta (delta|work)$/,
  ],
  [/garbage|empty/, /^(lock|sealLock|operations|graph|summaries)$|^version (config|sources|(partialE|e)ntries|work)$/],
  [/too large/, /^(lock|sealLock|graph|summaries)$|^version (config|sources|(partialE|e)ntries|work)$/],
  [/./, /^container clones$/],
];

let place: DisposablePath;
beforeAll(() => {
  place = temporaryDirectory();
  populate(join(place.path, 'whole/lxc'), 1, 2);
});
afterAll(() => place[Symbol.dispose]());

it.each(Object.keys(KINDS))('every file of the store can be %s: what reads says so, and ends', async (kind) => {
  for (const [what, whole] of Object.entries(pathsOf(join(place.path, 'whole/lxc')))) {
    const root = join(place.path, 'at');
    rmSync(root, { recursive: true, force: true });
    execFileSync('cp', ['-a', join(place.path, 'whole'), root]);
    execFileSync('sed', [
      '-i',
      `s,${place.path}/whole,${root},g`,
      join(root, 'lxc/c0/config'),
      join(root, 'lxc/c1/config'),
    ]);
    const path = whole.replace(join(place.path, 'whole'), root);
    const told: string[] = [];
    for (const [verb, look] of Object.entries(LOOKS)) {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      KINDS[kind]?.(path);
      const point = `${verb}, where ${what} is ${kind}`;
      const errors = await errorsOf(root, look);
      for (const error of errors.map(toFailure)) {
        expect(error.message, point).not.toMatch(/did not expect/);
        if (!/not-found|not-versioned/.test(error.code))
          expect(error.message.includes(root) || error.message.includes(VERSION), point).toBe(true);
        expect(error.message + error.hint, point).not.toMatch(/\n/);
        // What is wrong with one repository, or one container, keeps nobody from the others.
        if (ALL.has(verb) && what !== 'store.json') expect(errors, point).not.toHaveProperty('isThrown');
      }
      told.push(...errors.map(({ message }) => message));
    }
    const isHarmless = HARMLESS.some(([kinds, names]) => kinds.test(kind) && names.test(what));
    expect(told.length > 0, `${what} is ${kind}: ${told.join()}`).toBe(!isHarmless);
  }
});

it('is told with all its bytes where a name is not UTF-8', async () => {
  const root = join(place.path, 'whole');
  const { tags } = new RepositoryLayout(join(root, 'lxcv'), 'r0' as RepositoryName);
  const names = ['caf\xe9 au lait', 'caf\u00e9 au lait'];
  const paths = [Buffer.from(`${tags}/${names[0]}`, 'latin1'), Buffer.from(`${tags}/${names[1]}`)];
  for (const path of paths) writeFileSync(path, '');
  const findings = await (await openEngine({ lxcpath: join(root, 'lxc') })).fsck(undefined);
  for (const path of paths) rmSync(path);
  expect(findings.map(({ where, whereBytes }) => ({ where, whereBytes }))).toEqual([
    { where: `${tags}/café au lait`, whereBytes: undefined },
    { where: `${tags}/caf\ufffd au lait`, whereBytes: paths[0]?.toString('base64') },
  ]);
});

/** What went wrong, be it thrown, with `isThrown`, or told beside what was found. */
async function errorsOf(root: string, look: (engine: Engine) => Promise<Outcome>): Promise<readonly Error[]> {
  const engine = await openEngine({ lxcpath: join(root, 'lxc'), host: guarded() });
  try {
    return await look(engine);
  } catch (error) {
    return Object.assign([error as Error], { isThrown: true });
  }
}

function guarded(): Host {
  const check = (path: unknown) => {
    const stat = lstatSync(path as string, { throwIfNoEntry: false });
    if (stat?.isFIFO()) throw new Error(`would hang: ${path} ${new Error().stack}`);
  };
  const { files, takeLock, lxc } = machine;
  return {
    ...machine,
    lxc: {
      ...lxc,
      startNow: (lxcpath) => {
        throw new LxcvError('failed', `nothing is started in ${lxcpath}`, '');
      },
    },
    takeLock: (path, holder) => {
      check(path);
      return takeLock(path, holder);
    },
    files: {
      ...files,
      readEnd: (path, bytes) => {
        check(path);
        return files.readEnd(path, bytes);
      },
      append: (path, data) => {
        check(path);
        return files.append(path, data);
      },
    },
  };
}
