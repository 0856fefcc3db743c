import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';

describe('the message of a commit', () => {
  it('is written in the editor on a terminal, which shows what changed', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    await lxc.json('commit', '-m', 'first', 'mysql');
    write(lxc, 'one');
    const shown = join(lxc.directory, 'shown');
    await commitOnTerminal(lxc, `cp "$1" ${shown}; printf 'From the editor\\n\\n# not this\\nSecond part\\n' >"$1"`);
    const { versions } = await lxc.json<{ versions: { message: string }[] }>('log', 'mysql');
    expect(versions[0]?.message).toBe('From the editor\n\nSecond part');
    const { stdout } = await execa('cat', [shown]);
    expect(stdout).toMatch(/^\n(#.*\n)*#.*one/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(80);
  });

  it('is asked for on the first commit too, which says that it is the first', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    const shown = join(lxc.directory, 'shown');
    await commitOnTerminal(lxc, `cp "$1" ${shown}; echo 'The first' >"$1"`);
    const { versions } = await lxc.json<{ versions: { message: string }[] }>('log', 'mysql');
    expect(versions.map(({ message }) => message)).toEqual(['The first']);
    expect(readFileSync(shown, 'utf8')).toContain('# This is the first version of mysql');
  });

  it('is refused where it is empty, as in git, but for --allow-empty-message', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    for (const args of [['-m', ''], ['-m', ' \n'], ['-F', '/dev/null'], []]) {
      const { exitCode, stderr } = await lxc.lxcv('commit', ...args, 'mysql');
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--allow-empty-message')]);
    }
    await lxc.json('commit', '--allow-empty-message', 'mysql');
    const { versions } = await lxc.json<{ versions: { message: string }[] }>('log', 'mysql');
    expect(versions.map(({ message }) => message)).toEqual(['']);
  });

  it('is told to be missing where its file is, in plain words', async () => {
    using lxc = temporaryLxc();
    const { stderr } = await lxc.lxcv('commit', '-F', '/no/such/file', 'mysql');
    expect(stderr).toMatch(/^lxcv: there is no file \/no\/such\/file\n/);
    expect(stderr).not.toContain('ENOENT');
  });

  it('ends the commit when it is left empty', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    await lxc.json('commit', '-m', 'first', 'mysql');
    write(lxc, 'one');
    expect(await commitOnTerminal(lxc, ':')).toContain('the message is empty: nothing was committed');
    const { versions } = await lxc.json<{ versions: unknown[] }>('log', 'mysql');
    expect(versions).toHaveLength(1);
  });

  it('is kept where the commit is refused, with the line that takes it, until a commit was made of it', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    await lxc.json('commit', '-m', 'first', 'mysql');
    const told = await commitOnTerminal(lxc, `printf 'Hard to\\nwrite' >"$1"`);
    expect(told).toContain('nothing changed in mysql');
    const file = join(lxc.store, '.message-mysql');
    expect(told.replaceAll(/\s+/g, ' ')).toContain(
      `kept: lxcv commit -P ${lxc.lxcpath} --allow-empty -F ${file} mysql`,
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    write(lxc, 'one');
    const other = join(lxc.directory, 'other');
    copyFileSync(file, other);
    await lxc.json('commit', '-F', other, 'mysql');
    expect([existsSync(file), existsSync(other)]).toEqual([true, true]);
    write(lxc, 'two');
    await lxc.json('commit', '-F', file, 'mysql');
    const { versions } = await lxc.json<{ versions: { message: string }[] }>('log', 'mysql');
    expect(versions[0]?.message).toBe('Hard to\nwrite');
    expect(existsSync(file)).toBe(false);
  });

  it('is not asked for, nor missed, where there is no such container', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    expect((await lxc.lxcv('commit', 'mysq')).stderr).toMatch(/^lxcv: there is no container mysq in /);
    expect((await lxc.lxcv('commit', 'mysql')).stderr).toMatch(/^lxcv: no commit message was given\n/);
  });

  it('comes from standard input for -F -', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    await lxc.lxcvWith({ input: 'Piped\n' }, 'commit', '-F', '-', 'mysql');
    const { versions } = await lxc.json<{ versions: { message: string }[] }>('log', 'mysql');
    expect(versions[0]?.message).toBe('Piped');
  });
});

function write(lxc: TestLxc, name: string): void {
  using root = lxc.mount('mysql');
  writeFileSync(join(root.path, name), name);
}

/** Runs a commit on a pseudo-terminal with a script of sh(1) as the editor; returns what the terminal showed. */
async function commitOnTerminal(lxc: TestLxc, editor: string): Promise<string> {
  const path = join(lxc.directory, 'editor');
  writeFileSync(path, `#!/bin/sh\n${editor}\n`);
  chmodSync(path, 0o755);
  const command = `${process.execPath} ${LXCV} commit -P ${lxc.lxcpath} mysql`;
  const { stdout } = await execa('script', ['-qec', command, '/dev/null'], {
    env: { VISUAL: path, GIT_EDITOR: '' },
    reject: false,
    stdin: 'pipe',
    input: '',
  });
  return stdout;
}
