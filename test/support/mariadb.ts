/** A Debian with MariaDB in a container, and what clients in there ask it and tell it. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestLxc } from './lxc.js';
import { untilSo } from './until.js';

/** What test/support/provision makes. */
const TARBALL = fileURLToPath(new URL('../../node_modules/.cache/lxcv/mariadb.tar', import.meta.url));

/** What its init script waits for before it takes the start for failed, in seconds, and puts another server in its place. */
const STARTS_WITHIN_S = 3600;

/** A row that was reported as committed is on disk; small files, for all of them change; a log of its own to be read. */
const SETTINGS = `[mariadbd]
skip-networking
innodb_flush_log_at_trx_commit = 1
innodb_log_file_size = 8M
innodb_buffer_pool_size = 16M
log_error = /var/lib/mysql/error.log
`;

/** A client that never pauses. */
export interface Writer {
  /** Lets it finish its last transaction, and returns how it ended and what it complained of. */
  stop(): Promise<{ readonly exitCode: number | null; readonly stderr: string }>;
}

/** Makes a container on a plain directory, without a network, whose init starts MariaDB. */
export function createMariaDb(lxc: TestLxc, name: string): void {
  if (!existsSync(TARBALL)) throw new Error('there is no Debian with MariaDB: bash test/support/provision mariadb');
  const directory = join(lxc.lxcpath, name);
  const rootfs = join(directory, 'rootfs');
  mkdirSync(rootfs, { recursive: true });
  execFileSync('tar', ['-C', rootfs, '--numeric-owner', '-xpf', TARBALL]);
  // It sends the log to syslog, of which there is none.
  rmSync(join(rootfs, 'etc/mysql/mariadb.conf.d/50-mysqld_safe.cnf'));
  writeFileSync(join(rootfs, 'etc/mysql/mariadb.conf.d/99-test.cnf'), SETTINGS);
  writeFileSync(join(rootfs, 'etc/default/mariadb'), `MYSQLD_STARTUP_TIMEOUT=${STARTS_WITHIN_S}\n`);
  const config = [
    'lxc.include = /usr/share/lxc/config/common.conf',
    'lxc.arch = linux64',
    'lxc.net.0.type = empty',
    `lxc.uts.name = ${name}`,
    `lxc.rootfs.path = dir:${rootfs}`,
  ];
  writeFileSync(join(directory, 'config'), `${config.join('\n')}\n`, { mode: 0o640 });
}

/** Starts a container with LXC alone, and waits until its database answers. */
export async function startMariaDb(lxc: TestLxc, name: string): Promise<void> {
  await lxc.start(name);
  const ask = () => lxc.tool('lxc-attach', '-n', name, '--clear-env', '--', 'mariadb', '-e', 'DO 1');
  await untilSo(ask, ({ exitCode }) => exitCode === 0, 'no answer of MariaDB');
}

/** Asks the database of a running container, and returns the rows, each as its columns. */
export async function query(lxc: TestLxc, name: string, sql: string): Promise<string[][]> {
  const output = await lxc.attach(name, `mariadb --batch --skip-column-names -e '${sql}'`);
  return output
    .trimEnd()
    .split('\n')
    .map((row) => row.split('\t'));
}

/** Keeps one client inserting the rows 1, 2, 3, ... into the table `test.t`, each in a transaction of its own. */
export function startWriter(lxc: TestLxc, name: string): Writer {
  const script = `i=0
    while [ ! -e /root/stop ]; do i=$((i + 1)); echo "INSERT INTO t VALUES ($i, REPEAT(MD5($i), 8));"; done |
    mariadb test`;
  const client = ['-P', lxc.lxcpath, '-n', name, '--clear-env', '--', 'sh', '-c', script];
  const child = spawn('lxc-attach', client, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(child, 'close');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    stop: async () => {
      await lxc.attach(name, 'touch /root/stop');
      const [exitCode] = (await exit) as [number | null];
      return { exitCode, stderr };
    },
  };
}
