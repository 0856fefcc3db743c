import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/overlay.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

describe('the npm package', () => {
  it('installs elsewhere and runs', () => {
    using place = temporaryDirectory();
    // The build is there already; to build again would take it away from the tests that run beside this one.
    const packed = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', place.path], PROJECT);
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    npm(
      ['install', '--prefix', place.path, '--no-audit', '--no-fund', '--prefer-offline', join(place.path, filename)],
      place.path,
    );
    const lxcv = (...args: string[]) =>
      execFileSync(join(place.path, 'node_modules/.bin/lxcv'), args, { encoding: 'utf8', cwd: place.path });
    const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
    expect(lxcv('--version')).toContain(`lxcv/${version} `);
    expect(JSON.parse(lxcv('list', '-P', place.path, '--json'))).toMatchObject({ containers: [], repositories: [] });
    expect(lxcv('commit', '--help')).toContain('lxcv commit [-m TEXT]...');
    expect(lxcv('help', 'commit')).toBe(lxcv('commit', '--help'));
    expect(lxcv('help')).toBe(lxcv('--help'));
  });
});

function npm(args: string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
