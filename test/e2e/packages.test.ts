import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ChangeJson, type TestLxc, temporaryLxc } from '../support/lxc.js';

interface PackageJson {
  readonly manager: string;
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly paths: readonly string[];
}

describe('an upgrade by dpkg', () => {
  const lxc: TestLxc = temporaryLxc();

  beforeAll(async () => {
    lxc.createBase('web');
    using root = lxc.mount('web');
    for (const directory of ['info', 'updates'])
      mkdirSync(join(root.path, 'var/lib/dpkg', directory), { recursive: true });
    writeFileSync(join(root.path, 'var/lib/dpkg/status'), '');
    install(root.path, pack('server', '1', 30));
    install(root.path, pack('tool', '1', 2));
    await lxc.commit('web', 'Two packages');
    return () => lxc[Symbol.dispose]();
  });

  it('is a line of status and show, beside what somebody did by hand', async () => {
    {
      using root = lxc.mount('web');
      install(root.path, pack('server', '2', 31));
      install(root.path, pack('extra', '1', 3));
      dpkg(root.path, '--purge', 'tool');
      appendFileSync(join(root.path, 'etc/server.conf'), 'by hand\n');
      writeFileSync(join(root.path, 'srv-note'), 'by hand\n');
    }
    const status = await lxc.lxcv('status', 'web');
    const [, , , ...groups] = status.stdout.trimEnd().split('\n');
    const head = groups.slice(0, 5);
    expect(head).toEqual([
      'Packages (3):',
      expect.stringMatching(/^ {2}\+ extra 1 {2}\(\d+ paths\)$/),
      expect.stringMatching(/^ {2}- tool 1 {2}\(\d+ paths\)$/),
      expect.stringMatching(/^ {2}~ server 1 -> 2 {2}\(\d+ paths\)$/),
      '',
    ]);
    const rest = groups.slice(5).join('\n');
    expect(rest).toContain('  srv-note\n');
    expect(rest).toContain('  etc/server.conf\n');
    expect(rest).not.toContain('usr/share');
    const all = await lxc.lxcv('status', '-v', 'web');
    expect(all.stdout).toContain('  usr/share/server/30\n');

    const { changes, packages } = await lxc.json<{ changes: ChangeJson[]; packages: PackageJson[] }>('status', 'web');
    const server = packages.find(({ name }) => name === 'server');
    expect(server).toMatchObject({ manager: 'dpkg', from: '1', to: '2' });
    expect(server?.paths).toEqual(expect.arrayContaining(['usr/share/server/0', 'usr/share/server/30']));
    const changed = changes.map(({ path }) => path);
    expect(changed).toEqual(expect.arrayContaining(packages.flatMap(({ paths }) => paths)));

    await lxc.commit('web', 'Upgraded');
    const shown = await lxc.lxcv('show', 'web');
    expect(shown.stdout).toContain(head.join('\n'));
  });

  it('is what diff --packages tells, in either direction', async () => {
    const there = await lxc.lxcv('diff', '--packages', 'web@0', 'web@1');
    expect(there).toMatchObject({
      exitCode: 0,
      stdout: 'dpkg: 1 installed, 1 removed, 1 upgraded\n+ extra 1\n- tool 1\n~ server 1 -> 2\n',
    });
    const back = await lxc.lxcv('diff', '--packages', 'web@1', 'web@0');
    expect(back.stdout).toBe('dpkg: 1 installed, 1 removed, 1 upgraded\n+ tool 1\n- extra 1\n~ server 2 -> 1\n');
    const { packages } = await lxc.json<{ packages: unknown }>('diff', '--packages', 'web@0', 'web');
    expect(packages).toEqual([
      {
        manager: 'dpkg',
        installed: [{ name: 'extra', version: '1' }],
        removed: [{ name: 'tool', version: '1' }],
        upgraded: [{ name: 'server', from: '1', to: '2' }],
      },
    ]);
    const none = await lxc.lxcv('diff', '--packages', 'web@1', 'web');
    expect(none.stdout).toBe('dpkg: no package differs\n');
    const paths = await lxc.lxcv('diff', '--packages', 'web@1', '--', '/etc');
    expect(paths).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--packages takes no paths') });
  });

  /** Makes a package of some files and a configuration. */
  function pack(name: string, version: string, files: number): string {
    const tree = join(lxc.directory, `${name}-${version}`);
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    };
    const control = { Package: name, Version: version, Architecture: 'all', Maintainer: 'Ada', Description: 'A test' };
    write(
      'DEBIAN/control',
      Object.entries(control)
        .map(([field, value]) => `${field}: ${value}\n`)
        .join(''),
    );
    write('DEBIAN/conffiles', `/etc/${name}.conf\n`);
    write(`etc/${name}.conf`, 'as packed\n');
    for (let file = 0; file < files; file += 1) write(`usr/share/${name}/${file}`, `${file} of ${version}\n`);
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', tree, `${tree}.deb`], { stdio: 'pipe' });
    return `${tree}.deb`;
  }
});

function install(root: string, deb: string): void {
  dpkg(root, '--install', deb);
}

function dpkg(root: string, ...args: string[]): void {
  execFileSync('dpkg', [`--root=${root}`, '--force-not-root', '--force-bad-path', ...args], { stdio: 'pipe' });
}
