import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startKeepers } from '../../src/host/keeper.js';
import type { ContainerName } from '../../src/model/version.js';
import { temporaryDirectory } from '../support/overlay.js';
import { until } from '../support/until.js';

const LONG_MS = 600_000;

describe('startKeepers', () => {
  it('keepers that are sent away before there was anything to thaw thaw nothing', async () => {
    using directory = temporaryDirectory();
    const control = join(directory.path, 'control');
    writeFileSync(control, '1\n');
    const freezer = { control, freeze: '1', thaw: '0', state: control, frozen: '1' };
    const keepers = await startKeepers(directory.path, 'nobody' as ContainerName, freezer);
    expect(keepers.alive).toBe(2);
    await keepers.end();
    expect(readFileSync(control, 'utf8')).toBe('1\n');
  });

  it.each([0, 1])('keepers are sent away also where one is stopped (%s)', async (which) => {
    using directory = temporaryDirectory();
    const control = join(directory.path, 'control');
    writeFileSync(control, '1\n');
    const freezer = { control, freeze: '1', thaw: '0', state: control, frozen: '1' };
    const keepers = await startKeepers(directory.path, 'nobody' as ContainerName, freezer);
    keepers.arm(LONG_MS);
    const pids = readdirSync('/proc').filter((pid) => isKeeper(pid, directory.path));
    expect(pids).toHaveLength(2);
    process.kill(Number(pids[which]), 'SIGSTOP');
    await keepers.end();
    expect(keepers.alive).toBe(0);
    await until(() => pids.filter((pid) => isKeeper(pid, directory.path)), []);
    expect(readFileSync(control, 'utf8')).toBe('1\n');
  });
});

/** Not a part of its script that it forked off: that has its words, but leads no session. */
function isKeeper(pid: string, lxcpath: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return words[0] === 'sh' && words.includes('lxcv-keeper') && words.includes(lxcpath) && session === pid;
  } catch {
    return false;
  }
}
