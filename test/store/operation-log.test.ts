import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { appendRecord, type Operation, type Pending, readPending } from '../../src/store/operation-log.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';

type LogRecord = Parameters<typeof appendRecord>[2];

const BEGIN: Operation = {
  operation: 'one',
  state: 'begin',
  time: '2026-01-02T03:04:05.678Z',
  command: 'commit',
  subject: 'mysql',
  point: { from: '/lxc/mysql/.config.lxcv', to: '/lxc/mysql/config' },
  forward: [
    { do: 'rename', from: '/a', to: '/b' },
    { do: 'close-delta', work: '/work' },
    { do: 'ref', path: '/main', id: 'abcdefghijkl' as never },
    { do: 'unregister', path: '/clones', entry: '/p\nc\n' },
  ],
  back: [
    { do: 'move-in', from: '/old', to: '/new', mtimeNs: '1' },
    { do: 'unlink', path: '/a' },
    { do: 'rmdir', path: '/d' },
    { do: 'ref', path: '/main', id: null },
    { do: 'remove-copy', path: '/copy' },
    { do: 'register', path: '/clones', entry: '/p\nc\n' },
    { do: 'thaw', lxcpath: '/lxc', container: 'mysql' as never },
    { do: 'publish', draft: '/draft', manifest: '/manifest', before: [], after: ['/delta', '/base'] },
    {
      ...{ do: 'publish', draft: '/draft', manifest: '/manifest', before: ['/base'], after: ['/delta', '/base'] },
      keyframe: {
        ...{ path: '/keyframe', of: ['/delta'], below: ['/base'], working: '/working' },
        instead: ['versions/abcdefghijkl/delta' as never],
      },
    },
    { do: 'settle-config', config: '/config', staged: '/staged', base: 'lxc.uts.name = a\n' },
    { do: 'change-rootfs', config: '/config', staged: '/staged', was: 'overlay:/a:/b', is: 'overlay:/c:/b' },
  ],
};
const READY: LogRecord = { operation: 'one', state: 'ready', inode: '18446744073709551615' };
const BACK: LogRecord = { operation: 'one', state: 'back' };
const DONE: LogRecord = { operation: 'one', state: 'end', outcome: 'done' };
const TAKEN_BACK: LogRecord = { operation: 'one', state: 'end', outcome: 'taken back' };

describe('readPending', () => {
  it.each<[string, LogRecord[], Pending['last']['state'] | undefined]>([
    ['an empty log', [], undefined],
    ['an operation that began', [BEGIN], 'begin'],
    ['one that was ready', [BEGIN, READY], 'ready'],
    ['one that was being taken back', [BEGIN, BACK], 'back'],
    ['one that was ready and is being taken back', [BEGIN, READY, BACK], 'back'],
    ['one that is done', [BEGIN, READY, DONE], undefined],
    ['one that was taken back', [BEGIN, BACK, TAKEN_BACK], undefined],
    ['one behind another', [BEGIN, READY, DONE, { ...BEGIN, operation: 'two' }], 'begin'],
  ])('finds what is pending in %s', (_, records, state) => {
    using log = temporaryLog(records);
    const pending = readPending(files, log.path);
    expect(pending?.last.state).toBe(state);
    if (state !== undefined) expect(pending?.operation).toEqual(records.findLast((record) => record.state === 'begin'));
  });

  it('finds nothing where there is no log', () => {
    expect(readPending(files, '/nowhere/operations')).toBeUndefined();
  });

  it('does not count a line that was cut short', () => {
    using log = temporaryLog([BEGIN, READY]);
    appendFileSync(log.path, JSON.stringify(DONE));
    expect(readPending(files, log.path)?.last.state).toBe('ready');
    truncateSync(log.path, statSync(log.path).size - 5);
    expect(readPending(files, log.path)?.last.state).toBe('ready');
  });

  it('finds a record before far more that are no records, and gives a log up that is far too large', () => {
    using log = temporaryLog([BEGIN, READY]);
    appendFileSync(log.path, `${'x'.repeat(100_000)}\n\n${'\n'.repeat(2_000_000)}cut short`);
    expect(readPending(files, log.path)?.last.state).toBe('ready');
    truncateSync(log.path, 3 * 1024 ** 3);
    const damaged = expect.objectContaining({ code: 'store-damaged', message: expect.stringContaining(log.path) });
    expect(() => readPending(files, log.path)).toThrow(damaged);
    expect(() => appendRecord(files, log.path, DONE)).toThrow(damaged);
  });

  it('passes over a line that is no JSON', () => {
    using log = temporaryLog([BEGIN]);
    appendFileSync(log.path, '{"operation":\n\n\xff\n');
    expect(readPending(files, log.path)?.last.state).toBe('begin');
  });

  it.each([
    ['a step', { ...BEGIN, forward: [{ do: 'paint', path: '/a' }] }],
    ['a state', { operation: 'one', state: 'nonsense' }],
    ['a field', { ...DONE, colour: 'red' }],
    ['a value', null],
  ])('refuses a line with %s that only a newer lxcv knows', (_, record) => {
    using log = temporaryLog([BEGIN]);
    appendFileSync(log.path, `${JSON.stringify(record)}\n`);
    expect(() => readPending(files, log.path)).toThrow(
      expect.objectContaining({ code: 'store-newer', message: `${log.path} was written by a newer lxcv` }),
    );
  });

  it('does not mind what a newer lxcv has done', () => {
    using log = temporaryLog([]);
    writeFileSync(log.path, `{"operation": "zero", "state": "paused"}\n`);
    for (const record of [BEGIN, DONE]) appendRecord(files, log.path, record);
    expect(readPending(files, log.path)).toBeUndefined();
  });

  it.each([60_000, 65_000, 66_000, 1_000_000, 3_000_000])('finds a record of %i bytes', (size) => {
    using log = temporaryLog([BEGIN, DONE, { ...BEGIN, subject: 'ü'.repeat(size / 2) }, READY]);
    const pending = readPending(files, log.path);
    expect([pending?.last.state, pending?.operation.subject.length]).toEqual(['ready', size / 2]);
  });

  it('reads no more of a long log than its end', () => {
    using log = temporaryLog([]);
    writeFileSync(log.path, `${JSON.stringify(BEGIN)}\n${JSON.stringify(DONE)}\n`.repeat(5000));
    const read: number[] = [];
    const counting: typeof files = {
      ...files,
      readEnd: (path, bytes) => {
        read.push(bytes);
        return files.readEnd(path, bytes);
      },
    };
    expect(readPending(counting, log.path)).toBeUndefined();
    expect(read).toEqual([65_536]);
    appendRecord(counting, log.path, BEGIN);
    expect(readPending(counting, log.path)?.last.state).toBe('begin');
    expect(Math.max(...read)).toBe(65_536);
  });

  it('reads any prefix of a log as what its whole lines say', () => {
    const records = randomLog();
    fc.assert(
      fc.property(records, fc.double({ min: 0, max: 1, noNaN: true }), (records, share) => {
        using log = temporaryLog(records);
        const size = Math.floor(statSync(log.path).size * share);
        truncateSync(log.path, size);
        const whole = readFileSync(log.path, 'utf8').split('\n').length - 1;
        expect(readPending(files, log.path)).toEqual(pendingOf(records.slice(0, whole)));
      }),
      { numRuns: 40 },
    );
  });

  it('reads every prefix of one log', () => {
    const records = [BEGIN, READY, DONE, { ...BEGIN, operation: 'two' }, { ...BACK, operation: 'two' }];
    using log = temporaryLog(records);
    for (let size = statSync(log.path).size; size >= 0; size -= 1) {
      truncateSync(log.path, size);
      const whole = readFileSync(log.path, 'utf8').split('\n').length - 1;
      expect(readPending(files, log.path), `of ${size} bytes`).toEqual(pendingOf(records.slice(0, whole)));
    }
  });
});

