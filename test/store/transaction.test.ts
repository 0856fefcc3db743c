import { mkdtempSync, readFileSync, readlinkSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { files } from '../../src/host/files.js';
import { type Host, machine } from '../../src/host/host.js';
import { LxcvError } from '../../src/model/errors.js';
import { encodeDraft, encodeManifest } from '../../src/model/manifest.js';
import { readPending } from '../../src/store/operation-log.js';
import type { Step } from '../../src/store/steps.js';
import { recover, type Transaction, transact } from '../../src/store/transaction.js';
import { Death, type Fault, faultyHost } from '../support/faults.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import * as make from '../support/plant.js';
import { plant } from '../support/plant.js';
import { readTree } from '../support/tree.js';
import { exampleDraft, exampleId, exampleVersion } from '../support/version.js';

const OLD = exampleId(1);
const NEW = exampleId(2);

const PUBLISHED = `${encodeManifest(exampleVersion(1, { changes: { added: 1, modified: 0, removed: 0, bytes: 4 } }))}`;

/** A transaction on a directory: what there is before, and what must be there when all is over. */
interface Example {
  readonly prepare: (root: string) => void;
  readonly transaction: (root: string, host: Host) => Transaction;
  readonly before: string[];
  readonly after: string[];
}

/** In small, what a commit does: a delta becomes a version, and a new one takes its place. */
const COMMIT: Example = {
  prepare: (root) =>
    plant(root, {
      config: 'old',
      main: `${OLD}\n`,
      'v/old/delta/file': 'kept',
      'v/old/work/work': make.directory,
      'v/old/working.json': 'record',
    }),
  transaction: (root, { files }) => ({
    ...exchanged(root),
    stage: () => {
      files.create(join(root, 'v/old/manifest.staged'), encodeDraft(exampleDraft(1)), 0o400);
      for (const name of ['', '/delta', '/work']) files.mkdir(join(root, `v/new${name}`), 0o700);
      files.create(join(root, 'v/new/working.json'), 'next', 0o600);
      files.create(join(root, '.config.lxcv'), 'new', 0o600);
    },
    forward: [
      { do: 'settle-config', config: join(root, 'config'), staged: join(root, '.config.lxcv'), base: 'old' },
      {
        ...{ do: 'publish', draft: join(root, 'v/old/manifest.staged'), manifest: join(root, 'v/old/manifest.json') },
        ...{ before: [], after: [join(root, 'v/old/delta')] },
      },
      { do: 'close-delta', work: join(root, 'v/old/work') },
      { do: 'unlink', path: join(root, 'v/old/working.json') },
      { do: 'ref', path: join(root, 'main'), id: NEW },
    ],
    back: [
      { do: 'rmdir', path: join(root, 'v/new/delta') },
      { do: 'rmdir', path: join(root, 'v/new/work') },
      { do: 'unlink', path: join(root, 'v/new/working.json') },
      { do: 'rmdir', path: join(root, 'v/new') },
      { do: 'unlink', path: join(root, 'v/old/manifest.staged') },
      { do: 'unlink', path: join(root, '.config.lxcv') },
    ],
  }),
  before: [
    'config: old',
    `main: ${OLD}\n`,
    'v/',
    'v/old/',
    'v/old/delta/',
    'v/old/delta/file: kept',
    'v/old/work/',
    'v/old/work/work/',
    'v/old/working.json: record',
  ],
  after: [
    'config: new',
    `main: ${NEW}\n`,
    'v/',
    'v/new/',
    'v/new/delta/',
    'v/new/work/',
    'v/new/working.json: next',
    'v/old/',
    'v/old/delta/',
    'v/old/delta/file: kept',
    `v/old/manifest.json: ${PUBLISHED}`,
    'v/old/work: ',
  ],
};

/** In small, what an adoption does: a directory moves in behind the commit point, and a second config follows the first. */
const ADOPTION: Example = {
  prepare: (root) =>
    plant(root, { config: rootfs('old'), clones: '/p\na\n', 'rootfs/file': 'kept', v: make.directory }),
  transaction: (root, { files }) => ({
    ...exchanged(root),
    stage: async () => {
      files.create(join(root, 'clones.staged'), '/p\na\n/p\nc\n', 0o600);
      files.rename(join(root, 'clones.staged'), join(root, 'clones'));
      await Promise.resolve();
      files.create(join(root, '.config.lxcv'), rootfs('first'), 0o600);
    },
    forward: [
      { do: 'settle-config', config: join(root, 'config'), staged: join(root, '.config.lxcv'), base: rootfs('old') },
      { do: 'move-in', from: join(root, 'rootfs'), to: join(root, 'v/delta'), mtimeNs: '1' },
      {
        do: 'change-rootfs',
        ...{ config: join(root, 'config'), staged: join(root, '.config.lxcv-final'), was: 'first', is: 'new' },
      },
      { do: 'unlink', path: join(root, 'rootfs') },
    ],
    back: [
      { do: 'unregister', path: join(root, 'clones'), entry: '/p\nc\n' },
      { do: 'unlink', path: join(root, 'clones.staged') },
      { do: 'unlink', path: join(root, '.config.lxcv') },
    ],
  }),
  before: ['clones: /p\na\n', `config: ${rootfs('old')}`, 'rootfs/', 'rootfs/file: kept', 'v/'],
  after: ['clones: /p\na\n/p\nc\n', `config: ${rootfs('new')}`, 'v/', 'v/delta/', 'v/delta/file: kept'],
};

const EXAMPLES: [string, Example][] = [
  ['a commit', COMMIT],
  ['an adoption', ADOPTION],
];

let directory: DisposablePath;
beforeEach(() => {
  // In memory, where a sync costs nothing: what dies here is a process, and not the machine.
  vi.stubEnv('LXCV_TEST_DIR', '/dev/shm');
  directory = temporaryDirectory();
});
afterEach(() => {
  directory[Symbol.dispose]();
  vi.unstubAllEnvs();
});

describe('transact', () => {
  it.each(EXAMPLES)('makes of what was there what is to be: %s', async (_, example) => {
    const place = new Place(example);
    await place.run(machine);
    expect(place.show()).toEqual(example.after);
    expect(readPending(files, place.log)).toBeUndefined();
    expect(await recover(machine, place.log)).toBeUndefined();
    expect(place.records()).toEqual(['begin', 'ready', 'end done']);
  });

  it.each(EXAMPLES)(
    'leaves after a fault at any call the old or the new, and never more to do: %s',
    async (_, example) => {
      for (const [at, call] of (await callsOf(example)).entries()) {
        for (const fault of faultsAt(call)) {
          const place = new Place(example);
          const outcome = await place.run(faultyHost(fault, at));
          const point = `${fault.kind} at ${at}, ${call}`;
          if (fault.kind !== 'death')
            expect(place.config() === 'old', point).toBe(outcome !== undefined && !isUnfinished(outcome));
          await recover(machine, place.log);
          expect(place.show(), point).toEqual(place.config() === 'old' ? example.before : example.after);
          expect(await recover(machine, place.log), point).toBeUndefined();
          expect(readPending(files, place.log), point).toBeUndefined();
        }
      }
    },
  );

  it('is done for good from the call on that is its commit point', async () => {
    const calls = (await callsOf(COMMIT)).length;
    const outcomes: string[] = [];
    for (let at = 0; at <= calls; at += 1) {
      const place = new Place(COMMIT);
      await place.run(faultyHost({ kind: 'death' }, at));
      await recover(machine, place.log);
      outcomes.push(place.config());
    }
    expect(outcomes).toEqual([...outcomes].sort().reverse());
    expect(new Set(outcomes)).toEqual(new Set(['old', 'new']));
  });

  it('takes everything back where the last look finds a reason, and throws that', async () => {
    const place = new Place(COMMIT);
    const reason = new Error('not now');
    const check = () => {
      expect(readFileSync(join(place.root, '.config.lxcv'), 'utf8')).toBe('new');
      throw reason;
    };
    await expect(transact(machine, place.log, { ...COMMIT.transaction(place.root, machine), check })).rejects.toBe(
      reason,
    );
    expect(place.show()).toEqual(COMMIT.before);
    expect(place.records()).toEqual(['begin', 'ready', 'back', 'end taken back']);
  });

  it('says that it is done where only the rest failed, and why', async () => {
    const place = new Place(COMMIT);
    const step = { do: 'unlink', path: join(place.root, 'v/old/delta') } as const;
    const transaction = COMMIT.transaction(place.root, machine);
    const failing = { ...transaction, forward: [...transaction.forward, step] };
    const failure: unknown = await transact(machine, place.log, failing).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'operation-pending',
      message: expect.stringMatching(/^the commit of mysql is done, .*EISDIR/),
    });
    expect(place.config()).toBe('new');
    await expect(recover(machine, place.log)).rejects.toThrow('EISDIR');
    renameSync(join(place.root, 'v/old/delta'), join(place.root, 'v/old/cause'));
    expect(await recover(machine, place.log)).toBe('done');
  });

  it('says that it is done where a look behind the commit point fails, and it cannot be undone any more', async () => {
    const place = new Place(COMMIT);
    let isStuck = false;
    const exchange: typeof files.exchange = (a, b) => {
      if (isStuck) throw Object.assign(new Error('EROFS: exchange'), { code: 'EROFS' });
      files.exchange(a, b);
    };
    const verifyAfterSwap = () => {
      isStuck = true;
      throw new Error('in use');
    };
    const host: Host = { ...machine, files: { ...files, exchange } };
    const transaction = { ...COMMIT.transaction(place.root, host), verifyAfterSwap };
    await expect(transact(host, place.log, transaction)).rejects.toMatchObject({
      code: 'operation-pending',
      message: expect.stringContaining(
        'the commit of mysql is done, but its last steps wait: the file system is read-only',
      ),
    });
    expect(await recover(machine, place.log)).toBe('done');
    expect(place.show()).toEqual(COMMIT.after);
  });

  it('finishes a step that a signal interrupted, lets go what it holds, and returns what was staged', async () => {
    const place = new Place(COMMIT);
    const transaction = COMMIT.transaction(place.root, machine);
    const done: string[] = [];
    const foreground = {
      runJob: async (what: string) => {
        done.push(what);
        throw new LxcvError('interrupted', 'SIGINT came', 'Try again.');
      },
      release: () => void done.push('released'),
    };
    const [settle, ...rest] = transaction.forward;
    const stage = async () => {
      await transaction.stage();
      return 'staged';
    };
    const forward = [settle as Step, { do: 'release' } as const, ...rest];
    expect(await transact(machine, place.log, { ...transaction, stage, forward, foreground })).toBe('staged');
    expect(done).toEqual(['released', 'counting what changed in mysql']);
    expect(place.show()).toEqual(COMMIT.after);
  });

  it('carries out one after another', async () => {
    const place = new Place(COMMIT);
    await transact(machine, place.log, { ...empty(place.root, 'one') });
    await transact(machine, place.log, { ...empty(place.root, 'two') });
    expect(place.config()).toBe('two');
    expect(place.records()).toHaveLength(6);
  });
});

