import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type {
  BranchJson,
  CheckoutJson,
  CommitJson,
  ListJson,
  LogJson,
  StatusJson,
  TestLxc,
  VersionJson,
} from '../support/lxc.js';
import { LXCV, temporaryLxc } from '../support/lxc.js';
import { storm } from '../support/storm.js';
import { compareTrees, expectSameTree, readTree, type Tree } from '../support/tree.js';

const ID = /^[a-z][a-z0-9]{11}$/;
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the story of a container', () => {
  it('is committed, told, and brought back, word for word as its users type it', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    const copied = await lxc.tool('lxc-copy', '-n', 'base', '-N', 'mysql', '-s', '-B', 'overlayfs');
    expect(copied.exitCode).toBe(0);
    await done(lxc, 'commit', '-m', 'Initial customisation', 'mysql');

    await inside(lxc, 'mysql', 'echo tuned >/etc/my.cnf && rm /etc/passwd && mkdir -p /srv && echo row >/srv/table');
    const comment = join(lxc.directory, 'comment');
    writeFileSync(comment, 'Tuned\n\nThe buffers are larger now.\n');
    await done(lxc, 'commit', '-F', comment, 'mysql');
    const tuned = lxc.tree('mysql');

    await inside(lxc, 'mysql', 'echo broken >/etc/my.cnf && rm -r /srv');
    expect(await done(lxc, 'commit', '-m', 'Upgraded', 'mysql')).toMatch(/mysql @2 .*Upgraded/);
    const upgraded = lxc.tree('mysql');

    expect(await done(lxc, 'list')).toMatch(/^mysql\b.*@2\b/m);
    const log = await done(lxc, 'log', 'mysql');
    expect(log.match(/@\d|Initial customisation|Tuned|Upgraded/g)?.join(' ')).toBe(
      '@2 Upgraded @1 Tuned @0 Initial customisation',
    );

    await done(lxc, 'checkout', 'mysql@1', 'mysql_tmp');
    expectSameTree(lxc.tree('mysql_tmp'), tuned);
    await lxc.start('mysql_tmp');
    expect(await lxc.attach('mysql_tmp', 'cat /etc/my.cnf /srv/table; hostname')).toBe('tuned\nrow\nmysql_tmp\n');
    expectSameTree(lxc.tree('mysql'), upgraded);

    await lxc.destroy('mysql');
    await done(lxc, 'checkout', 'mysql@1', 'mysql');
    expectSameTree(lxc.tree('mysql'), tuned);
    await lxc.start('mysql');
    expect(await lxc.attach('mysql', 'cat /etc/my.cnf /srv/table; hostname')).toBe('tuned\nrow\nmysql\n');
  });

  it('tells the log as a table, a graph, a line for each version, a part of it, and for scripts', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    await lxc.json('checkout', 'mysql@0', 'fork');
    write(lxc, 'fork', '/fork', 'forked');
    await lxc.json('commit', '-m', 'Forked', 'fork');

    const log = await lxc.json<LogJson>('log', 'mysql', '--all');
    const [forked, third, second, first] = log.versions as [VersionJson, VersionJson, VersionJson, VersionJson];
    const one = { added: 1, modified: 0, removed: 0, bytes: 6 };
    expect(log).toStrictEqual({
      repository: 'mysql',
      versions: [
        version({ number: 3, message: 'Forked', branch: 'fork', parents: [first.id], refs: ['fork'], changes: one }),
        version({ number: 2, message: 'third', parents: [second.id], refs: ['mysql'], changes: { ...one, bytes: 5 } }),
        version({ number: 1, message: 'second\n\nwith a body', parents: [first.id], changes: one }),
        version({ number: 0, message: 'first', changes: { ...one, bytes: 5 } }),
      ],
    });

    const lines = async (...args: string[]) => (await done(lxc, 'log', ...args)).trimEnd().split('\n');
    const shown = async (...args: string[]) =>
      (await lines(...args)).flatMap((line) => /@\d+\s+[a-z][a-z0-9]{6,}/.exec(line) ?? []);
    expect(await shown('mysql')).toEqual([`@2  ${third.id}`, `@1  ${second.id}`, `@0  ${first.id}`]);
    expect(await shown('mysql@1', '-n', '1')).toEqual([`@1  ${second.id}`]);
    const brief = [third, second, first].map(({ number, id }) => `@${number} ${id.slice(0, 7)}`);
    expect(await shown('mysql', '--oneline')).toEqual(brief);
    expect((await lines('mysql', '--graph')).filter((line) => line.startsWith('*'))).toHaveLength(3);
    const graph = (await lines('mysql', '--graph', '--all', '--oneline')).map((line) => line.replace(/ @.*/, ''));
    expect(graph).toEqual(['*', '| *', '| *', '|/', '*']);
    expect(forked.changes).toEqual(one);
  });

  it('tells a version alike wherever scripts read it', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    const { versions } = await lxc.json<LogJson>('log', 'mysql');
    const [head] = versions as [VersionJson];
    const place = { repository: 'mysql', branch: 'mysql', version: head, describe: null, state: 'stopped' };
    const clean = { ...place, container: 'mysql', changes: [], packages: [] };
    expect(await lxc.json<StatusJson>('status', 'mysql')).toStrictEqual(clean);
    expect((await lxc.json<ListJson>('list')).containers).toStrictEqual([{ ...place, name: 'mysql', dirty: false }]);
    const { branches } = await lxc.json<BranchJson>('branch', 'mysql');
    expect(branches).toMatchObject([{ name: 'mysql', version: head, container: 'mysql' }]);
    const made = await lxc.json<CheckoutJson>('checkout', 'mysql', 'other');
    expect(made).toStrictEqual({
      container: 'other',
      version: { ...head, refs: ['mysql', 'other'] },
      branch: 'other',
    });
  });

  it('resolves numbers, branches, ids, their prefixes and ancestors', async () => {
    using lxc = temporaryLxc();
    const [first, second, third] = await commitThree(lxc);
    await lxc.json('branch', 'mysql', 'tuning', 'mysql@1');
    const prefix = Array.from(second, (_, index) => second.slice(0, index + 1)).find(
      (start) => !first.startsWith(start) && !third.startsWith(start),
    );
    const revisions: [revision: string, id: string | undefined][] = [
      ['mysql', third],
      [`mysql@${third}^0`, third],
      ['mysql@tuning', second],
      ['mysql~', second],
      [`mysql@${prefix}`, second],
      ['mysql@HEAD~2', first],
      ['mysql@2^^', first],
      ['mysql@tuning~1', first],
      ['mysql~3', undefined],
      ['mysql^2', undefined],
    ];
    const resolve = async (revision: string) => {
      const { exitCode, stdout } = await lxc.lxcv('log', revision, '-n', '1', '--json');
      if (exitCode === 4) return undefined;
      return (JSON.parse(stdout) as LogJson).versions[0]?.id;
    };
    expect(await Promise.all(revisions.map(([revision]) => resolve(revision)))).toEqual(revisions.map(([, id]) => id));
  });

  it('switches a container in place, keeps the work that was not committed, and gives it back', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    await lxc.json('checkout', 'mysql@0', 'reference');
    write(lxc, 'mysql', '/work', 'a whole day of it');
    const working = lxc.tree('mysql');
    const config = lxc.readConfig('mysql');

    const switched = await lxc.json<CheckoutJson>('checkout', 'mysql@0');
    expect(switched).toMatchObject({ container: 'mysql', version: { number: 0 }, saved: { number: 3 } });
    expectSameTree(lxc.tree('mysql'), lxc.tree('reference'));
    expect(withoutRootfs(lxc.readConfig('mysql'))).toEqual(withoutRootfs(config));
    expect(await lxc.json<StatusJson>('status', 'mysql')).toMatchObject({ version: { number: 0 }, changes: [] });

    const back = await lxc.json<CheckoutJson>('checkout', 'mysql@3');
    expect(back.saved).toBeUndefined();
    expectSameTree(lxc.tree('mysql'), working);
    expect((await lxc.json<LogJson>('log', 'mysql')).versions.map(({ number }) => number)).toEqual([3, 2, 1, 0]);
    await lxc.start('mysql');
    expect(await lxc.attach('mysql', 'cat /work')).toBe('a whole day of it');
  });

  it('switches a running container where it is told to restart it', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    await lxc.start('mysql');
    await lxc.attach('mysql', 'echo unsaved >/work');
    const { pid } = await lxc.info('mysql');

    const { saved } = await lxc.json<CheckoutJson>('checkout', 'mysql@0', '--restart');
    const now = await lxc.info('mysql');
    expect(now.state).toBe('RUNNING');
    expect(now.pid).not.toBe(pid);
    expect(await lxc.attach('mysql', 'ls /')).toMatch(/^first$/m);
    expect(await lxc.attach('mysql', 'ls /')).not.toMatch(/^(work|second)$/m);
    await lxc.json('checkout', `mysql@${saved?.number}`, 'rescued');
    expect(readInside(lxc, 'rescued', '/work')).toBe('unsaved\n');
  });

  it('lists, creates, renames and deletes branches, and checks them out', async () => {
    using lxc = temporaryLxc();
    const [, second, third] = await commitThree(lxc);
    const branches = async () =>
      (await lxc.json<BranchJson>('branch', 'mysql')).branches.map(({ name, version, container }) => [
        name,
        version.number,
        container,
      ]);

    await done(lxc, 'branch', 'mysql', 'tuning', 'mysql@1');
    const listed = await done(lxc, 'branch', 'mysql');
    expect(listed).toMatch(new RegExp(`mysql.*@2.*${third.slice(0, 7)}`));
    expect(listed).toMatch(new RegExp(`tuning.*@1.*${second.slice(0, 7)}`));

    await done(lxc, 'checkout', 'mysql@tuning', 'mysql_tuning');
    write(lxc, 'mysql_tuning', '/tuned', 'yes');
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'Tuned', 'mysql_tuning');
    expect(version).toMatchObject({ number: 3, parents: [second], branch: 'mysql_tuning' });
    await done(lxc, 'branch', 'mysql', '--move', 'mysql_tuning', 'fast');
    expect(await branches()).toEqual([
      ['fast', 3, 'mysql_tuning'],
      ['mysql', 2, 'mysql'],
      ['tuning', 1, null],
    ]);
    await done(lxc, 'branch', 'mysql', '--delete', 'tuning');
    await done(lxc, 'checkout', 'mysql@0', 'named', '--branch', 'experiment');
    expect(await branches()).toEqual([
      ['experiment', 0, 'named'],
      ['fast', 3, 'mysql_tuning'],
      ['mysql', 2, 'mysql'],
    ]);
  });

  it('keeps on a branch of its own what a container on no branch commits', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    const { branch } = await lxc.json<CheckoutJson>('checkout', 'mysql@0', 'loose', '--detach');
    expect(branch).toBeNull();
    write(lxc, 'loose', '/loose', '');
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'Loose', 'loose');
    expect(version).toMatchObject({ branch: 'loose-v0', refs: ['loose-v0'] });
    expect((await lxc.json<LogJson>('log', 'mysql@loose-v0')).versions.map(({ number }) => number)).toEqual([3, 0]);
  });

  it('shows in status what was added, modified and removed, while the container runs and when it is stopped', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    lxc.quieten('mysql');
    await lxc.start('mysql');
    await lxc.attach('mysql', 'echo new >/home/new && echo more >>/second && rm /third && chmod 600 /etc/passwd');
    const changes = [
      { path: 'etc/passwd', kind: 'metadata', type: 'file' },
      { path: 'home/new', kind: 'added', type: 'file' },
      { path: 'second', kind: 'modified', type: 'file' },
      { path: 'third', kind: 'removed', type: 'file' },
    ];
    expect(await lxc.json<StatusJson>('status', 'mysql')).toMatchObject({ state: 'running', changes });
    const shown = await done(lxc, 'status', 'mysql');
    for (const { path } of changes) expect(shown).toContain(path);

    await lxc.attach('mysql', 'mv /first /home/elsewhere');
    expect((await lxc.json<StatusJson>('status', 'mysql')).changes).toMatchObject([
      changes[0],
      { path: 'first', kind: 'removed', movedTo: 'home/elsewhere' },
      { path: 'home/elsewhere', kind: 'added', movedFrom: 'first' },
      ...changes.slice(1),
    ]);
    await lxc.attach('mysql', 'mv /home/elsewhere /first');

    await lxc.stop('mysql');
    expect(await lxc.json<StatusJson>('status', 'mysql')).toMatchObject({ state: 'stopped', changes });
    expect((await lxc.json<ListJson>('list')).containers).toMatchObject([{ name: 'mysql', dirty: true }]);
  });

  it('exports a version as a tarball, compressed or not, that GNU tar makes the same tree of', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    {
      using mount = lxc.mount('mysql');
      storm(mount.path, { seed: 11, steps: 300 });
    }
    const tree = lxc.tree('mysql');
    await lxc.json('commit', '-m', 'A storm', 'mysql');
    write(lxc, 'mysql', '/later', 'not in the version');

    for (const [end, magic] of [
      ['tar.gz', '1f8b'],
      ['tar.zst', '28b52ffd'],
      ['tar.xz', 'fd377a585a00'],
      ['tar.bz2', '425a68'],
      ['tar', ''],
    ] as const) {
      const file = `mysql.${end}`;
      const exported = await lxc.lxcvWith({ cwd: lxc.directory }, 'export', 'mysql@3', '-o', file);
      expect(exported).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/socket/) });
      const archive = join(lxc.directory, file);
      expect(readFileSync(archive).toString('hex', 0, magic.length / 2)).toBe(magic);
      const target = join(lxc.directory, end);
      mkdirSync(target);
      const extract = [
        '--extract',
        '--numeric-owner',
        '--same-permissions',
        '--acls',
        '--xattrs',
        '--xattrs-include=*',
      ];
      execFileSync('tar', [...extract, '--file', archive, '--directory', target], { stdio: 'pipe' });
      expectSameTree(readTree(target), withoutSockets(tree));
    }
  });

  it('adopts a container on a plain directory by moving it, and LXC starts it afterwards', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('web');
    write(lxc, 'web', '/root/big', 'x'.repeat(1 << 23));
    const before = lxc.tree('web');
    const { ino } = statSync(join(lxc.lxcpath, 'web/rootfs/root/big'));

    const { version } = await lxc.json<CommitJson>('commit', '-m', 'First', 'web');
    expect(version).toMatchObject({ number: 0, parents: [], branch: 'web', changes: { modified: 0, removed: 0 } });
    expect(version.changes.added).toBe(before.size - 1);
    expectSameTree(lxc.tree('web'), before);
    expect(lxc.rootfs('web').lowers.flatMap((lower) => inodeOf(join(lower, 'root/big')))).toEqual([ino]);

    await inside(lxc, 'web', 'echo more >>/root/big && rm /etc/passwd');
    await lxc.json('commit', '-m', 'Second', 'web');
    await lxc.json('checkout', 'web@0', 'again');
    expectSameTree(lxc.tree('again'), before);
  });

  it('adopts a container on several lower directories, however their paths are written', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    const middle = join(lxc.directory, 'middle');
    mkdirSync(join(middle, 'etc'), { recursive: true });
    writeFileSync(join(middle, 'etc/passwd'), 'root::0:0:root:/:/bin/sh\n');
    const { lowers, upper } = lxc.rootfs('mysql');
    const path = `overlayfs:${middle}/:${lowers[0]}/:${upper}/`;
    lxc.editConfig('mysql', (text) => text.replace(/(?<=^lxc\.rootfs\.path = ).*/m, path));
    await inside(lxc, 'mysql', 'echo mine >/home/mine && rm /etc/group');
    const tree = lxc.tree('mysql');
    await lxc.json('commit', '-m', 'First', 'mysql');
    expectSameTree(lxc.tree('mysql'), tree);
    await inside(lxc, 'mysql', 'rm /home/mine');
    await lxc.json('commit', '-m', 'Second', 'mysql');
    await lxc.json('checkout', 'mysql@0', 'again');
    expectSameTree(lxc.tree('again'), tree);
    await inside(lxc, 'again', 'test "$(cat /home/mine)" = mine && test ! -e /etc/group');
    expect(readdirSync(join(lxc.lxcpath, 'mysql')).sort()).toEqual(['config', 'lxc_rdepends', 'rootfs']);
  });

  it('takes the message from standard input, and the author from the environment or the command line', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('web');
    const env = { GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org' };
    const committed = await lxc.lxcvWith({ input: 'From a pipe\n', env }, 'commit', '-F', '-', 'web');
    expect(committed.exitCode).toBe(0);
    await done(lxc, 'commit', 'web', '-m', 'one', '-m', 'two', '--author', 'Bob <bob@example.org>', '--allow-empty');
    expect((await lxc.json<LogJson>('log', 'web')).versions).toMatchObject([
      { message: 'one\n\ntwo', author: { name: 'Bob', email: 'bob@example.org' } },
      { message: 'From a pipe', author: { name: 'Ada', email: 'ada@example.org' } },
    ]);
  });

  it('ends quietly, and as documented, when nobody reads on', async () => {
    using lxc = temporaryLxc();
    await commitThree(lxc);
    const command = `"${process.execPath}" "${LXCV}" log mysql --json -P "${lxc.lxcpath}"`;
    const { stderr } = await lxc.program('sh', ['-c', `{ sleep 0.1; ${command}; echo "ended with $?" >&2; } | true`]);
    expect(stderr).toMatch(/^ended with [01]\n$/);
  });
});