describe('appendRecord', () => {
  it('makes a log that only root reads, and adds to it a line a record', () => {
    using log = temporaryLog([BEGIN, READY]);
    expect(readFileSync(log.path, 'utf8')).toBe(`${JSON.stringify(BEGIN)}\n${JSON.stringify(READY)}\n`);
    expect(statSync(log.path).mode & 0o777).toBe(0o600);
  });

  it.each([0, 1, 40, 65_535, 65_536, 65_537, 200_000, 1_500_000])(
    'drops a last line of %i bytes that was cut short',
    (length) => {
      using log = temporaryLog([BEGIN, DONE]);
      const before = readFileSync(log.path, 'utf8');
      appendFileSync(log.path, '{"operation":"two"'.padEnd(length, 'x').slice(0, length));
      appendRecord(files, log.path, { ...BEGIN, operation: 'three' });
      expect(readPending(files, log.path)?.operation.operation).toBe('three');
      expect(readFileSync(log.path, 'utf8')).toBe(`${before}${JSON.stringify({ ...BEGIN, operation: 'three' })}\n`);
    },
  );

  it('drops a first line that was cut short', () => {
    using log = temporaryLog([]);
    writeFileSync(log.path, '{"operation":');
    appendRecord(files, log.path, BEGIN);
    expect(readFileSync(log.path, 'utf8')).toBe(`${JSON.stringify(BEGIN)}\n`);
  });
});

/** A log of these records, at `path`. */
function temporaryLog(records: readonly LogRecord[]): DisposablePath {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'operations');
  if (records.length === 0) writeFileSync(path, '');
  for (const record of records) appendRecord(files, path, record);
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

/** Operations one after another, the last perhaps without an end. */
function randomLog(): fc.Arbitrary<LogRecord[]> {
  const operation = fc.constantFrom<LogRecord[]>(
    [BEGIN, READY, DONE],
    [BEGIN, BACK, TAKEN_BACK],
    [BEGIN, READY, BACK, TAKEN_BACK],
  );
  const subject = fc.string({ unit: 'binary', maxLength: 400 });
  return fc.array(fc.tuple(operation, subject), { maxLength: 6 }).map((operations) =>
    operations.flatMap(([records, subject], index) =>
      records.map((record): LogRecord => {
        const named = { ...record, operation: `${index}` };
        return named.state === 'begin' ? { ...named, subject } : named;
      }),
    ),
  );
}

function pendingOf(records: readonly LogRecord[]): Pending | undefined {
  const last = records.at(-1);
  if (last === undefined || last.state === 'end') return undefined;
  return { operation: records.findLast((record) => record.state === 'begin') as Operation, last };
}