describe('recover', () => {
  it('has nothing to do where nothing ever happened', async () => {
    const place = new Place(COMMIT);
    expect(await recover(machine, place.log)).toBeUndefined();
    expect(place.show()).toEqual(COMMIT.before);
  });

  it.each(EXAMPLES)('can itself be killed at any call: %s', async (_, example) => {
    const calls = (await callsOf(example)).length;
    for (let at = 0; at < calls; at += 1) {
      let more = true;
      for (let second = 0; more; second += 1) {
        const place = new Place(example);
        await place.run(faultyHost({ kind: 'death' }, at));
        const dying = faultyHost({ kind: 'death' }, second);
        more = await dies(() => recover(dying, place.log));
        await recover(machine, place.log);
        const point = `killed at ${at}, and the recovery at ${second}`;
        expect(place.show(), point).toEqual(place.config() === 'old' ? example.before : example.after);
      }
    }
  });

  it('goes on taking back, even where the staged file is gone already, as it is after the commit point', async () => {
    const transactionOn = (place: Place, host: Host): Transaction => ({
      ...COMMIT.transaction(place.root, host),
      check: () => {
        throw new Error('not now');
      },
    });
    const whole = faultyHost({ kind: 'none' }, -1);
    const first = new Place(COMMIT);
    await transact(whole, first.log, transactionOn(first, whole)).catch(() => {});
    const dying = faultyHost({ kind: 'death' }, whole.calls.length - 1);
    const place = new Place(COMMIT);
    await transact(dying, place.log, transactionOn(place, dying)).catch(() => {});
    expect(place.records()).toEqual(['begin', 'ready', 'back']);
    expect(place.show()).toEqual(COMMIT.before);
    expect(await recover(machine, place.log)).toBe('taken back');
    expect(place.show()).toEqual(COMMIT.before);
  });
});

