import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Host, machine } from '../../src/host/host.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { type Change, ChangeList, type NameRange } from '../../src/model/changes.js';
import type { ReportEvent } from '../../src/plumbing/context.js';
import { comparePackages, foldPackages } from '../../src/plumbing/packages.js';
import { temporaryDirectory } from '../support/overlay.js';
import { placeOf } from '../support/place.js';

describe('comparePackages', () => {
  it('reads the databases of dpkg and apk, each part from the layer that shows it', async () => {
    using room = temporaryRoom();
    room.write('base/var/lib/dpkg/status', 'Package: a\nStatus: install ok installed\nVersion: 1\n');
    room.write('base/var/lib/dpkg/status.d/b', 'Package: b\nVersion: 1\n');
    room.write('base/var/lib/dpkg/status.d/b.md5sums', 'Package: no\nVersion: 1\n');
    room.write('delta/var/lib/dpkg/status', 'Package: a\nStatus: install ok installed\nVersion: 2\n');
    room.write('delta/lib/apk/db/installed', 'P:busybox\nV:1\n');
    expect(await room.compare(['base'], ['delta', 'base'])).toEqual([
      { manager: 'dpkg', installed: [], removed: [], upgraded: [{ name: 'a', from: '1', to: '2' }] },
      { manager: 'apk', installed: [{ name: 'busybox', version: '1' }], removed: [], upgraded: [] },
    ]);
    const [dpkg] = await room.compare(['base'], []);
    expect(dpkg?.removed.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(room.notices).toEqual([]);
  });

  it('reads the database of rpm with rpm', async () => {
    using room = temporaryRoom();
    room.rpm('before/var/lib/rpm', 'one-1-1', 'two-1-1');
    room.rpm('after/usr/lib/sysimage/rpm', 'two-2:1-1', 'three-1-1');
    symlinkSync('../../usr/lib/sysimage/rpm', room.at('after/var/lib/rpm'));
    expect(await room.compare(['before'], ['after'])).toEqual([
      {
        manager: 'rpm',
        installed: [{ name: 'three', version: '1-1' }],
        removed: [{ name: 'one', version: '1-1' }],
        upgraded: [{ name: 'two', from: '1-1', to: '2:1-1' }],
      },
    ]);
    expect(room.notices).toEqual([]);
  });

  it('says that there is a database of rpm where there is no rpm', async () => {
    using room = temporaryRoom();
    room.write('base/var/lib/rpm/rpmdb.sqlite', '');
    const collectConfined: Host['programs']['collectConfined'] = (_program, args, options) =>
      machine.programs.collectConfined('/no/such/program', args, options);
    const host: Host = { ...machine, programs: { ...machine.programs, collectConfined } };
    expect(await room.compare(['base'], [], host)).toEqual([]);
    expect(room.notices[0]).toBe('before has an rpm database, but there is no rpm here to read it');
  });

  it('tells nothing of a package manager of which one side cannot be read', async () => {
    using room = temporaryRoom();
    room.rpm('before/var/lib/rpm', 'one-1-1');
    room.write('after/var/lib/rpm/rpmdb.sqlite', 'no database');
    expect(await room.compare(['before'], ['after'])).toEqual([]);
    expect(room.notices).toEqual([expect.stringMatching(/^after has an rpm database, but rpm cannot read it: /)]);
  });

  it('has rpm read a copy of the database alone, as nobody, and leaves nothing of it', async () => {
    using room = temporaryRoom();
    room.rpm('before/var/lib/rpm', 'one-1-1');
    room.write('before/var/lib/rpm/ballast', 'x'.repeat(1000));
    const told: string[] = [];
    const collectConfined: Host['programs']['collectConfined'] = async (_program, args, options) => {
      const result = await machine.programs.collectConfined('sh', ['-c', 'id -u; ls "$2"', ...args], options);
      told.push(...result.stdout.toString().trim().split('\n'), `${args[2]}`);
      return { ...result, stdout: Buffer.alloc(0) };
    };
    await room.compare(['before'], [], { ...machine, programs: { ...machine.programs, collectConfined } });
    expect(told.slice(0, -1)).toEqual(['65534', 'rpmdb.sqlite', 'rpmdb.sqlite-shm', 'rpmdb.sqlite-wal']);
    expect(existsSync(told.at(-1) as string)).toBe(false);
  });

  it('reads nothing of a database that costs more than one may, and tells nothing of it', async () => {
    using room = temporaryRoom();
    room.write('before/var/lib/dpkg/status', 'Package: a\nVersion: 1\n');
    room.write('many/var/lib/dpkg/status', 'Package: a\nVersion: 1\n\n'.repeat(100_001));
    for (const part of ['a', 'b', 'c']) {
      room.write(`large/var/lib/dpkg/status.d/${part}`, '');
      truncateSync(room.at(`large/var/lib/dpkg/status.d/${part}`), 12 << 20);
    }
    room.write('rpm/var/lib/rpm/Packages', '');
    truncateSync(room.at('rpm/var/lib/rpm/Packages'), 2 ** 40);
    for (const after of ['many', 'large', 'rpm']) {
      expect(
        (await room.compare(['before'], [after])).filter(({ manager }) => after === 'rpm' && manager === 'rpm'),
      ).toEqual([]);
    }
    expect(room.notices).toEqual([
      '/var/lib/dpkg/status of after has more packages than any system: it was not read',
      '/var/lib/dpkg/status.d/c of after is too large for a database: it was not read',
      '/var/lib/rpm/Packages of after is too large for a database: it was not read',
    ]);
  });

  it('follows no link, opens nothing but files, and reads nothing that is no database by its size', async () => {
    using room = temporaryRoom();
    room.write('outside/status', 'Package: secret\nVersion: 1\n');
    room.write('outside/installed', 'P:secret\nV:1\n');
    room.write('base/lib/apk/file', '');
    mkdirSync(room.at('base/var/lib/dpkg'), { recursive: true });
    symlinkSync(room.at('outside/status'), room.at('base/var/lib/dpkg/status'));
    symlinkSync(room.at('outside'), room.at('base/var/lib/dpkg/status.d'));
    symlinkSync(room.at('outside'), room.at('base/lib/apk/db'));
    mkdirSync(room.at('base/usr/lib/apk/db'), { recursive: true });
    execFileSync('mkfifo', [room.at('base/usr/lib/apk/db/installed')]);
    room.write('huge/var/lib/dpkg/status', '');
    truncateSync(room.at('huge/var/lib/dpkg/status'), 2 ** 40);
    expect(await room.compare(['base'], ['huge'])).toEqual([]);
    expect(room.notices).toEqual(['/var/lib/dpkg/status of after is too large for a database: it was not read']);
  });
});

describe('foldPackages', () => {
  it('gives each package that differs its own of the changed paths, by the lists of either side', async () => {
    using room = temporaryRoom();
    const status = (...packages: string[]) =>
      packages.map((text) => `Package: ${text.replace('=', '\nStatus: install ok installed\nVersion: ')}\n`).join('\n');
    room.write('base/var/lib/dpkg/status', status('a=1', 'old=1', 'same=1'));
    room.write('base/var/lib/dpkg/info/a.list', '/.\n/usr\n/usr/a\n/usr/gone\n/etc/a.conf\n');
    room.write('base/var/lib/dpkg/info/old.list', '/usr/old\n');
    room.write('base/var/lib/dpkg/info/same.list', '/usr/same\n');
    room.write('delta/var/lib/dpkg/status', status('a=2', 'new=1', 'same=1'));
    room.write('delta/var/lib/dpkg/info/a.list', '/.\n/usr\n/usr/a\n/bin/a\n/etc/a.conf\n');
    room.write('delta/var/lib/dpkg/info/new.list', '/usr/new\n/etc/new.conf\n');
    const own = ['M usr/a', 'D usr/gone', 'A usr/bin/a', 'M var/lib/dpkg/info/a.list'];
    const others = ['M etc/a.conf', 'M usr/same', 'M var/lib/dpkg/status', 'A srv/mine'];
    const folds = await room.fold(['base'], ['delta', 'base'], [...own, ...others, 'A etc/new.conf', 'D usr/old']);
    expect(folds).toEqual([
      { manager: 'dpkg', name: 'new', from: null, to: '1', paths: ['etc/new.conf'] },
      { manager: 'dpkg', name: 'old', from: '1', to: null, paths: ['usr/old'] },
      { manager: 'dpkg', name: 'a', from: '1', to: '2', paths: own.map((change) => change.slice(2)) },
    ]);
  });

  it('knows the files of apk and rpm', async () => {
    using room = temporaryRoom();
    room.write('base/lib/apk/db/installed', 'P:busybox\nV:1\nF:sbin\nR:ip\n');
    room.write('delta/lib/apk/db/installed', 'P:busybox\nV:2\nF:sbin\nR:ip\n');
    expect(await room.fold(['base'], ['delta', 'base'], ['M sbin/ip', 'M lib/apk/db/installed'])).toEqual([
      { manager: 'apk', name: 'busybox', from: '1', to: '2', paths: ['sbin/ip'] },
    ]);
    room.rpm('before/var/lib/rpm', 'one-1-1');
    room.rpm('after/var/lib/rpm', 'one-2-1');
    expect(await room.fold(['before'], ['after'], ['M usr/share/one', 'M var/lib/rpm/rpmdb.sqlite'])).toEqual([
      { manager: 'rpm', name: 'one', from: '1-1', to: '2-1', paths: ['usr/share/one'] },
    ]);
  });

  it.each([
    ['dpkg', 'var/lib/dpkg', 'status', 'Package: a\nStatus: install ok installed\nVersion: 1\n', ['var/lib/dpkg/info']],
    ['apk', 'lib/apk/db', 'installed', 'P:a\nV:1\nF:sbin\nR:ip\n', []],
  ])('finds a database of %s, and the files of its packages, in listings', async (manager, place, file, text, more) => {
    using room = temporaryRoom();
    room.write(`delta/${place}/${file}`, text);
    if (more.length > 0) room.write('delta/var/lib/dpkg/info/a.list', '/sbin/ip\n');
    const listed = (parent: string, ...names: string[]) =>
      ({ parent: placeOf(parent), kind: 'added', type: 'file', names: names as BytePath[] }) as const;
    const folded = await room.foldParts(['delta'], [listed(place, file), listed('sbin', 'ip', 'own')]);
    expect(folded).toEqual([{ manager, name: 'a', from: null, to: '1', paths: ['sbin/ip'] }]);
    expect(await room.foldParts(['delta'], [listed('sbin', 'ip', file)])).toEqual([]);
  });

  it('reads no database where none changed', async () => {
    using room = temporaryRoom();
    room.write('base/var/lib/dpkg/status', 'Package: a\nVersion: 1\n');
    expect(await room.fold([], ['base'], ['M usr/a'])).toEqual([]);
  });
});

function temporaryRoom() {
  const directory = temporaryDirectory();
  const at = (path: string) => join(directory.path, path);
  const notices: string[] = [];
  const report = (event: ReportEvent) => {
    if (event.kind === 'notice') notices.push(event.message);
  };
  const write = (path: string, text: string) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  return {
    ...directory,
    at,
    notices,
    write,
    /** Makes a database of packages of one file, /usr/share/NAME: `name-[epoch:]version-release`. */
    rpm(path: string, ...packages: string[]) {
      mkdirSync(at(path), { recursive: true });
      mkdirSync(dirname(at(`${path.split('/')[0]}/var/lib/rpm`)), { recursive: true });
      const specs = packages.map((text) => {
        const [, name, , epoch = '0', version, release] = /^(\w+)-((\d+):)?(\w+)-(\w+)$/.exec(text) ?? [];
        const spec = `${text}.spec`;
        const head = `Name: ${name}\nVersion: ${version}\nRelease: ${release}\n${epoch === '0' ? '' : `Epoch: ${epoch}\n`}`;
        write(
          spec,
          `${head}Summary: A test\nLicense: none\nBuildArch: noarch\n%description\nA test\n%install\nmkdir -p %{buildroot}/usr/share\ntouch %{buildroot}/usr/share/${name}\n%files\n/usr/share/${name}\n`,
        );
        return at(spec);
      });
      const built = at(`rpms-${path.split('/')[0]}`);
      execFileSync('rpmbuild', ['-bb', '--define', `_topdir ${built}`, ...specs], { stdio: 'pipe' });
      const made = execFileSync('find', [built, '-name', '*.rpm']).toString().trim().split('\n');
      execFileSync('rpm', ['-i', '--justdb', '--nodeps', '--force-debian', '--dbpath', at(path), ...made], {
        stdio: 'pipe',
      });
      chmodSync(at(path), 0o755);
    },
    /** From nothing. */
    foldParts(after: readonly string[], parts: readonly NameRange[]) {
      const trees = [
        { layers: [], name: 'before' },
        { layers: after.map(at), name: 'after' },
      ] as const;
      return foldPackages({ host: machine, lxcpath: '/', report }, ...trees, new ChangeList<Change>(parts));
    },
    /** @param changes a letter, as in git, and a path. */
    fold(before: readonly string[], after: readonly string[], changes: readonly string[]) {
      const kinds = { A: 'added', M: 'modified', D: 'removed' } as const;
      const told = changes.map((change) => ({
        kind: kinds[change[0] as keyof typeof kinds],
        place: placeOf(change.slice(2)),
        path: change.slice(2) as BytePath,
      }));
      const trees = {
        before: { layers: before.map(at), name: 'before' },
        after: { layers: after.map(at), name: 'after' },
      };
      return foldPackages({ host: machine, lxcpath: '/', report }, trees.before, trees.after, new ChangeList(told));
    },
    compare(before: readonly string[], after: readonly string[], host = machine) {
      const context = { host, lxcpath: '/', report };
      return comparePackages(
        context,
        { layers: before.map(at), name: 'before' },
        { layers: after.map(at), name: 'after' },
      );
    },
  };
}
