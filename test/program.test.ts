import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BaseCommand } from '../src/cli/base-command.js';
import { COMMANDS } from '../src/program.js';
import { LXCV } from './support/lxc.js';

it('imports nothing while it runs: what V8 read back cannot', () => {
  const program = readFileSync(join(dirname(LXCV), 'program.cjs'), 'utf8');
  expect(program.length).toBeGreaterThan(100_000);
  expect(program.match(/\bimport\(["'`]/g)).toBeNull();
});

describe('COMMANDS', () => {
  it('has every command', async () => {
    const files = readdirSync(new URL('../commands', import.meta.url));
    expect(Object.keys(COMMANDS).map((name) => `${name}.ts`)).toEqual(files.sort());
  });

  it.each(Object.entries(COMMANDS))('has under %s the command of that file', async (name, load) => {
    const { default: command } = await load();
    expect(command.prototype).toBeInstanceOf(BaseCommand);
    expect(command.name.toLowerCase()).toBe(name);
  });
});
