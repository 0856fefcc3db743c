/** Every screen as a person sees it, on a terminal of 80 columns: times, ids and sizes aside. */

import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';

let lxc: TestLxc;

beforeAll(async () => {
  lxc = temporaryLxc();
  lxc.createBase('web');
  lxc.createBase('idle');
  write('etc/hosts', '127.0.0.1 localhost\n');
  await lxc.commit('web', 'First version');
  write('etc/hosts', '127.0.0.1 localhost\n10.0.0.2 db\n');
  write('etc/site/main.conf', 'listen 80\n');
  await lxc.commit('web', 'A site\n\nThat is all.');
  await lxc.lxcv('tag', 'web', 'before-upgrade', 'web@0', '-m', 'As shipped');
  await lxc.lxcv('branch', 'web', 'tuning', 'web@0');
  await lxc.lxcv(
    'checkout',
    'web@tuning',
    'a-container-with-a-very-long-name-indeed-of-58-characters',
    '--branch',
    'tuning',
  );
  inRoot((root) => {
    rmSync(join(root, 'etc/site'), { recursive: true });
    symlinkSync('/srv/site', join(root, 'etc/site'));
    chmodSync(join(root, 'etc/hosts'), 0o600);
    mkdirSync(join(root, 'srv/a-directory-with-a-very-long-name/and-another-one-below-it-that-is-long'), {
      recursive: true,
    });
    for (let file = 0; file < 30; file += 1) {
      const name = `srv/a-directory-with-a-very-long-name/and-another-one-below-it-that-is-long/file-${file}`;
      writeFileSync(join(root, name), `${file}`);
    }
  });
  await lxc.commit(
    'web',
    'A very long message that tells of everything that was done to this container, and of much more than that',
  );
  write('etc/hosts', '127.0.0.1 localhost\n10.0.0.3 db\n');
});
afterAll(() => lxc[Symbol.dispose]());

