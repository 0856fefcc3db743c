import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { Files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import { mountDisk } from '../support/disk.js';
import { setXattr } from '../support/libc.js';
import { type ErrorJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { recorder } from '../support/recorder.js';

describe('export', () => {
  let lxc: TestLxc;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    {
      using root = lxc.mount('mysql');
      mkdirSync(join(root.path, 'locked'));
      writeFileSync(join(root.path, 'locked/secret'), 'of root\n', { mode: 0o000 });
      writeFileSync(join(root.path, 'big'), randomBytes(3 << 20));
      chmodSync(join(root.path, 'locked'), 0o000);
    }
    await lxc.commit('mysql', 'first');
    {
      using root = lxc.mount('mysql');
      setXattr(Buffer.from(join(root.path, 'big')), 'trusted.mine', Buffer.from('kept'));
    }
    await lxc.commit('mysql', 'second');
  });
  afterAll(() => lxc[Symbol.dispose]());

  it('reads what root alone may read, by a tar that is nobody, and writes it for root alone', async () => {
    using tar = recorder('tar');
    for (const [umask, rev, powers] of [
      ['000', 'mysql@0', '0000000000000004'],
      ['777', 'mysql@1', '0000000000200004'],
    ] as const) {
      const out = join(lxc.directory, `${umask}.tar`);
      const words = ['export', rev, '-o', out, '-P', lxc.lxcpath];
      execFileSync('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', process.execPath, LXCV, ...words], {
        env: { ...process.env, PATH: tar.path },
        stdio: 'pipe',
      });
      expect(statSync(out).mode & 0o777).toBe(0o600);
      expect(execFileSync('tar', ['-xOf', out, './locked/secret'], { encoding: 'utf8' })).toBe('of root\n');
      const pax = readFileSync(out, 'latin1');
      expect(pax.includes('SCHILY.xattr.trusted.mine=kept')).toBe(rev === 'mysql@1');
      expect(tar.told()).toMatchObject({ uid: '65534', bounding: powers, effective: powers, noNewPrivileges: '1' });
      expect(tar.told()).toMatchObject({
        cpu: expect.stringMatching(/^\d+$/),
        memory: '8589934592',
        file: expect.stringMatching(/^\d+$/),
      });
      expect(tar.told().namespace).not.toBe(readlinkSync('/proc/self/ns/mnt'));
    }
  });

  it('tells, as blame does, the branches and tags that name the version', async () => {
    const refs = ['mysql', 'shipped'];
    await lxc.json('tag', 'mysql', 'shipped');
    const output = join(lxc.directory, 'named.tar');
    expect(await lxc.json('export', 'mysql', '-o', output)).toMatchObject({ version: { number: 1, refs } });
    expect(await lxc.json('export', 'mysql@0', '-o', `${output}.gz`)).toMatchObject({ version: { refs: [] } });
    {
      using root = lxc.mount('mysql');
      writeFileSync(join(root.path, 'text'), 'a line\n');
    }
    expect(await lxc.json('blame', 'mysql@WORK', 'text')).toMatchObject({ lines: [{ version: null }] });
    await lxc.commit('mysql', 'third');
    expect(await lxc.json('blame', 'mysql', 'text')).toMatchObject({ lines: [{ version: { refs: ['mysql'] } }] });
  });

  it('leaves a process that uses the engine where it was', async () => {
    const before = readlinkSync('/proc/self/ns/mnt');
    const engine = await openEngine({ lxcpath: lxc.lxcpath });
    const output = join(lxc.directory, 'api.tar');
    await engine.exportVersion({ revision: 'mysql@0', output, acceptBase: false });
    expect(readlinkSync('/proc/self/ns/mnt')).toBe(before);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(' - overlay lxcv ');
  });

  it.each([
    ['without a name', false, (...args) => machine.files.createNameless(...args)],
    ['under another name, where the file system has no others,', true, () => undefined],
  ] as [string, boolean, Files['createNameless']][])(
    'is written %s until it is whole, and never in the place of another file',
    async (_, isNamed, createNameless) => {
      using directory = temporaryDirectory();
      const output = join(directory.path, 'new.tar');
      const seen: string[][] = [];
      let meanwhile = () => {};
      const files = { ...machine.files, createNameless };
      const startConfined: typeof machine.programs.startConfined = (...args) => {
        seen.push(readdirSync(directory.path));
        meanwhile();
        return machine.programs.startConfined(...args);
      };
      const host = { ...machine, files, programs: { ...machine.programs, startConfined } };
      const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
      const run = () => engine.exportVersion({ revision: 'mysql@0', output, acceptBase: false });
      await run();
      expect(statSync(output)).toMatchObject({ mode: 0o100600, nlink: 1 });
      expect(execFileSync('tar', ['-tf', output], { encoding: 'utf8' })).toContain('./locked/secret');
      rmSync(output);
      meanwhile = () => writeFileSync(output, 'of another');
      await expect(run()).rejects.toMatchObject({ code: 'output-exists' });
      expect(readFileSync(output, 'utf8')).toBe('of another');
      expect(readdirSync(directory.path)).toEqual(['new.tar']);
      expect(seen.map((names) => names.length)).toEqual(isNamed ? [1, 1] : [0, 0]);
    },
  );

  it.each(['SIGSEGV', 'SIGKILL'] as const)('says what else there is where tar is ended by %s', async (signal) => {
    const result = { exitCode: undefined, signal, stderr: '', missing: false, ended: `was ended by ${signal}` };
    const startConfined: typeof machine.programs.startConfined = (...words) =>
      Object.assign(machine.programs.startConfined(...words), { result: Promise.resolve(result) });
    const host = { ...machine, programs: { ...machine.programs, startConfined } };
    const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
    const output = join(lxc.directory, 'ended.tar');
    await expect(engine.exportVersion({ revision: 'mysql@0', output, acceptBase: false })).rejects.toMatchObject({
      message: `tar failed: was ended by ${signal}`,
      hint: expect.stringMatching(/nested too deep.*: lxcv mount mysql@0 \/mnt$/) as unknown,
    });
    expect(existsSync(output)).toBe(false);
  });

  it('leaves nothing where it is killed', async () => {
    using directory = temporaryDirectory();
    using tar = slowTar();
    const words = ['export', 'mysql@0', '-o', join(directory.path, 'new.tar.gz'), '-P', lxc.lxcpath];
    const lxcv = spawn(process.execPath, [LXCV, ...words], { env: { ...process.env, PATH: tar.path } });
    await readFile(tar.begun);
    lxcv.kill('SIGKILL');
    await once(lxcv, 'exit');
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it.each(['new.tar', 'new.tar.gz'])('says that the disk is full, and leaves nothing of %s there', async (name) => {
    using disk = mountDisk('ext4', 4 << 20);
    writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(1 << 20, 1));
    const before = readdirSync(disk.path);
    const { exitCode, stdout } = await lxc.lxcv('export', '--json', 'mysql', '-o', join(disk.path, name));
    expect([exitCode, (JSON.parse(stdout) as ErrorJson).error.code]).toEqual([1, 'no-space']);
    expect(readdirSync(disk.path)).toEqual(before);
  });
});

/** A tar that says, in the FIFO `begun`, that it runs, and comes to no end. */
function slowTar(): DisposablePath & { readonly begun: string } {
  const directory = temporaryDirectory();
  const [begun, program] = [join(directory.path, 'begun'), join(directory.path, 'tar')];
  execFileSync('mkfifo', ['-m', '666', begun]);
  writeFileSync(program, `#!/bin/sh\necho content\necho >${begun}\nexec sleep 1000\n`);
  chmodSync(program, 0o755);
  chmodSync(directory.path, 0o755);
  return { path: `${directory.path}:${process.env.PATH}`, begun, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}
