import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BaseCommand } from '../src/cli/base-command.js';
import { COMMANDS } from '../src/program.js';

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
