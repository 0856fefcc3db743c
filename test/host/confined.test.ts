import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buildSync, transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { collectConfined, MOUNT_POINT, startConfined } from '../../src/host/confined.js';
import { temporaryDirectory } from '../support/overlay.js';
import { until } from '../support/until.js';

/** A zombie runs no more: what its parent left behind need not be waited for by anybody. */
function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

const LIMITS = { cpuSeconds: 10, memoryBytes: 2 ** 29, fileBytes: 2 ** 20 };
const run = (program: string, args: string[], more: object = {}) =>
  collectConfined(program, args, { limits: LIMITS, stdoutMax: 2 ** 20, ...more });

describe('a confined program', () => {
  it('is nobody, without capabilities, in a mount namespace of its own, within limits', async () => {
    const told = await run('sh', ['-c', 'cat /proc/self/status /proc/self/limits; readlink /proc/self/ns/mnt; env']);
    const text = told.stdout.toString();
    for (const id of ['Uid', 'Gid']) expect(text).toMatch(new RegExp(`^${id}:${'\t65534'.repeat(4)}$`, 'm'));
    expect(text).toMatch(/^Groups:\s*$/m);
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) expect(text).toMatch(new RegExp(`^Cap${set}:\t0{16}$`, 'm'));
    expect(text).toMatch(/^NoNewPrivs:\t1$/m);
    expect(text).toMatch(/^Max cpu time +10 +11 /m);
    expect(text).toMatch(/^Max address space +536870912 +536870912 /m);
    expect(text).toMatch(/^Max file size +1048576 +1048576 /m);
    expect(text).toMatch(/^Max core file size +0 +0 /m);
    expect(text).toContain('mnt:[');
    expect(text).not.toContain(readlinkSync('/proc/self/ns/mnt'));
    expect(text).not.toContain('HOME=');
  });

  it('is told as missing, as one that failed, or with the limit that it came to', async () => {
    expect(await run('no-such-program', [])).toMatchObject({ missing: true });
    expect(await run('sh', ['-c', 'echo why >&2; exit 3'])).toMatchObject({
      ...{ exitCode: 3, stderr: 'why\n', missing: false, ended: undefined },
    });
    const short = { limits: { ...LIMITS, cpuSeconds: 1 } };
    expect((await run('sh', ['-c', 'while :; do :; done'], short)).ended).toBe('took more than 1 s');
    expect((await run('cat', ['/dev/zero'])).ended).toBe('prints more than 1048576 bytes');
    using place = temporaryDirectory();
    const output = openSync(join(place.path, 'out'), 'wx');
    expect((await run('cat', ['/dev/zero'], { stdout: output })).ended).toBe('wrote more than 1048576 bytes');
    closeSync(output);
  });

  it('keeps within the limits that lxcv was given, and is not taken for one that ran where it cannot be confined', async () => {
    const soft = { limits: { ...LIMITS, fileBytes: 2 ** 60 } };
    expect(await run('true', [], soft)).toMatchObject({ exitCode: 0 });
    using place = temporaryDirectory();
    for (const program of ['unshare', 'prlimit', 'setpriv']) {
      const stand = join(place.path, program);
      writeFileSync(stand, `#!/bin/sh\necho '${program}: no' >&2\nexit 1\n`, { mode: 0o755 });
      const before = process.env.PATH;
      process.env.PATH = `${place.path}:${before}`;
      const told = await run('grep', ['x']).finally(() => {
        process.env.PATH = before;
      });
      rmSync(stand);
      expect(told).toMatchObject({
        exitCode: undefined,
        missing: false,
        ended: `could not be confined: ${program}: no`,
      });
    }
  });

  it('is given what it reads, and waits while nobody reads what it prints', async () => {
    async function* input() {
      for (let piece = 0; piece < 100; piece += 1) yield Buffer.alloc(10_000, 'x');
    }
    expect((await run('wc', ['-c'], { stdin: input() })).stdout.toString()).toBe('1000000\n');
    await run('true', [], { stdin: input() });
    const file = openSync('/etc/hostname', 'r');
    const told = await run('cat', ['-', '/dev/fd/3'], { stdin: file, descriptors: [file] });
    closeSync(file);
    expect(told.stdout.toString()).toBe(readFileSync('/etc/hostname', 'latin1').repeat(2));
    const running = startConfined('cat', ['/dev/zero'], { limits: LIMITS });
    await running[Symbol.asyncDispose]();
    expect((await running.result).ended).toBe('was ended by SIGKILL');
  });

  it('alone sees the overlay that it is given', async () => {
    using place = temporaryDirectory();
    for (const layer of ['a', 'b']) mkdirSync(join(place.path, layer));
    writeFileSync(join(place.path, 'a/secret'), 'of root\n', { mode: 0o600 });
    const overlay = `lowerdir=${join(place.path, 'a')}:${join(place.path, 'b')}`;
    const more = { overlay, capabilities: ['dac_read_search'] };
    const script = 'cat "$1/secret"; touch "$1/new"; cut -d" " -f5 /proc/self/mountinfo';
    const told = await run('sh', ['-c', script, 'sh', MOUNT_POINT], more);
    expect(told.stdout.toString()).toMatch(/^of root\n.*lxcv-/s);
    expect(told.stderr).toContain('Read-only file system');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(place.path);
    expect(existsSync(told.stdout.toString().trim().split('\n').at(-1) as string)).toBe(false);
    expect((await run('cat', [`${MOUNT_POINT}`], { overlay })).exitCode).toBe(1);
  });

  it.each([
    ['it writes to is not there', { stdout: '/nowhere/at all' }, 'ENOENT'],
    ['it is given is too much', { env: { LONG: 'x'.repeat(1 << 21) } }, 'E2BIG'],
  ] as const)('leaves no directory behind where what %s', (_, more, code) => {
    using place = temporaryDirectory();
    const { TMPDIR } = process.env;
    process.env.TMPDIR = place.path;
    try {
      const start = () => startConfined('true', [], { limits: LIMITS, overlay: 'lowerdir=/', ...more });
      expect(start).toThrow(expect.objectContaining({ code }));
      expect(readdirSync(place.path)).toEqual([]);
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
  });

  it('hands no mount on to a machine whose mounts are shared', () => {
    using place = temporaryDirectory();
    for (const layer of ['a', 'b']) mkdirSync(join(place.path, layer));
    const options = { limits: LIMITS, overlay: `lowerdir=${join(place.path, 'a')}:${join(place.path, 'b')}` };
    const script = writeScript(
      place.path,
      `import { readFileSync } from 'node:fs';
      const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');
      await using running = startConfined('sh', ['-c', 'cat /proc/self/mountinfo; exec sleep 1000'], ${JSON.stringify(options)});
      for await (const said of running.stdout) {
        console.log([String(said), mounts()].map((text) => text.includes('lowerdir=${place.path}')), / shared:/.test(mounts()));
        break;
      }`,
    );
    const words = ['--mount', '--propagation', 'shared', process.execPath, script];
    const { stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
    expect(stdout + stderr).toBe('[ true, false ] true\n');
  });

  it('ends with lxcv, whatever ends that', async () => {
    using place = temporaryDirectory();
    const script = writeScript(
      place.path,
      `const running = startConfined('sh', ['-c', 'echo $$; exec sleep 1000'], { limits: ${JSON.stringify(LIMITS)} });
      for await (const said of running.stdout) process.stdout.write(said);`,
    );
    const lxcv = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<string>((resolve) => lxcv.stdout.once('data', (said) => resolve(`${said}`.trim())));
    expect(Number(pid)).toBeGreaterThan(1);
    lxcv.kill('SIGKILL');
    await until(() => isRunning(pid), false);
  });
});

/** A program that begins with what is here under test, as lxcv has it. */
function writeScript(directory: string, text: string): string {
  const module = new URL('../../src/host/confined.ts', import.meta.url).pathname;
  const [script, bundle] = [join(directory, 'lxcv.mjs'), join(directory, 'confined.mjs')];
  buildSync({ entryPoints: [module], outfile: bundle, format: 'esm', platform: 'node', target: 'node20' });
  // Node 20 takes no `await using`.
  const plain = transformSync(`import { startConfined } from ${JSON.stringify(bundle)};\n${text}`, {
    target: 'node20',
    format: 'esm',
  });
  writeFileSync(script, plain.code);
  return script;
}
