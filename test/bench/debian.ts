/** A Debian root filesystem, and steps that change it as an administrator does. */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestLxc } from '../support/lxc.js';

/** Made once; it is kept with what npm installed. */
const TARBALL = fileURLToPath(new URL('../../node_modules/.cache/lxcv/debian.tar', import.meta.url));
const SMALL_FILES = 20_000;
const LARGE_MIB = 500;

export interface DebianStep {
  /** As the table names it. */
  readonly name: string;
  /** @param root where the container's root is mounted to be written to. */
  readonly change: (root: string) => void;
}

/** In this order. Packages are installed without what they recommend. */
export const DEBIAN_STEPS: readonly DebianStep[] = [
  { name: 'install nginx', change: (root) => apt(root, 'install', 'nginx-light') },
  { name: 'edit its config', change: (root) => appendFileSync(join(root, 'etc/nginx/nginx.conf'), '# an edit\n') },
  { name: 'install python3', change: (root) => apt(root, 'install', 'python3') },
  { name: `${SMALL_FILES.toLocaleString('en')} small files`, change: addSmallFiles },
  { name: `a file of ${LARGE_MIB} MB`, change: addLargeFile },
  { name: 'install git', change: (root) => apt(root, 'install', 'git') },
  { name: 'append to the large file', change: (root) => appendFileSync(join(root, 'srv/large'), randomBytes(2 ** 20)) },
  { name: 'install gcc', change: (root) => apt(root, 'install', 'gcc') },
  { name: 'remove half of the small files', change: removeSmallFiles },
  { name: 'purge nginx', change: (root) => apt(root, 'purge', 'nginx-light') },
  { name: 'install sqlite3', change: (root) => apt(root, 'install', 'sqlite3') },
  { name: 'remove what nothing needs', change: (root) => apt(root, 'autoremove') },
];

/** Makes a container with a Debian, with lists of packages, on a plain directory; it has no init. */
export function createDebian(lxc: TestLxc, name: string): void {
  if (!existsSync(TARBALL)) makeTarball();
  const directory = join(lxc.lxcpath, name);
  const rootfs = join(directory, 'rootfs');
  mkdirSync(rootfs, { recursive: true });
  execFileSync('tar', ['-C', rootfs, '--numeric-owner', '-xpf', TARBALL]);
  // LXC makes the devices that a container needs, and ostree keeps none.
  for (const device of readdirSync(join(rootfs, 'dev'))) rmSync(join(rootfs, 'dev', device), { recursive: true });
  apt(rootfs, 'update');
  const config = ['lxc.arch = linux64', 'lxc.net.0.type = empty', `lxc.uts.name = ${name}`];
  writeFileSync(join(directory, 'config'), `${[...config, `lxc.rootfs.path = dir:${rootfs}`].join('\n')}\n`);
}

function makeTarball(): void {
  mkdirSync(dirname(TARBALL), { recursive: true });
  const unfinished = `${TARBALL}.${process.pid}`;
  execFileSync('mmdebstrap', ['--quiet', '--format=tar', '--variant=apt', 'bookworm', unfinished]);
  renameSync(unfinished, TARBALL);
}

/** The host's apt, which has a network, at work on another root. */
function apt(root: string, command: string, ...packages: string[]): void {
  const settings = {
    Dir: root,
    'Dir::State::Status': join(root, 'var/lib/dpkg/status'),
    'Dir::Etc::TrustedParts': '/usr/share/keyrings',
    'DPkg::Chroot-Directory': root,
    'Dpkg::Use-Pty': '0',
    'Dpkg::Options::': '--force-unsafe-io',
    'APT::Sandbox::User': 'root',
    'APT::Install-Recommends': 'false',
    // A mirror may be a snapshot of some day.
    'Acquire::Check-Valid-Until': 'false',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  execFileSync('apt-get', [...options, '-y', '-qq', command, ...packages], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function addSmallFiles(root: string): void {
  for (let file = 0; file < SMALL_FILES; file += 1) {
    const directory = join(root, `srv/small/d${file % 200}`);
    if (file < 200) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `f${file}`), `${file}\n`.repeat(100));
  }
}

function removeSmallFiles(root: string): void {
  const small = join(root, 'srv/small');
  for (const directory of readdirSync(small).sort().slice(100)) rmSync(join(small, directory), { recursive: true });
}

function addLargeFile(root: string): void {
  for (let mib = 0; mib < LARGE_MIB; mib += 1) appendFileSync(join(root, 'srv/large'), randomBytes(2 ** 20));
}