describe('on a terminal of 80 columns', () => {
  it('list', async () => {
    expect(await screen('list')).toMatchInlineSnapshot(`
      "CONTAINER        REPOSITORY  BRANCH  VERSION  TAG              STATE    DIRTY
      a-container-wi…  web         tuning       @0  before-upgrade   stopped  clean
      web              web         web          @2  before-upgrade…  stopped  modified"
    `);
  });

  it('log web', async () => {
    expect(await screen('log', 'web')).toMatchInlineSnapshot(`
      " #  ID       WHEN      MESSAGE
      @2  iiiiiii  just now  (HEAD -> web) A very long message that tells of everythi…
      @1  iiiiiii  just now  A site
      @0  iiiiiii  just now  (a-container-with-a-very-long-name…) First version"
    `);
  });

  it('log web --graph --all', async () => {
    expect(await screen('log', 'web', '--graph', '--all')).toMatchInlineSnapshot(`
      "    #  ID       WHEN      MESSAGE
      *  @2  iiiiiii  just now  (HEAD -> web) A very long message that tells of every…
      *  @1  iiiiiii  just now  A site
      *  @0  iiiiiii  just now  (a-container-with-a-very-long-name…) First version"
    `);
  });

  it('log web --oneline', async () => {
    expect(await screen('log', 'web', '--oneline')).toMatchInlineSnapshot(`
      "@2 iiiiiii (HEAD -> web) A very long message that tells of everything that was …
      @1 iiiiiii A site
      @0 iiiiiii (a-container-with-a-very-long-name…) First version"
    `);
  });

  it('log -1 web', async () => {
    expect(await screen('log', '-1', 'web')).toMatchInlineSnapshot(`
      " #  ID       WHEN      MESSAGE
      @2  iiiiiii  just now  (HEAD -> web) A very long message that tells of everythi…"
    `);
  });

  it('status web', async () => {
    expect(await screen('status', 'web')).toMatchInlineSnapshot(`
      "On branch web, version @2 (iiiiiii), before-upgrade-2
      Container web is stopped

      Modified (1):
        etc/hosts"
    `);
  });

  it('status -s web', async () => {
    expect(await screen('status', '-s', 'web')).toMatchInlineSnapshot(`"M	etc/hosts"`);
  });

  it('diff web@0 web@2', async () => {
    expect(await screen('diff', 'web@0', 'web@2')).toMatchInlineSnapshot(`
      "etc/hosts                                   modified
      etc/site                                    added
      srv                                         added
      srv/a-directory-with-a-very-long-name       added
      .../and-another-one-below-it-that-is-long/  31 added

      34 added, 1 modified in all
      Every path: --name-status. More: --stat, --metadata, --packages. A part: -- PATH"
    `);
  });

  it('diff --name-only web@0..2 -- etc', async () => {
    expect(await screen('diff', '--name-only', 'web@0..2', '--', 'etc')).toMatchInlineSnapshot(`
      "etc/hosts
      etc/site"
    `);
  });

  it('diff --stat web@0 web@2 -- etc', async () => {
    expect(await screen('diff', '--stat', 'web@0', 'web@2', '--', 'etc')).toMatchInlineSnapshot(`
      " M etc/hosts |    SIZE -> SIZE
       A etc/site  | symlink
       2 paths changed, SIZE -> SIZE"
    `);
  });

  it('diff --metadata web@1 web@2 -- etc', async () => {
    expect(await screen('diff', '--metadata', 'web@1', 'web@2', '--', 'etc')).toMatchInlineSnapshot(`
      "m etc/hosts
          mode rw-r--r-- -> rw-------
      T etc/site
          type directory -> symlink
          mode rwxr-xr-x -> rwxrwxrwx
          mtime TIME -> TIME
      D etc/site/main.conf
          mode rw-r--r--
          owner 0:0"
    `);
  });

  it('diff -p web@0 web@1 -- etc', async () => {
    expect(await screen('diff', '-p', 'web@0', 'web@1', '--', 'etc')).toMatchInlineSnapshot(`
      "diff --git a/etc/hosts b/etc/hosts
      index A..B 100644
      --- a/etc/hosts
      +++ b/etc/hosts
      @@ -1 +1,2 @@
       127.0.0.1 localhost
      +10.0.0.2 db
      diff --git a/etc/site/main.conf b/etc/site/main.conf
      new file mode 100644
      index A..B
      --- /dev/null
      +++ b/etc/site/main.conf
      @@ -0,0 +1 @@
      +listen 80"
    `);
  });

  it('diff -p web@1 web@2 -- etc/hosts', async () => {
    expect(await screen('diff', '-p', 'web@1', 'web@2', '--', 'etc/hosts')).toMatchInlineSnapshot(`
      "diff --git a/etc/hosts b/etc/hosts
      old mode 100644
      new mode 100600"
    `);
  });

  it('diff after a change of the LXC config', async () => {
    const config = lxc.readConfig('web');
    lxc.editConfig('web', (text) => `${text}lxc.start.delay = 5\n`);
    expect(await screen('diff', 'web')).toMatchInlineSnapshot(`
      "M	etc/hosts

      LXC config:
      + lxc.start.delay = 5"
    `);
    expect(await screen('diff', '--stat', 'web')).toMatchInlineSnapshot(`
      " M etc/hosts | SIZE -> SIZE
       1 path changed, SIZE -> SIZE
       LXC config: 1 line added"
    `);
    expect(await screen('diff', '--metadata', 'web')).toMatchInlineSnapshot(`
      "M etc/hosts
          mtime TIME -> TIME

      LXC config:
      + lxc.start.delay = 5"
    `);
    expect((await lxc.lxcv('diff', '--exit-code', 'web', '--', 'srv')).exitCode).toBe(0);
    lxc.editConfig('web', () => config);
  });

  it('status --all -s', async () => {
    expect(await screen('status', '--all', '-s')).toMatchInlineSnapshot(`"M	web:etc/hosts"`);
  });

  it('diff --packages web@0 web@1', async () => {
    expect(await screen('diff', '--packages', 'web@0', 'web@1')).toMatchInlineSnapshot(
      `"lxcv: neither web@0 nor web@1 has a database of packages"`,
    );
  });

  it('show web@1', async () => {
    expect(await screen('show', 'web@1')).toMatchInlineSnapshot(`
      "version @1 iiiiiiiiiiii
      Repository: web
      Parents:    @0 iiiiiiiiiiii
      Author:     A test <test@example.org>
      Date:       TIME (just now)
      Made from:  web, then on branch web
      Changes:    2 added, 1 modified, 0 removed; SIZE
      Delta:      not sealed yet
      Chain:      2 layers

          A site

          That is all.

      Added (2):
        etc/site/  (and 1 more inside)

      Modified (1):
        etc/hosts"
    `);
  });

  it('show web@1:/etc/hosts', async () => {
    expect(await screen('show', 'web@1:/etc/hosts')).toMatchInlineSnapshot(`
      "127.0.0.1 localhost
      10.0.0.2 db"
    `);
  });

  it('show web@1 /etc/site', async () => {
    expect(await screen('show', 'web@1', '/etc/site')).toMatchInlineSnapshot(`"-rw-r--r--  0  0  10  TIME  main.conf"`);
  });

  it('branch -m tells both names', async () => {
    await lxc.json('branch', 'web', 'slow', 'web@0');
    expect((await lxc.lxcv('branch', 'web', '-m', 'slow', 'fast')).stdout).toBe('renamed branch slow to fast at @0\n');
    await lxc.json('branch', 'web', '-d', 'fast');
  });

  it('branch web', async () => {
    expect(await screen('branch', 'web')).toMatchInlineSnapshot(`
      "+ tuning  @0  iiiiiii  (a-container-with-a-very-long-name…  First version
      * web     @2  iiiiiii  (web)                                A very long message…"
    `);
  });

  it('tag web', async () => {
    expect(await screen('tag', 'web')).toMatchInlineSnapshot(`"before-upgrade  @0  iiiiiii  just now  As shipped"`);
  });

  it('blame web /etc/hosts', async () => {
    expect(await screen('blame', 'web', '/etc/hosts')).toMatchInlineSnapshot(`
      "@0 iiiiiii A test just now 1) 127.0.0.1 localhost
      @1 iiiiiii A test just now 2) 10.0.0.2 db"
    `);
  });

  it('grep localhost web@0 web@1 -- etc', async () => {
    expect(await screen('grep', 'localhost', 'web@0', 'web@1', '--', 'etc')).toMatchInlineSnapshot(`
      "web@0:etc/hosts:1:127.0.0.1 localhost
      web@1:etc/hosts:1:127.0.0.1 localhost"
    `);
  });

  it('fsck web', async () => {
    expect(await screen('fsck', 'web')).toMatchInlineSnapshot(`"Nothing is wrong."`);
  });

  it('names that list and status tell are revisions', async () => {
    const numberOf = async (revision: string) =>
      (await lxc.json<{ version: { number: number } }>('show', revision)).version.number;
    expect(await numberOf('web@before-upgrade-2')).toBe(2);
    expect(await numberOf('web@before-upgrade-1')).toBe(1);
    expect(await numberOf('web@before-upgrade')).toBe(0);
    await lxc.json('tag', 'web', 'before-upgrade-1', 'web@2');
    expect(await numberOf('web@before-upgrade-1')).toBe(2);
    const { containers } = await lxc.json<{ containers: { name: string; describe: string }[] }>('list');
    expect(containers.find(({ name }) => name === 'web')?.describe).toBe('before-upgrade-1');
    await lxc.json('tag', 'web', '-d', 'before-upgrade-1');
  });

  it('diff ends with 1 for --exit-code and -q where anything differs, and tells a type change', async () => {
    expect((await lxc.lxcv('diff', '-q', 'web@0', 'web@1')).exitCode).toBe(1);
    expect(await lxc.lxcv('diff', '-q', 'web@1', 'web@1')).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await lxc.lxcv('diff', '--exit-code', '--name-only', 'web@0..1')).exitCode).toBe(1);
    expect((await lxc.lxcv('diff', 'web@1..2')).stdout).toContain('T\tetc/site\n');
    const { changes } = await lxc.json<{ changes: { path: string }[] }>('diff', 'web@1', 'web@2');
    const site = changes.find(({ path }) => path === 'etc/site');
    expect(site).toMatchObject({ kind: 'modified', type: 'symlink', typeBefore: 'directory' });
  });

  it('export takes the file as git archive would be given it', async () => {
    const file = join(lxc.directory, 'web.tar');
    expect((await lxc.lxcv('export', 'web@0', file)).stdout).toContain(`to ${file}`);
  });

  it('a checkout and a commit tell what they did', async () => {
    expect(await screen('checkout', 'web@1', 'copy')).toMatchInlineSnapshot(`"copy is at @1, on the branch copy"`);
    expect(await screen('commit', '-m', 'Once more', 'web')).toMatchInlineSnapshot(`
      "[web @3 iiiiiii] Once more
      0 added, 1 modified, 0 removed, SIZE"
    `);
  });

  it('checkout web@web --branch feature', async () => {
    write('etc/hosts', '127.0.0.1 localhost\n10.0.0.4 db\n');
    expect(await screen('checkout', 'web', '--branch', 'feature')).toMatchInlineSnapshot(`
      "what was not committed is kept as [web @4 iiiiiii]; back to it:
        lxcv checkout -P lxc web@web
      web is at @3, on the branch feature"
    `);
    expect(await screen('status', 'web')).toMatchInlineSnapshot(`
      "On branch feature, version @3 (iiiiiii), before-upgrade-3
      Container web is stopped

      Nothing changed since @3"
    `);
    expect(await screen('checkout', 'web@web')).toMatchInlineSnapshot(`"web is at @4, on the branch web"`);
    expect(await screen('checkout', 'web@1')).toMatchInlineSnapshot(
      `"web is at @1, on no branch; a commit begins one"`,
    );
    expect(await screen('checkout', 'web@web')).toMatchInlineSnapshot(`"web is at @4, on the branch web"`);
  });

  it('the commit of a running container', async () => {
    lxc.quieten('copy');
    await lxc.start('copy');
    await lxc.attach('copy', 'echo 10.0.0.5 db > /etc/hosts');
    expect(await screen('commit', '-m', 'While it runs', 'copy')).toMatchInlineSnapshot(`
      "[copy @5 iiiiiii] While it runs
      0 added, 1 modified, 0 removed, SIZE, the container was frozen for N ms"
    `);
    await lxc.stop('copy');
  });

  it('log in a pipe has all columns, whatever terminal there is', async () => {
    const told = await shell(`${command('log', 'web')} | cat`);
    expect(told.split('\n')[0]).toMatch(/# +ID +WHEN +AUTHOR +CHANGES +SIZE +MESSAGE$/);
    expect(told.trimEnd()).toBe((await lxc.lxcv('log', 'web')).stdout.trimEnd());
  });
});

