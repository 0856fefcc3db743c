import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BaseCommand } from '../src/cli/base-command.js';
import { COMMANDS } from '../src/program.js';
import { LXCV } from './support/lxc.js';
import { temporaryDirectory } from './support/overlay.js';

it('imports nothing while it runs: what V8 read back cannot', () => {
  const program = readFileSync(join(dirname(LXCV), 'program.cjs'), 'utf8');
  expect(program.length).toBeGreaterThan(100_000);
  expect(program.match(/\bimport\(["'`]/g)).toBeNull();
});

it('loads what takes long at its first use alone', () => {
  using scratch = temporaryDirectory();
  const tell = join(scratch.path, 'tell.cjs');
  writeFileSync(tell, "process.on('exit', () => console.log(process.moduleLoadList.join('\\n')));");
  const loaded = (...args: string[]) => {
    const told = execFileSync(process.execPath, ['--require', tell, ...args], { encoding: 'utf8' });
    return told.split('\n').filter((line) => LATE.includes(line.replace('NativeModule ', '')));
  };
  expect(loaded(LXCV, 'list', '-P', scratch.path)).toEqual([]);
  expect(loaded('-e', 'require("node:crypto").randomBytes(1)')).not.toEqual([]);
});

it('is refused by a Node that is too old, in its first line', () => {
  using scratch = temporaryDirectory();
  const pretend = join(scratch.path, 'pretend.cjs');
  const old = "{ value: { ...process.versions, node: '18.19.0' } }";
  writeFileSync(pretend, `Object.defineProperty(process, 'versions', ${old});`);
  const { status, stderr } = spawnSync(process.execPath, ['--require', pretend, LXCV, 'list'], { encoding: 'utf8' });
  expect([status, stderr.split('\n')[0]]).toEqual([1, 'lxcv: Node 20 or later is needed, and this is Node 18.19.0']);
  // Nothing stands before that which such a Node could stumble over.
  expect(readFileSync(LXCV, 'latin1')).toMatch(/^#!.*\nvar found = process\.versions\.node;\n/);
});

/** Of Node's modules, those that take a millisecond or more to load; some only oclif's help and plugins would need. */
const LATE = ['child_process', 'crypto', 'fs/promises', 'perf_hooks', 'readline', 'tty', 'worker_threads'];

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
