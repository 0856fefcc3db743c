import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from './overlay.js';

const PROVISION = fileURLToPath(new URL('provision', import.meta.url));
const PACKAGES =
  'acl attr btrfs-progs busybox-static e2fsprogs git libcap2-bin linux-libc-dev lxc lxc-templates mmdebstrap rpm rsync xfsprogs xz-utils zstd'.split(
    ' ',
  );
const CACHE = 'project/node_modules/.cache/lxcv';
const TOOLS = 'bash comm dirname find mkdir mv rm sed sort'.split(' ');

/** Stand-ins for what would change the machine: each notes how it was called, and does what it should in small. */
const PROGRAMS = {
  'dpkg-query': `sed 's/^/installed /' "$MACHINE/installed"; echo not-installed another`,
  'apt-get': `echo "apt-get $*" >>"$MACHINE/log"
    for word; do case $word in lxc-templates|zstd) echo "$word" >>"$MACHINE/installed"; esac; done`,
  npm: `echo "npm $*" >>"$MACHINE/log"
    case $1 in ci) mkdir -p node_modules; echo >node_modules/.package-lock.json;; run) rm -rf dist; mkdir dist; esac`,
  mmdebstrap: `echo "mmdebstrap $*" >>"$MACHINE/log"
    for last; do :; done; echo a tarball >"$last"; [ ! -e "$MACHINE/offline" ]`,
};

describe('provision', () => {
  it('does nothing on a machine that is ready', () => {
    using machine = readyMachine();
    expect(machine.provision()).toEqual({ status: 0, said: [], ran: [] });
  });

  it('installs the Debian packages that are missing, and no others', () => {
    using machine = readyMachine();
    machine.uninstall('lxc-templates', 'zstd');
    expect(machine.provision()).toEqual({
      status: 0,
      said: ['provision: installing lxc-templates zstd'],
      ran: [
        'apt-get -o DPkg::Lock::Timeout=120 update',
        'apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends lxc-templates zstd',
      ],
    });
    expect(machine.provision().ran).toEqual([]);
  });

  it('names the packages that could not be installed', () => {
    using machine = readyMachine();
    machine.uninstall('acl', 'zstd');
    const { status, said } = machine.provision();
    expect({ status, last: said.at(-1) }).toEqual({ status: 1, last: 'provision: apt-get could not install acl' });
  });

  it('tells another user than root what to install', () => {
    using machine = readyMachine();
    machine.uninstall('acl', 'zstd');
    expect(machine.provision({ uid: 65534 })).toEqual({
      status: 1,
      said: ['provision: only root can install what is missing: apt-get install acl zstd'],
      ran: [],
    });
  });

  it('tells what is missing where there is no apt-get', () => {
    using machine = readyMachine();
    rmSync(machine.at('bin/apt-get'));
    rmSync(machine.at('bin/dpkg-query'));
    expect(machine.provision()).toEqual({
      status: 1,
      said: [`provision: no apt-get here to install what is missing: ${PACKAGES.join(' ')}`],
      ran: [],
    });
  });

  it('installs node_modules where they are older than the lock file, and then builds', () => {
    using machine = readyMachine();
    machine.change('package-lock.json', 'src/source.ts');
    expect(machine.provision()).toEqual({
      status: 0,
      said: ['provision: installing node_modules', 'provision: building dist'],
      ran: ['npm ci --include=dev', 'npm run build'],
    });
  });

  it('leaves no half-built dist behind, and shows why it could not build', () => {
    using machine = readyMachine();
    machine.change('src/source.ts');
    machine.program('npm', 'echo "error TS2304"; exit 2');
    expect(machine.provision()).toEqual({
      status: 1,
      said: ['provision: building dist', 'error TS2304', 'provision: the build failed, so dist is missing'],
      ran: [],
    });
    expect(existsSync(machine.at('project/dist'))).toBe(false);
  });

  it('makes a Debian with MariaDB once, and only where that is asked for', () => {
    using machine = readyMachine();
    expect(machine.provision().ran).toEqual([]);
    const { status, said, ran } = machine.provision({}, 'mariadb');
    expect({ status, said }).toEqual({
      status: 0,
      said: ['provision: making a Debian with MariaDB, which takes a minute or so'],
    });
    expect(ran).toEqual([expect.stringMatching(/^mmdebstrap .*--include=mariadb-server\b.* bookworm /)]);
    expect(readdirSync(machine.at(CACHE))).toEqual(['mariadb.tar']);
    expect(machine.provision({}, 'mariadb')).toEqual({ status: 0, said: [], ran: [] });
  });

  it('leaves no half of a Debian behind', () => {
    using machine = readyMachine();
    writeFileSync(machine.at('offline'), '');
    const { status, said } = machine.provision({}, 'mariadb');
    expect({ status, last: said.at(-1) }).toEqual({
      status: 1,
      last: 'provision: mmdebstrap failed, so there is no Debian with MariaDB',
    });
    expect(readdirSync(machine.at(CACHE))).toEqual([]);
  });
});

/** A project with a machine of its own around it, on which nothing is left to do. */
function readyMachine() {
  const directory = temporaryDirectory();
  const at = (name: string) => join(directory.path, name);
  const program = (name: string, script: string) =>
    writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const install = (names: string[]) => writeFileSync(at('installed'), names.map((name) => `${name}\n`).join(''));

  chmodSync(directory.path, 0o755);
  for (const name of ['bin', 'project/test/support', 'project/src', 'project/commands', 'project/node_modules']) {
    mkdirSync(at(name), { recursive: true });
  }
  for (const name of ['package.json', 'tsconfig.json', 'package-lock.json', 'src/source.ts'])
    writeFileSync(at(`project/${name}`), '');
  writeFileSync(at('project/node_modules/.package-lock.json'), '');
  mkdirSync(at('project/dist'));
  copyFileSync(PROVISION, at('project/test/support/provision'));
  install(PACKAGES);
  for (const tool of TOOLS) symlinkSync(`/usr/bin/${tool}`, at(`bin/${tool}`));
  for (const [name, script] of Object.entries(PROGRAMS)) program(name, script);

  return {
    ...directory,
    at,
    program,
    uninstall: (...names: string[]) => install(PACKAGES.filter((name) => !names.includes(name))),
    /** Makes files of the project a minute newer than all that was made out of them. */
    change(...names: string[]) {
      const soon = new Date(Date.now() + 60_000);
      for (const name of names) utimesSync(at(`project/${name}`), soon, soon);
    },
    /** Runs it from some other directory; `ran` is what it called since the last time. */
    provision(user: { uid?: number } = {}, ...args: string[]) {
      rmSync(at('log'), { force: true });
      const { status, stderr } = spawnSync('/bin/bash', [at('project/test/support/provision'), ...args], {
        ...user,
        cwd: '/',
        env: { PATH: at('bin'), MACHINE: directory.path },
        encoding: 'utf8',
      });
      const log = existsSync(at('log')) ? readFileSync(at('log'), 'utf8') : '';
      return { status, said: lines(stderr), ran: lines(log) };
    },
  };
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
