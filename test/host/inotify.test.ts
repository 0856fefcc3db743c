import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/overlay.js';

const ALL_USERS = '0 0 4294967295';
const ROOT_ALONE = '0 0 1';
/** Of a user namespace: what each of its users may have. Those of the machine's root are left alone. */
const ONE_INSTANCE = 'echo 1 >/proc/sys/user/max_inotify_instances';
const ONE_WATCH = 'echo 1 >/proc/sys/user/max_inotify_watches';

describe('watchWrites', () => {
  it.each([ONE_INSTANCE, ONE_WATCH])(
    'watches as another where root has no more, and is root again (%s)',
    async (limit) => {
      const { stdout, signal } = await run(
        ALL_USERS,
        limit,
        `
      const who = () => readFileSync('/proc/thread-self/status', 'latin1').match(/^(Uid|Gid|Cap\\w+|Groups):.*/gm).join();
      const before = who();
      const watches = [watchWrites(file), watchWrites(file)];
      console.log(who() === before, /CapEff:\\t0*[1-9a-f]/.test(before));
      writeFileSync(file, '');
      for (const watch of watches) console.log(readSync(watch, Buffer.alloc(512)) > 0);`,
      );
      expect({ stdout, signal }).toEqual({ stdout: 'true true\ntrue\ntrue\n', signal: null });
    },
  );

  it('is refused where there is no other user', async () => {
    const { stdout } = await run(
      ROOT_ALONE,
      ONE_INSTANCE,
      `
      watchWrites(file);
      try { watchWrites(file) } catch ({ code }) { console.log(code, process.geteuid()) }`,
    );
    expect(stdout).toBe('EMFILE 0\n');
  });

  it('goes on as nobody else', async () => {
    const { stdout, signal } = await run(
      ALL_USERS,
      ONE_INSTANCE,
      `
      const calls = libc();
      const change = loadKoffi().load('libc.so.6').func('long syscall(long, unsigned int, unsigned int, unsigned int)');
      Object.defineProperty(calls, 'setresuid', { value: (...args) => (args[2] === 0 ? -1 : change(...args)) });
      watchWrites(file);
      console.log('one');
      watchWrites(file);
      console.log('two');`,
    );
    expect({ stdout, signal }).toEqual({ stdout: 'one\n', signal: 'SIGKILL' });
  });
});

/** Runs a script as root of a user namespace. @param users as in /proc/PID/uid_map. @param limit a line of sh(1). */
async function run(users: string, limit: string, script: string) {
  using room = temporaryDirectory();
  const [bundle, file] = [join(room.path, 'bundle.mjs'), join(room.path, 'file')];
  const source = (name: string) => JSON.stringify(fileURLToPath(new URL(`../../src/host/${name}.ts`, import.meta.url)));
  const contents = `
    import { readFileSync, readSync, writeFileSync } from 'node:fs';
    import { watchWrites } from ${source('inotify')};
    import { libc, loadKoffi } from ${source('libc')};
    const file = ${JSON.stringify(file)};
    ${script}`;
  buildSync({
    stdin: { contents, resolveDir: room.path },
    bundle: true,
    external: ['koffi'],
    outfile: bundle,
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
  writeFileSync(file, '');
  // Who has been mapped to root gets its capabilities with the next program.
  const inside = ['sh', '-c', `${limit} && exec "$@"`, 'sh', process.execPath, bundle];
  const child = spawn('unshare', ['--user', 'sh', '-c', 'echo ready; read -r _; exec "$@"', 'sh', ...inside], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: fileURLToPath(new URL('../../node_modules', import.meta.url)) },
  });
  await once(child.stdout, 'data');
  for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, users);
  let stdout = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes;
  });
  child.stdin.end('\n');
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { stdout, signal };
}
