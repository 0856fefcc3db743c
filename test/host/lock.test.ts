import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Lock, takeLock } from '../../src/host/lock.js';
import { temporaryDirectory } from '../support/overlay.js';

describe('takeLock', () => {
  it('takes a lock once, tells others who has it, and lets go at disposal', () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'lock');
    {
      using lock = held(takeLock(path, 'the first, at length'));
      expect(lock.held).toBe(true);
      expect(takeLock(path, 'the second')).toEqual({ held: false, holder: 'the first, at length' });
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    using _ = held(takeLock(path, 'short'));
    expect(readFileSync(path, 'utf8')).toBe('short');
  });

  it('notices a lock of another process, and has it as soon as that one is killed', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'lock');
    const other = await holdElsewhere(path);
    expect(takeLock(path, 'here')).toEqual({ held: false, holder: 'elsewhere\n' });
    const gone = once(other, 'exit');
    other.kill('SIGKILL');
    await gone;
    using lock = held(takeLock(path, 'here'));
    expect(lock.held).toBe(true);
  });

  it('is on the file that the path names, also where that was replaced meanwhile', () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'lock');
    using _ = held(takeLock(path, 'of a file that is gone'));
    renameSync(path, `${path}.away`);
    using lock = held(takeLock(path, 'here'));
    expect(lock.held).toBe(true);
    expect(takeLock(path, 'third')).toEqual({ held: false, holder: 'here' });
  });

  it('waits for nobody where the file is replaced between the open and the lock', () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'lock');
    // Who holds the lock moves the file away and makes another, as a restored backup would; then lets go.
    const script = `exec 9>"$1" && flock 9 && mv "$1" "$1.away" && : >"$1" && exec 9>&-`;
    execFileSync('sh', ['-c', script, 'sh', path]);
    using lock = held(takeLock(path, 'here'));
    expect([lock.held, readFileSync(path, 'utf8')]).toEqual([true, 'here']);
  });

  it('is not held on to by a program that was started meanwhile', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'lock');
    const lock = held(takeLock(path, 'here'));
    const other = spawn('sleep', ['1000']);
    await once(other, 'spawn');
    lock[Symbol.dispose]();
    using again = held(takeLock(path, 'here'));
    expect(again.held).toBe(true);
    expect(other.exitCode).toBeNull();
    other.kill('SIGKILL');
    await once(other, 'exit');
  });

  it('follows no symbolic link', () => {
    using place = temporaryDirectory();
    symlinkSync(join(place.path, 'elsewhere'), join(place.path, 'lock'));
    expect(() => takeLock(join(place.path, 'lock'), 'here')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  });

  it('fails where its directory is missing', () => {
    expect(() => takeLock('/nowhere/lock', 'here')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

function held(lock: Lock): Lock & Disposable {
  if (!lock.held) throw new Error(`the lock is held by ${lock.holder}`);
  return lock;
}

/** One process, which has the lock when this returns, and for as long as it lives. */
async function holdElsewhere(path: string): Promise<ChildProcess> {
  const script = 'exec 9>"$1" && flock 9 && echo elsewhere >&9 && echo held && exec sleep 1000';
  const child = spawn('sh', ['-c', script, 'sh', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
