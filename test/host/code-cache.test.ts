import { chmodSync, chownSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/overlay.js';

const MODULE = fileURLToPath(new URL('../../dist/src/host/code-cache.js', import.meta.url));

/** The one capability lets the user read what only root may, wherever this is built. */
const AS_NOBODY = [
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
  ...['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search', 'node'],
];

describe('loadCompiled', () => {
  it('reads back what was compiled before', async () => {
    using place = program();
    expect(await load(place.file)).toBe('one, compiled');
    expect(await load(place.file)).toBe('one, read back');
    expect(readdirSync(place.path)).toHaveLength(2);
  });

  it('does not take a program for another one of the same length and time', async () => {
    using place = program();
    await load(place.file);
    const { mtime } = statSync(place.file);
    writeFileSync(place.file, source('two'));
    utimesSync(place.file, mtime, mtime);
    expect(await load(place.file)).toBe('two, compiled');
    expect(await load(place.file)).toBe('two, read back');
  });

  it('compiles what V8 refuses to read back, and leaves that to those who can', async () => {
    using place = program();
    await load(place.file);
    expect(await load(place.file, ['node', '--no-lazy'])).toBe('one, compiled');
    expect(await load(place.file)).toBe('one, read back');
  });

  it('reads back nothing that others could have written, and keeps nothing where they could', async () => {
    using place = program();
    await load(place.file);
    const kept = join(place.path, readdirSync(place.path).find((name) => name !== 'program.cjs') as string);
    expect(statSync(kept).mode & 0o777).toBe(0o644);
    chmodSync(kept, 0o666);
    expect(await load(place.file)).toBe('one, compiled');
    chmodSync(kept, 0o644);
    chownSync(kept, 65534, 0);
    expect(await load(place.file)).toBe('one, compiled');
    expect(await load(place.file)).toBe('one, read back');
    chmodSync(place.path, 0o777);
    expect(await load(place.file)).toBe('one, compiled');
  });

  it('keeps what is compiled for each use', async () => {
    using place = program();
    expect(await load(place.file)).toBe('one, compiled');
    expect(await load(place.file, ['node'], 'another')).toBe('one, compiled');
    expect(await load(place.file)).toBe('one, read back');
    expect(await load(place.file, ['node'], 'another')).toBe('one, read back');
  });

  it('removes what was kept of earlier builds', async () => {
    using place = program();
    for (const text of ['one', 'two', 'six']) {
      rmSync(place.file);
      writeFileSync(place.file, source(text));
      await load(place.file);
    }
    expect(readdirSync(place.path)).toHaveLength(2);
    expect(await load(place.file)).toBe('six, read back');
  });

  it('compiles what it cannot keep, and leaves nothing behind', async () => {
    using place = program();
    chmodSync(place.path, 0o755);
    expect(await load(place.file, AS_NOBODY)).toBe('one, compiled');
    expect(readdirSync(place.path)).toEqual(['program.cjs']);
  });
});

function program() {
  const place = temporaryDirectory();
  const file = join(place.path, 'program.cjs');
  writeFileSync(file, source('one'));
  return { path: place.path, file, [Symbol.dispose]: () => place[Symbol.dispose]() };
}

function source(text: string): string {
  return `exports.tell = () => require('node:util').format('%s', '${text}');`;
}

/** What a program says in a process of its own, and whether it was compiled there. */
async function load(file: string, node: readonly string[] = ['node'], use = 'one'): Promise<string> {
  const script = `
    const { exports, isReadBack } = (await import(${JSON.stringify(MODULE)})).loadCompiled(${JSON.stringify(file)}, '${use}');
    console.log(exports.tell() + ', ' + (isReadBack ? 'read back' : 'compiled'));`;
  return (await execa('env', [...node, '--input-type=module', '-e', script])).stdout;
}