/** A directory in which an example happens. */
class Place {
  readonly root: string;
  readonly log: string;

  constructor(private readonly example: Example) {
    const path = mkdtempSync(join(directory.path, 'place-'));
    [this.root, this.log] = [join(path, 'root'), join(path, 'operations')];
    example.prepare(this.root);
  }

  /** @returns what was thrown. */
  async run(host: Host): Promise<unknown> {
    try {
      await transact(host, this.log, this.example.transaction(this.root, host));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** The last word of it. */
  config(): string {
    return readFileSync(join(this.root, 'config'), 'utf8').trim().split(' ').at(-1) ?? '';
  }

  show(): string[] {
    return [...readTree(this.root)].slice(1).map(([path, node]) => {
      const at = join(this.root, path);
      if (node.type === 'directory') return `${path}/`;
      return node.type === 'symlink' ? `${path} -> ${readlinkSync(at)}` : `${path}: ${readFileSync(at)}`;
    });
  }

  records(): string[] {
    const lines = readFileSync(this.log, 'utf8').trimEnd().split('\n');
    return lines.map((line) => {
      const { state, outcome } = JSON.parse(line) as { state: string; outcome?: string };
      return outcome === undefined ? state : `${state} ${outcome}`;
    });
  }
}

function named(command: string, root: string) {
  return {
    operation: NEW,
    time: '2026-01-02T03:04:05.678Z',
    command,
    subject: 'mysql',
    point: { from: join(root, '.config.lxcv'), to: join(root, 'config') },
  };
}

function exchanged(root: string) {
  const { point, ...rest } = named('commit', root);
  return { ...rest, point: { ...point, exchange: true as const } };
}

function rootfs(path: string): string {
  return `lxc.rootfs.path = ${path}\n`;
}

/** A transaction that replaces the config, and has nothing else to do. */
function empty(root: string, content: string): Transaction {
  const stage = () => files.create(join(root, '.config.lxcv'), content, 0o600);
  return { ...named('commit', root), operation: content, stage, forward: [], back: [] };
}

/** The calls that change something, each as the method and its first argument. */
async function callsOf(example: Example): Promise<readonly string[]> {
  const host = faultyHost({ kind: 'none' }, -1);
  expect(await new Place(example).run(host)).toBeUndefined();
  return host.calls;
}

function faultsAt(call: string): Fault[] {
  const writes = /^(append|create) /.test(call);
  return [{ kind: 'death' }, writes ? { kind: 'cut-short' } : { kind: 'errno', code: 'EIO' }];
}

function isUnfinished(outcome: unknown): boolean {
  return outcome instanceof LxcvError && outcome.code === 'operation-pending';
}

async function dies(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return false;
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    return true;
  }
}