describe('errors', () => {
  it('status', async () => {
    expect(await screen('status')).toMatchInlineSnapshot(`
      "lxcv: lxcv status needs a CONTAINER or --all
            Usage: lxcv status [-a] [-s | -v] [CONTAINER]. There are:
            a-container-with-a-very-long-name-indeed-of-58-characters, copy, idle, web"
    `);
  });

  it('list of an lxcpath that is not there', async () => {
    for (const lxcpath of ['/nowhere', '/etc/hosts', '']) {
      const { exitCode, stderr } = await lxc.program(process.execPath, [LXCV, 'list', '-P', lxcpath]);
      expect([lxcpath, exitCode, stderr.split('\n')[0]]).toEqual(
        lxcpath === ''
          ? ['', 2, 'lxcv: --lxcpath needs a DIR']
          : [lxcpath, 4, `lxcv: there is no directory ${lxcpath}, where the containers should be`],
      );
    }
  });

  it('export web@1 web.zip', async () => {
    expect(await screen('export', 'web@1', 'web.zip')).toMatchInlineSnapshot(`
      "lxcv: lxcv export does not know what web.zip is to be by its ending
            It writes .tar, .tar.gz (.tgz), .tar.xz (.txz), .tar.zst (.tzst) and
            .tar.bz2 (.tbz2); -o - is a plain tarball to standard output."
    `);
    expect(await screen('export', 'web@1', 'web')).toMatchInlineSnapshot(`"wrote @1 to web"`);
  });

  it('status --all web', async () => {
    expect(await screen('status', '--all', 'web')).toMatchInlineSnapshot(`
      "lxcv: lxcv status takes a CONTAINER or --all, and not both
            Usage: lxcv status [-a] [-s | -v] [CONTAINER]"
    `);
  });

  it('grep x', async () => {
    expect(await screen('grep', 'x')).toMatchInlineSnapshot(`
      "lxcv: lxcv grep needs a REVISION
            Usage: lxcv grep [-i] [-w] [-E | -F | --perl] [-l] PATTERN REVISION...
            [-- PATH...]"
    `);
  });

  it('mount web /nowhere', async () => {
    expect(await screen('mount', 'web', '/nowhere')).toMatchInlineSnapshot(`
      "lxcv: /nowhere is no empty directory
            Make it: mkdir -p /nowhere"
    `);
    expect(await screen('mount', 'web', '/etc')).toMatchInlineSnapshot(`
      "lxcv: /etc is no empty directory
            Choose one that is empty, and no symbolic link."
    `);
  });

  it('checkout web --branch tuning', async () => {
    expect(await screen('checkout', 'web', '--branch', 'tuning')).toMatchInlineSnapshot(`
      "lxcv: there is a branch tuning already, at @0 and not at @4
            Choose another name for the branch, or check out that one:
            lxcv checkout -P lxc web@tuning"
    `);
    expect(await screen('checkout', 'web@tuning')).toMatchInlineSnapshot(`
      "lxcv: the container a-container-with-a-very-long-name-indeed-of-58-characters is
            on the branch tuning
            Begin one of its own: lxcv checkout -P lxc web@tuning --branch tuning-v0;
            or do without: lxcv checkout -P lxc web@tuning --detach"
    `);
    expect(await screen('checkout', 'web@2', 'third', '--branch', 'tuning')).toMatchInlineSnapshot(`
      "lxcv: there is a branch tuning already, at @0 and not at @2
            Choose another name for the branch, or check out that one:
            lxcv checkout -P lxc web@tuning third"
    `);
  });

  it('log web@0..1', async () => {
    expect(await screen('log', 'web@0..1')).toMatchInlineSnapshot(`
      "lxcv: web@0..1 names no version: web has no branch, tag or version 0..1
            What differs: lxcv diff -P lxc web@0 web@1; the versions that led there:
            lxcv log -P lxc web@1"
    `);
    expect(await screen('show', 'web@..1')).toMatchInlineSnapshot(`
      "lxcv: "web@..1" is not a valid revision
            What differs: lxcv diff -P lxc web@HEAD web@1; the versions that led
            there: lxcv log -P lxc web@1"
    `);
  });

  it('tag web HEAD', async () => {
    expect(await screen('tag', 'web', 'HEAD')).toMatchInlineSnapshot(`
      "lxcv: HEAD cannot name a tag: a revision has another meaning for it
            Choose another name: numbers, HEAD, WORK and BASE name something by
            themselves."
    `);
  });

  it('tag -a v1 -m x web', async () => {
    expect(await screen('tag', '-a', 'v1', '-m', 'x', 'web')).toMatchInlineSnapshot(`
      "lxcv: there is no container and no repository v1
            The container comes first: lxcv tag -P lxc -a web -m x v1"
    `);
  });

  it('grep ( nope', async () => {
    expect(await screen('grep', '(', 'nope')).toMatchInlineSnapshot(`
      "lxcv: there is no container and no repository nope
            lxcv list -P lxc shows what there is; name another lxcpath with -P."
    `);
  });

  it('log idle', async () => {
    expect(await screen('log', 'idle')).toMatchInlineSnapshot(`
      "lxcv: the container idle has no versions yet
            Make the first one: lxcv commit -P lxc idle"
    `);
  });

  it('status wbe', async () => {
    expect(inOne(await screen('status', 'wbe'))).toMatchInlineSnapshot(`
      "lxcv: there is no container wbe in LXCPATH
            Did you mean web? lxc-ls -P LXCPATH shows the containers; name another lxcpath with -P."
    `);
  });

  it('log web@tunign', async () => {
    expect(await screen('log', 'web@tunign')).toMatchInlineSnapshot(`
      "lxcv: web@tunign names no version: web has no branch, tag or version tunign
            Did you mean tuning? lxcv log -P lxc --all web shows the versions."
    `);
  });

  it('log web@9', async () => {
    expect(await screen('log', 'web@9')).toMatchInlineSnapshot(`
      "lxcv: web@9 names no version: web has the versions 0 to 5
            lxcv log -P lxc --all web shows the versions."
    `);
  });

  it('log --since web', async () => {
    expect(await screen('log', '--since', 'web')).toMatchInlineSnapshot(`
      "lxcv: lxcv log has no flag --since
            It comes with a later version; today: lxcv log -P lxc -n 20 web, or --json
            for a program to choose"
    `);
  });

  it('show web 1', async () => {
    expect(await screen('show', 'web', '1')).toMatchInlineSnapshot(`
      "lxcv: lxcv show does not take "1"
            A version: lxcv show -P lxc web@1"
    `);
  });

  it('diff web 0 1', async () => {
    expect(await screen('diff', 'web', '0', '1')).toMatchInlineSnapshot(`
      "lxcv: lxcv diff does not take "0"
            Versions: lxcv diff -P lxc web@0 web@1"
    `);
  });

  it('tag v2 web', async () => {
    expect(await screen('tag', 'v2', 'web')).toMatchInlineSnapshot(`
      "lxcv: there is no container and no repository v2
            The container comes first: lxcv tag -P lxc web v2"
    `);
  });

  it('branch web -d tunign', async () => {
    expect(await screen('branch', 'web', '-d', 'tunign')).toMatchInlineSnapshot(`
      "lxcv: web has no branch tunign
            Did you mean tuning? lxcv branch -P lxc web lists its branches."
    `);
  });

  it('branch web a..b', async () => {
    expect(await screen('branch', 'web', 'a..b')).toMatchInlineSnapshot(`
      "lxcv: a..b cannot name a branch
            As in git, it holds no "..", and ends with neither ".lock" nor "."."
    `);
  });

  it('branch web abcdefghijkl', async () => {
    expect(await screen('branch', 'web', 'abcdefghijkl')).toMatchInlineSnapshot(`
      "lxcv: abcdefghijkl cannot name a branch: it looks like the id of a version
            An id is 12 small letters and digits. Choose a shorter or longer name, or
            one with "-"."
    `);
  });

  it('checkout web@1 -- etc/hosts', async () => {
    expect(await screen('checkout', 'web@1', '--', 'etc/hosts')).toMatchInlineSnapshot(`
      "lxcv: lxcv checkout takes no paths: it makes or switches whole containers
            A file: lxcv show -P lxc web@1:/etc/hosts > hosts; a directory:
            lxcv mount -P lxc web@1 /mnt, and copy it from there."
    `);
  });

  it('checkout web tuning', async () => {
    expect(await screen('checkout', 'web', 'tuning')).toMatchInlineSnapshot(`
      "lxcv: tuning is a branch of web, and no container
            The branch: lxcv checkout -P lxc web@tuning; a new container of that name:
            lxcv checkout -P lxc web@HEAD tuning"
    `);
    expect(await screen('checkout', 'web', 'before-upgrade')).toMatchInlineSnapshot(`
      "lxcv: before-upgrade is a tag of web, and no container
            The tag: lxcv checkout -P lxc web@before-upgrade; a new container of that
            name: lxcv checkout -P lxc web@HEAD before-upgrade"
    `);
    expect(await screen('checkout', 'web@HEAD', 'tuning')).toMatchInlineSnapshot(
      `"tuning is at @4, on the branch tuning-v4"`,
    );
    await lxc.destroy('tuning');
  });

  it('checkout web 1', async () => {
    expect(await screen('checkout', 'web', '1')).toMatchInlineSnapshot(`
      "lxcv: 1 is a version of web, and no container
            The version: lxcv checkout -P lxc web@1; a new container of that name:
            lxcv checkout -P lxc web@HEAD 1"
    `);
    expect(await screen('checkout', 'web', 'HEAD')).toMatchInlineSnapshot(`
      "lxcv: HEAD is a version of web, and no container
            The version: lxcv checkout -P lxc web@HEAD; a new container of that name:
            lxcv checkout -P lxc web@HEAD HEAD"
    `);
    expect(await screen('checkout', 'web', 'HEAD~1')).toMatchInlineSnapshot(`
      "lxcv: HEAD~1 is a version, and NEW a container to make
            lxcv checkout -P lxc web@HEAD~1"
    `);
    expect(await screen('checkout', 'web', 'web~1')).toMatchInlineSnapshot(`
      "lxcv: web~1 is a version, and NEW a container to make
            lxcv checkout -P lxc web~1"
    `);
    const { versions } = await lxc.json<LogJson>('log', 'web');
    const id = versions.at(-1)?.id ?? '';
    expect(await screen('checkout', 'web', id.slice(0, 4))).toContain(`lxcv checkout -P lxc web@${id.slice(0, 4)};`);
    expect(await screen('checkout', 'web@HEAD', '1')).toMatchInlineSnapshot(`"1 is at @4, on the branch 1-v4"`);
    await lxc.destroy('1');
    await lxc.lxcv('branch', 'web', '-d', '1-v4');
    // What log shows of an id names that version, and nothing else.
    const short = id.slice(0, 7);
    const told = `lxcv: ${short} cannot name a NAME: the id of version @0 begins so`;
    expect(await screen('branch', 'web', short)).toContain(told.replace('NAME', 'branch'));
    expect(await screen('branch', 'web', '-m', 'tuning', short)).toContain(told.replace('NAME', 'branch'));
    expect(await screen('checkout', 'web@1', 'other', '-b', short)).toContain(told.replace('NAME', 'branch'));
    expect(await screen('tag', 'web', short)).toContain(told.replace('NAME', 'tag'));
  });

  it('branch web -d tuning other', async () => {
    expect(await screen('branch', 'web', '-d', 'tuning', 'other')).toMatchInlineSnapshot(`
      "lxcv: lxcv branch deletes one branch at a time, and does not take "other"
            Usage: lxcv branch [-m | -d | -D] NAME [BRANCH] [WHERE]"
    `);
    expect(await screen('tag', 'web', '-d', 'before-upgrade', 'other')).toMatchInlineSnapshot(`
      "lxcv: lxcv tag deletes one tag at a time, and does not take "other"
            Usage: lxcv tag [-m TEXT] [-a] [-d] NAME [TAG] [REVISION]"
    `);
  });

  it('checkout web@1 etc', async () => {
    expect(await screen('checkout', 'web@1', 'etc')).toMatchInlineSnapshot(`
      "lxcv: /etc is a path in web@1, and lxcv checkout makes whole containers
            To see it: lxcv show -P lxc web@1:/etc; to copy it:
            lxcv mount -P lxc web@1 /mnt; a new container of that name:
            lxcv checkout -P lxc web@1 etc --branch etc"
    `);
    expect(await screen('checkout', 'web@1', 'etc', '--branch', 'etc')).toMatchInlineSnapshot(
      `"etc is at @1, on the branch etc"`,
    );
    await lxc.destroy('etc');
  });

  it('restore web@1 etc/hosts', async () => {
    expect(await screen('restore', 'web@1', 'etc/hosts')).toMatchInlineSnapshot(`
      "lxcv: lxcv has no command restore
            A file: lxcv show -P lxc web@1:/etc/hosts > hosts; a directory:
            lxcv mount -P lxc web@1 /mnt, and copy it from there."
    `);
  });

  it('undo web', async () => {
    expect(await screen('undo', 'web')).toMatchInlineSnapshot(`
      "lxcv: lxcv has no command undo
            It comes with a later version. Usage: lxcv checkout web@REV goes to any
            version; lxcv log -P lxc web shows them."
    `);
  });

  it('lgo web', async () => {
    expect(await screen('lgo', 'web')).toMatchInlineSnapshot(`
      "lxcv: lxcv has no command lgo
            Did you mean lxcv log -P lxc web?"
    `);
  });

  it('grep -P a+ web', async () => {
    expect(await screen('grep', '-P', 'a+', 'web')).toMatchInlineSnapshot(`
      "lxcv: --lxcpath was given twice
            -P is the lxcpath; Perl's syntax is --perl alone.
            lxcv grep -P lxc --perl a+ web"
    `);
  });

  it('commit -m  web', async () => {
    expect(await screen('commit', '-m', '', 'web')).toMatchInlineSnapshot(`
      "lxcv: the message is empty: nothing was committed
            Write one, or give -m TEXT; --allow-empty-message does without."
    `);
  });

  it('commit -F /no/such web', async () => {
    expect(await screen('commit', '-F', '/no/such', 'web')).toMatchInlineSnapshot(`
      "lxcv: there is no file /no/such
            Name a file, or - for standard input."
    `);
  });

  it('show web@1:/nowhere', async () => {
    expect(await screen('show', 'web@1:/nowhere')).toMatchInlineSnapshot(`
      "lxcv: there is no /nowhere in web@1
            See what is there: lxcv show -P lxc web@1:/"
    `);
  });

  it('show web@1:/etc/hots', async () => {
    expect(await screen('show', 'web@1:/etc/hots')).toMatchInlineSnapshot(`
      "lxcv: there is no /etc/hots in web@1
            Did you mean /etc/hosts? See what is there: lxcv show -P lxc web@1:/etc"
    `);
    expect(await screen('show', 'web@1:/etc/site/main/x')).toMatchInlineSnapshot(`
      "lxcv: there is no /etc/site/main/x in web@1
            See what is there: lxcv show -P lxc web@1:/etc/site"
    `);
    expect(await screen('show', 'web@1:/etc/hosts/x')).toMatchInlineSnapshot(`
      "lxcv: there is no /etc/hosts/x in web@1
            /etc/hosts is no directory. See what is there: lxcv show -P lxc web@1:/etc"
    `);
    expect(await screen('show', 'web@2:/etc/site/main.conf')).toMatchInlineSnapshot(`
      "lxcv: there is no /etc/site/main.conf in web@2
            /etc/site is a symbolic link, and none is followed. Where it leads:
            lxcv show -P lxc web@2:/etc/site"
    `);
    expect(await screen('show', 'web@1:/ect/hosts')).toMatchInlineSnapshot(`
      "lxcv: there is no /ect/hosts in web@1
            Did you mean /etc/hosts? See what is there: lxcv show -P lxc web@1:/"
    `);
    expect(await screen('blame', 'web@1', 'etc')).toMatchInlineSnapshot(`
      "lxcv: there is no regular file /etc in web@1
            See what is there: lxcv show -P lxc web@1:/etc"
    `);
    expect(await screen('diff', 'web@0', 'web@1', '--', 'etc/hots')).toMatchInlineSnapshot(
      `"lxcv: there is no /etc/hots in web@0 or web@1; did you mean /etc/hosts?"`,
    );
  });

  it('show web@WORK', async () => {
    expect(await screen('show', 'web@WORK')).toMatchInlineSnapshot(`
      "lxcv: web@WORK is no version: it is what the container holds now
            What of that is not committed: lxcv status -P lxc web,
            lxcv diff -P lxc web; to make a version of it: lxcv commit -P lxc web"
    `);
    expect(await screen('checkout', 'web@BASE', 'new')).toMatchInlineSnapshot(`
      "lxcv: web@BASE is no version: it is what lies under all versions of web
            The first version: lxcv show -P lxc web@0; what lies under it:
            lxcv show -P lxc web@BASE:/"
    `);
  });

  it('checkout web@1 idle', async () => {
    expect(inOne(await screen('checkout', 'web@1', 'idle'))).toMatchInlineSnapshot(`
      "lxcv: there is a container idle already
            Choose another name; or commit what it holds, for that goes with it, and remove it: lxc-destroy -P LXCPATH -n idle"
    `);
  });
});

