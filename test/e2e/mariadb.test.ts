import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
import { createMariaDb, query, startMariaDb, startWriter } from '../support/mariadb.js';
import { untilSo } from '../support/until.js';

const COMMITS = 10;
/** Which of the commits finds the table locked and flushed by a hook. */
const QUIET = 5;
/** How many versions run at the same time. */
const AT_ONCE = 2;

interface Committed {
  readonly number: number;
  /** In milliseconds. */
  readonly pause: number;
  /** The last row that was committed before. */
  readonly lastRow: number;
}

it('commits a database under constant inserts ten times, without an end to it, and every version has all rows', async () => {
  using lxc = temporaryLxc();
  createMariaDb(lxc, 'maria');
  await lxc.json('commit', '-m', 'Installed', 'maria');
  await startMariaDb(lxc, 'maria');
  await query(
    lxc,
    'maria',
    'CREATE DATABASE test; CREATE TABLE test.t (id INT PRIMARY KEY, payload VARCHAR(256) NOT NULL) ENGINE=InnoDB',
  );
  const server = await serverPid(lxc);
  const writer = startWriter(lxc, 'maria');

  const versions: Committed[] = [];
  let uptime = -1;
  for (let number = 1; number <= COMMITS; number++) {
    const lastRow = await rowAfter(lxc, versions.at(-1)?.lastRow ?? 0);
    versions.push(number === QUIET ? await commitQuiet(lxc) : await commit(lxc, lastRow));
    expect(await serverPid(lxc)).toBe(server);
    const seconds = await uptimeOf(lxc);
    expect(seconds).toBeGreaterThanOrEqual(uptime);
    uptime = seconds;
  }
  expect(versions.map(({ number }) => number)).toEqual(Array.from({ length: COMMITS }, (_, index) => index + 1));
  await rowAfter(lxc, versions.at(-1)?.lastRow ?? 0);
  expect(await writer.stop()).toEqual({ exitCode: 0, stderr: '' });
  expect(await recoveries(lxc, 'maria')).toBe(0);
  await lxc.stop('maria');

  for (const { number } of versions) await lxc.json('checkout', `maria@${number}`, `maria-${number}`);
  const rows = new Map<number, number>();
  const left = [...versions];
  const bootAll = async () => {
    for (let version = left.shift(); version !== undefined; version = left.shift()) {
      rows.set(version.number, await rowsAfterBoot(lxc, `maria-${version.number}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, bootAll));

  for (const { number, lastRow } of versions) expect(rows.get(number)).toBeGreaterThanOrEqual(lastRow);
  // What the hook has locked, no row was added to until the container ran again.
  expect(rows.get(QUIET)).toBe(versions[QUIET - 1]?.lastRow);
  const pauses = versions.map(({ pause }) => Math.round(pause)).join(', ');
  console.log(
    `MariaDB stood still for ${pauses} ms; the versions have ${versions.map((v) => rows.get(v.number)).join(', ')} rows`,
  );
});

async function commit(lxc: TestLxc, lastRow: number): Promise<Committed> {
  const { version } = await lxc.json<{ version: { number: number; pause: number } }>('commit', '-m', 'Busy', 'maria');
  expect(version.pause).toBeGreaterThan(0);
  return { number: version.number, pause: version.pause, lastRow };
}

/** Commits with hooks that lock and flush the table, and unlock it afterwards; the last row is the one under the lock. */
async function commitQuiet(lxc: TestLxc): Promise<Committed> {
  const [locked, thawed] = [join(lxc.directory, 'locked'), join(lxc.directory, 'thawed')];
  const hooks = join(lxc.store, 'maria/hooks');
  mkdirSync(hooks, { recursive: true });
  const hook = (name: string, script: string) =>
    writeFileSync(join(hooks, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  // The client holds the lock until its input ends: after the thaw, or in a minute.
  hook(
    'pre-freeze',
    `{
      echo 'FLUSH TABLES t FOR EXPORT; SELECT MAX(id) FROM t;'
      for wait in $(seq 600); do [ -e ${thawed} ] && break; sleep .1; done
    } | lxc-attach -P "$LXCV_LXCPATH" -n "$LXCV_CONTAINER" --clear-env -- mariadb -N --unbuffered test >${locked} &
    until [ -s ${locked} ]; do sleep .05; done`,
  );
  hook('post-thaw', `touch ${thawed}`);
  const committed = await commit(lxc, 0);
  for (const name of ['pre-freeze', 'post-thaw']) rmSync(join(hooks, name));
  return { ...committed, lastRow: Number(readFileSync(locked, 'utf8')) };
}

/** Waits until there are rows after this one, and returns the last. */
async function rowAfter(lxc: TestLxc, row: number): Promise<number> {
  const last = async () => Number((await query(lxc, 'maria', 'SELECT COALESCE(MAX(id), 0) FROM test.t'))[0]?.[0]);
  return await untilSo(last, (found) => found > row);
}

async function serverPid(lxc: TestLxc): Promise<number> {
  const running = async () => (await lxc.attach('maria', 'pgrep -x mariadbd || true')).split('\n').filter(Boolean);
  // One that forks a program is there twice for a moment.
  const [pid] = await untilSo(running, (pids) => pids.length === 1, 'no single server');
  return Number(pid);
}

/** In seconds. */
async function uptimeOf(lxc: TestLxc): Promise<number> {
  return Number((await query(lxc, 'maria', 'SHOW GLOBAL STATUS LIKE "Uptime"'))[0]?.[1]);
}

/** How many rows a version has that LXC boots: each as it was inserted, and none left out. */
async function rowsAfterBoot(lxc: TestLxc, name: string): Promise<number> {
  await startMariaDb(lxc, name);
  expect(await recoveries(lxc, name)).toBe(1);
  expect(await query(lxc, name, 'CHECK TABLE test.t EXTENDED')).toEqual([['test.t', 'check', 'status', 'OK']]);
  const [row = []] = await query(
    lxc,
    name,
    'SELECT MIN(id), MAX(id), COUNT(*), SUM(payload = REPEAT(MD5(id), 8)) FROM test.t',
  );
  await lxc.stop(name);
  const [first, last, count, intact] = row.map(Number);
  expect([first, count, intact]).toEqual([1, last, last]);
  return last as number;
}

/** How often the database of a container, or of what that was made of, had to recover from a crash. */
async function recoveries(lxc: TestLxc, name: string): Promise<number> {
  return Number(await lxc.attach(name, 'grep -c "Starting crash recovery" /var/lib/mysql/error.log || true'));
}
