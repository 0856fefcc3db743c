import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startKeepers } from '../../src/host/keeper.js';
import type { ContainerName } from '../../src/model/version.js';
import { temporaryDirectory } from '../support/overlay.js';

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
});