function inRoot(change: (root: string) => void): void {
  using root = lxc.mount('web');
  change(root.path);
}

function write(name: string, text: string): void {
  inRoot((root) => {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text);
  });
}

function command(name: string, ...args: string[]): string {
  return [process.execPath, LXCV, name, '-P', 'lxc', ...args].map((arg) => `'${arg}'`).join(' ');
}

/** What a command shows: no line of what is not cut by design is wider than the terminal. */
async function screen(name: string, ...args: string[]): Promise<string> {
  const told = await shell(command(name, ...args));
  return told
    .replaceAll(lxc.lxcpath, 'LXCPATH')
    .replace(/\b[a-z][a-z0-9]{11}\b(?=\n)|(?<=@\d+ [( ]*)[a-z][a-z0-9]{6}\b/g, (id) => 'i'.repeat(id.length))
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/index [0-9a-f]+\.\.[0-9a-f]+/g, 'index A..B')
    .replace(/\d+(\.\d+)? ([KM]i)?B/g, 'SIZE')
    .replace(/\d+ ms/g, 'N ms')
    .replace(/just now|\d+ minutes? ago/g, 'just now');
}

/** The lines of an error with an absolute path, whose breaks hang on where the tests are run. */
function inOne(told: string): string {
  return told.replace(/\n {6}(?=\S)/g, (_, at: number) => (told.slice(0, at).includes('\n') ? ' ' : '\n      '));
}

async function shell(line: string, columns = 80): Promise<string> {
  const { stdout } = await execa('script', ['-qec', `stty cols ${columns} rows 24; ${line}`, '/dev/null'], {
    env: {
      PAGER: 'cat',
      LXCV_PAGER: 'cat',
      TERM: 'xterm',
      LANG: 'C.UTF-8',
      HOME: lxc.directory,
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.org',
    },
    reject: false,
    // Paths in what is told are as long as they are in every run.
    cwd: lxc.directory,
    stdin: 'pipe',
    input: '',
  });
  return stripVTControlCharacters(stdout.replaceAll('\r\n', '\n')).trimEnd();
}