/** What a first commit says of a base that has no versions. */
const UNPROTECTED = /^lxcv: its versions stand on [^\n]*\n/;

/** Runs lxcv, which must succeed and complain of nothing else, and returns what it prints. */
async function done(lxc: TestLxc, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await lxc.lxcv(...args);
  expect({ args, exitCode, stderr: stderr.replace(UNPROTECTED, '') }).toEqual({ args, exitCode: 0, stderr: '' });
  return stdout;
}

/** Starts a container for as long as a line of sh(1) runs in it. */
async function inside(lxc: TestLxc, name: string, script: string): Promise<void> {
  await lxc.start(name);
  await lxc.attach(name, script);
  await lxc.stop(name);
}

/** Makes a clone `mysql` of three versions, each of which adds a file of its own, and returns their ids. */
async function commitThree(lxc: TestLxc): Promise<[string, string, string]> {
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  const commit = async (name: string, message = name) => {
    write(lxc, 'mysql', `/${name}`, name);
    return (await lxc.commit('mysql', message)).id;
  };
  return [await commit('first'), await commit('second', 'second\n\nwith a body'), await commit('third')];
}

/** A version as scripts read it: with these names and no others. */
function version(known: Partial<VersionJson>): VersionJson {
  return {
    id: expect.stringMatching(ID),
    number: 0,
    parents: [],
    message: '',
    author: { name: expect.stringMatching(/./), email: expect.stringMatching(/./) },
    time: expect.stringMatching(UTC),
    branch: 'mysql',
    refs: [],
    changes: expect.anything(),
    ...known,
  };
}

function write(lxc: TestLxc, name: string, path: string, text: string): void {
  using mount = lxc.mount(name);
  writeFileSync(join(mount.path, path), text);
}

function readInside(lxc: TestLxc, name: string, path: string): string {
  using mount = lxc.mount(name);
  return readFileSync(join(mount.path, path), 'utf8');
}

function inodeOf(path: string): number[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [] : [stat.ino];
}

function withoutRootfs(config: string): string[] {
  return config.split('\n').filter((line) => !line.startsWith('lxc.rootfs.path'));
}

/** GNU tar has no way to write a socket. */
function withoutSockets(tree: Tree): Tree {
  const kept = new Map([...tree].filter(([, { type }]) => type !== 'socket'));
  expect(compareTrees(kept, tree)).not.toEqual([]);
  return kept;
}
