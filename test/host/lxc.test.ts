import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { lxc } from '../../src/host/lxc.js';
import { commandSocketName } from '../../src/host/monitor.js';
import { LxcvError } from '../../src/model/errors.js';
import type { ContainerName } from '../../src/model/version.js';
import { temporaryLxc } from '../support/lxc.js';
import { temporaryDirectory } from '../support/overlay.js';

const C = 'mysql' as ContainerName;

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('commandSocketName', () => {
  // The hashes were computed apart from this code, with the constants of `fnv_64a_buf` in LXC's utils.
  it.each([
    ['/var/lib/lxc', 'mysql', '/var/lib/lxc/mysql/command'],
    ['/var/lib/lxc', 'a'.repeat(84), `/var/lib/lxc/${'a'.repeat(84)}/command`],
    ['/var/lib/lxc', 'a'.repeat(85), 'lxc/a807244bea323305/command'],
    [`/srv/${'d'.repeat(120)}`, 'mysql', 'lxc/7aac5cd6695b07f9/command'],
    [`/srv/${'d'.repeat(120)}`, 'c63700', 'lxc/0069b970bdc89d52/command'],
    [`/srv/${'ü'.repeat(50)}`, 'mysql', 'lxc/8ecb549e6ccea511/command'],
    ['/srv/ü', 'mysql', '/srv/\xc3\xbc/mysql/command'],
  ])("is LXC's for %s/%s", (lxcpath, name, expected) => {
    expect(commandSocketName(lxcpath, name)).toBe(expected);
  });
});

describe('lxc', () => {
  it.each([['a short'], ['a long']])(
    'holds a stopped container of %s path against a start, and never one that runs',
    async (length) => {
      using place = temporaryDirectory();
      const directory = join(place.path, length === 'a long' ? 'd'.repeat(110) : 'd');
      mkdirSync(directory);
      using machine = temporaryLxc(directory);
      machine.createBase(C);
      const { lxcpath } = machine;
      expect(await lxc.state(lxcpath, C)).toBe('stopped');
      {
        using hold = lxc.holdStopped(lxcpath, C);
        expect(hold).toBeDefined();
        expect(lxc.holdStopped(lxcpath, C)).toBeUndefined();
        expect(await lxc.state(lxcpath, C)).toBe('stopped');
        await expect(lxc.start(lxcpath, C)).rejects.toThrow(LxcvError);
        expect((await machine.info(C)).state).toBe('STOPPED');
      }
      await lxc.start(lxcpath, C);
      expect(await lxc.state(lxcpath, C)).toBe('running');
      expect(boundSockets()).toContain(`@${commandSocketName(lxcpath, C)}`);
      expect(lxc.holdStopped(lxcpath, C)).toBeUndefined();
      await machine.stop(C);
      expect(await lxc.state(lxcpath, C)).toBe('stopped');
    },
  );

  it("takes LXC's own lock of a container's directory, under which clones are listed there", async () => {
    using machine = temporaryLxc();
    machine.createBase('base');
    let copying: Promise<unknown>;
    {
      using lock = lxc.tryLockDirectory(machine.lxcpath, 'base' as ContainerName);
      expect(lock).toBeDefined();
      expect(lxc.tryLockDirectory(machine.lxcpath, 'base' as ContainerName)).toBeUndefined();
      copying = machine.clone('base', C);
      expect(await Promise.race([copying, setTimeout(1000, 'waits')])).toBe('waits');
      expect(existsSync(join(machine.lxcpath, 'base/lxc_snapshots'))).toBe(false);
    }
    await copying;
    expect(readFileSync(join(machine.lxcpath, 'base/lxc_snapshots'), 'utf8')).toBe(`${machine.lxcpath}\n${C}\n`);
  });

  it('freezes a container until the answer is disposed of, thaws one that was left frozen, and stops it', async () => {
    using machine = temporaryLxc();
    const { lxcpath } = machine;
    machine.createBase(C);
    await lxc.start(lxcpath, C);
    {
      await using freeze = await lxc.freeze(lxcpath, C, 60_000);
      expect(await lxc.state(lxcpath, C)).toBe('frozen');
      expect(freeze.look('thorough')).toBe('frozen');
    }
    expect(await lxc.state(lxcpath, C)).toBe('running');
    await machine.tool('lxc-freeze', '-n', C);
    expect(await lxc.state(lxcpath, C)).toBe('frozen');
    lxc.thaw(lxcpath, C);
    expect(await lxc.state(lxcpath, C)).toBe('running');
    await lxc.stop(lxcpath, C);
    expect(await lxc.state(lxcpath, C)).toBe('stopped');
    await expect(lxc.freeze(lxcpath, C, 1000)).rejects.toMatchObject({ code: 'failed' });
  });

  it('knows under which other name of the lxcpath a container runs', async () => {
    using machine = temporaryLxc();
    const { lxcpath } = machine;
    machine.createBase(C);
    const alias = join(machine.directory, 'alias');
    symlinkSync(lxcpath, alias);
    expect(lxc.runningUnder(lxcpath, C)).toBeUndefined();
    await lxc.start(alias, C);
    expect([lxc.runningUnder(lxcpath, C), lxc.runningUnder(alias, C)]).toEqual([alias, undefined]);
    await machine.program('lxc-stop', ['-P', alias, '-n', C, '-k']);
    expect(lxc.runningUnder(lxcpath, C)).toBeUndefined();
  });

  it("says in LXC's own words why something failed", async () => {
    using machine = temporaryLxc();
    const failure = await lxc.start(machine.lxcpath, C).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LxcvError);
    expect(failure).toMatchObject({ code: 'failed', message: expect.stringMatching(/^lxc-start failed: \S/) });
    expect((failure as LxcvError).message).not.toContain('\n');
    expect((failure as LxcvError).hint).toContain(`lxc-start -P ${machine.lxcpath} -n ${C}`);
  });

  it('says so where LXC is not installed', async () => {
    vi.stubEnv('PATH', '/nowhere');
    await expect(lxc.start('/var/lib/lxc', C)).rejects.toMatchObject({ code: 'no-lxc' });
    await expect(lxc.defaultPath()).rejects.toMatchObject({ code: 'no-lxc' });
  });

  it('knows the configured lxcpath', async () => {
    expect(await lxc.defaultPath()).toMatch(/^\/.*[^/]$/);
  });
});

/** The names of all Unix sockets, an abstract one with `@` before it. */
function boundSockets(): string[] {
  return readFileSync('/proc/net/unix', 'latin1')
    .split('\n')
    .map((line) => line.split(' ').at(-1) as string);
}
