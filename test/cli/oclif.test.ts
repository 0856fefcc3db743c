/** What lxcv uses of oclif that oclif's own documentation does not promise: a release that changes it fails here, and by name. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import { Config } from '@oclif/core/config';
import * as Flags from '@oclif/core/flags';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BaseCommand } from '../../src/cli/base-command.js';
import { MinimalConfig } from '../../src/cli/minimal-config.js';
import { standardError } from '../../src/cli/output.js';
import { LXCV } from '../support/lxc.js';
import { temporaryDirectory } from '../support/overlay.js';

class Probe extends BaseCommand {
  static override args = { name: Args.string({ required: true }) };
  static override flags = { all: Flags.boolean({ char: 'a' }) };
  outcome: { args: unknown; flags: unknown; argv: readonly string[]; asJson: boolean } | undefined;

  async run() {
    const { args, flags } = await this.parse(Probe);
    this.outcome = { args, flags, argv: this.argv, asJson: this.jsonEnabled() };
  }
}

/** Runs a command as `runCommand` does, in a package that is not there: oclif must not look for it. */
async function probe(...argv: string[]) {
  const command = new Probe(argv, new MinimalConfig('file:///nowhere/package.json', ['probe']));
  await command.start('probe');
  return command.outcome;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('oclif', () => {
  it('parses for a command that was not started by `Command.run`, with a `Config` that was not loaded', async () => {
    const load = vi.spyOn(Config.prototype, 'load');
    const init = vi.spyOn(Command.prototype as unknown as { init(): Promise<void> }, 'init');
    expect(await probe('-a', 'web')).toEqual({
      args: { name: 'web' },
      flags: { all: true },
      argv: ['-a', 'web'],
      asJson: false,
    });
    expect([load, init].flatMap(({ mock }) => mock.calls)).toEqual([]);
  });

  it('warns of nothing where a command ends before it parses', async () => {
    const warn = vi.spyOn(process, 'emitWarning');
    class Idle extends BaseCommand {
      async run() {}
    }
    await new Idle([], new MinimalConfig('file:///nowhere/package.json', ['idle'])).start('idle');
    expect(warn).not.toHaveBeenCalled();
  });

  it('finds --json before a `--`, and not behind it', async () => {
    expect((await probe('web', '--json'))?.asJson).toBe(true);
    const command = new Probe(['web', '--', '--json'], new MinimalConfig('file:///nowhere', []));
    expect(command.jsonEnabled()).toBe(false);
  });

  it('takes no missing argument from standard input where `ignoreStdin` is set', async () => {
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from(['web\n']) as typeof process.stdin);
    const told = vi.spyOn(standardError, 'write').mockReturnValue();
    const { exitCode } = process;
    expect(await probe()).toBeUndefined();
    expect(told.mock.calls.join()).toContain('lxcv: lxcv probe needs a NAME');
    process.exitCode = exitCode;
  });

  it('looks for no TypeScript to run the sources with, whatever NODE_ENV says', () => {
    using lxcpath = temporaryDirectory();
    for (const NODE_ENV of ['development', 'test', 'production']) {
      const env = { ...process.env, NODE_ENV };
      const list = spawnSync(process.execPath, [LXCV, 'list', '-P', lxcpath.path], { encoding: 'utf8', env });
      expect([list.status, list.stderr, list.stdout.slice(0, 12)]).toEqual([0, '', 'No container']);
    }
  });

  it('is one release, of which the bundle knows how it is compiled', () => {
    const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(dependencies['@oclif/core']).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
