import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { Files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import { parseContainerName } from '../../src/model/names.js';
import { mountDisk } from '../support/disk.js';
import {
  type BranchJson,
  type CommitJson,
  type ErrorJson,
  type ListJson,
  type LogJson,
  LXCV,
  type StatusJson,
  type TestLxc,
  temporaryLxc,
} from '../support/lxc.js';
import { mountOverlay } from '../support/overlay.js';
import { compareTrees, expectSameTree } from '../support/tree.js';

describe('lxcv refuses, in two lines, and changes nothing', () => {
  let lxc: TestLxc;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    for (const name of ['mysql', 'untracked', 'live']) await lxc.clone('base', name);
    await commitFile(lxc, 'mysql', 'first');
    await commitFile(lxc, 'mysql', 'second');
    await lxc.checkout('mysql@0', 'fork');
    await commitFile(lxc, 'fork', 'third');
    await lxc.json('branch', 'mysql', 'old', 'mysql@0');
    await lxc.checkout('mysql@0', 'gone');
    await commitFile(lxc, 'gone', 'lonely');
    await lxc.destroy('gone');
    lxc.createBase('web');
    await lxc.commit('web', 'Of another repository');
    await lxc.checkout('mysql@1', 'tracked');
    for (const name of ['live', 'tracked']) {
      lxc.quieten(name);
      await lxc.start(name);
    }
    mkdirSync(join(lxc.lxcpath, 'taken'));
    writeFileSync(join(lxc.directory, 'there.tar'), '');
  });
  afterAll(() => lxc[Symbol.dispose]());

  it('a command, a flag or an argument that it does not know, or misses', async () => {
    await expectRefusals(lxc, { code: 'bad-usage', exit: 2 }, [
      ['frobnicate'],
      ['list', '--frobnicate'],
      ['list', 'mysql'],
      ['commit', 'mysql', '-m', 'a', '-F', 'b'],
      ['branch', 'mysql', '--delete'],
      ['branch', 'mysql', '--move', 'old'],
    ]);
    await expectRefusals(lxc, { code: 'bad-usage', exit: 2, says: /revision/i }, [['log']]);
    await expectRefusals(lxc, { code: 'bad-usage', exit: 2, says: /output/ }, [['export', 'mysql']]);
  });

  it('a commit without a message where there is no terminal to ask on, or by an author who is none', async () => {
    await expectRefusals(lxc, { code: 'bad-usage', exit: 2, says: /message|no file/ }, [
      ['commit', 'mysql'],
      ['commit', 'mysql', '-F', '/no/such/file'],
    ]);
    await expectRefusals(lxc, { code: 'bad-usage', exit: 2, says: /Bob/ }, [
      ['commit', 'mysql', '-m', 'x', '--author', 'Bob'],
    ]);
  });

  it('names that could lead somewhere else or play with the terminal', async () => {
    await expectRefusals(lxc, { code: 'bad-name', exit: 2 }, [
      ['status', '\x1b[31mred\n'],
      ['commit', '-m', 'x', '../mysql'],
      ['commit', '-m', 'x', ''],
      ['log', '..@0'],
      ['checkout', 'mysql@0', 'a:b'],
      ['checkout', 'mysql@0', 'n'.repeat(256)],
      ['branch', 'mysql', '12'],
      ['branch', 'mysql', '--move', 'old', 'a/b'],
    ]);
  });

  it('an lxcpath that no mount option could hold', async () => {
    const outcome = await lxc.program(process.execPath, [LXCV, 'list', '-P', '/srv/a:b']);
    expect(outcome).toEqual({ exitCode: 2, stdout: '', stderr: expect.stringMatching(TWO_LINES) });
  });

  it('what is no revision, and a revision of nothing', async () => {
    await expectRefusals(lxc, { code: 'bad-revision', exit: 2 }, [
      ['log', 'mysql@'],
      ['log', 'mysql@a b'],
      ['checkout', 'mysql@0@1'],
    ]);
    await expectRefusals(lxc, { code: 'revision-not-found', exit: 4 }, [
      ['log', 'mysql@99'],
      ['log', 'mysql@nothing'],
      ['checkout', 'mysql~7', 'new'],
      ['export', 'mysql@0^', '-o', 'new.tar'],
      ['branch', 'mysql', 'new', 'mysql@nothing'],
    ]);
  });

  it('containers and repositories that are not there, or have no versions', async () => {
    await expectRefusals(lxc, { code: 'container-not-found', exit: 4 }, [
      ['commit', '-m', 'x', 'nobody'],
      ['status', 'nobody'],
    ]);
    await expectRefusals(lxc, { code: 'repository-not-found', exit: 4 }, [
      ['log', 'nobody'],
      ['branch', 'nobody'],
      ['checkout', 'nobody@0', 'new'],
    ]);
    await expectRefusals(lxc, { code: 'not-versioned', exit: 4 }, [
      ['status', 'untracked'],
      ['log', 'base'],
    ]);
  });

  it('to make a container where there is one, or a directory', async () => {
    await expectRefusals(lxc, { code: 'container-exists', exit: 3 }, [
      ['checkout', 'mysql@0', 'base'],
      ['checkout', 'mysql@0', 'fork'],
      ['checkout', 'mysql@0', 'taken'],
    ]);
  });

  it('to take a running container over, or to switch it under its feet', async () => {
    await expectRefusals(lxc, { code: 'container-running', exit: 3 }, [
      ['commit', '-m', 'x', 'live'],
      ['checkout', 'tracked@0'],
    ]);
  });

  it('to take over a running container that is named by another path', async () => {
    lxc.createBase('plain');
    lxc.quieten('plain');
    await lxc.start('plain');
    symlinkSync(lxc.lxcpath, join(lxc.directory, 'alias'));
    const before = lxc.listing();
    const outcome = await lxc.program(process.execPath, [
      LXCV,
      ...['commit', '-m', 'x', 'plain', '-P', join(lxc.directory, 'alias')],
    ]);
    expect(outcome).toEqual({ exitCode: 3, stdout: '', stderr: expect.stringMatching(TWO_LINES) });
    const changes = compareTrees(lxc.listing(), before);
    // The container itself goes on writing.
    expect(changes.filter((change) => !change.startsWith('/lxc/plain/rootfs/var/'))).toEqual([]);
  });

  it('a commit of nothing, stopped or running', async () => {
    await expectRefusals(lxc, { code: 'nothing-to-commit', exit: 3 }, [['commit', '-m', 'x', 'mysql']]);
    await expectRefusals(lxc, { code: 'nothing-to-commit', exit: 3 }, [['commit', '-m', 'x', 'tracked']]);
  });

  it('branches that are not there, are there already, are in use, or lead alone to versions', async () => {
    await expectRefusals(lxc, { code: 'branch-not-found', exit: 4 }, [
      ['branch', 'mysql', '--delete', 'nothing'],
      ['branch', 'mysql', '--move', 'nothing', 'new'],
    ]);
    await expectRefusals(lxc, { code: 'branch-exists', exit: 3 }, [
      ['branch', 'mysql', 'old'],
      ['branch', 'mysql', '--move', 'old', 'mysql'],
      ['checkout', 'mysql@1', 'new', '--branch', 'old'],
    ]);
    await expectRefusals(lxc, { code: 'branch-in-use', exit: 3 }, [
      ['branch', 'mysql', '--delete', 'fork'],
      ['checkout', 'mysql', 'new', '--branch', 'mysql'],
      ['checkout', 'mysql@fork'],
    ]);
    await expectRefusals(lxc, { code: 'branch-not-merged', exit: 3 }, [['branch', 'mysql', '--delete', 'gone']]);
  });

  it('a branch that would begin in another repository than the one that is named', async () => {
    const before = lxc.listing();
    const { exitCode, stderr } = await lxc.lxcv('branch', 'mysql', 'stray', 'web@0');
    expect(exitCode).toBeGreaterThan(1);
    expect(stderr).toMatch(TWO_LINES);
    expect(compareTrees(lxc.listing(), before)).toEqual([]);
  });

  it('to export over a file, to a terminal, or where there is no directory', async () => {
    const there = join(lxc.directory, 'there.tar');
    await expectRefusals(lxc, { code: 'output-exists', exit: 3 }, [['export', 'mysql', '-o', there]]);
    await expectRefusals(lxc, { code: 'failed', exit: 1 }, [['export', 'mysql', '-o', '/no/such/directory/x.tar']]);
  });
});

describe('lxcv refuses to take over, and changes nothing of', () => {
  it('a container on another backing store', async () => {
    using lxc = temporaryLxc();
    const paths = ['btrfs:/srv/x', 'zfs:tank/x', 'loop:/srv/x.img', '/dev/vg/x', ''];
    for (const [index, path] of paths.entries()) {
      lxc.createBase(`mysql${index}`);
      setRootfs(lxc, `mysql${index}`, path);
    }
    const commands = paths.map((_, index) => ['commit', '-m', 'x', `mysql${index}`]);
    await expectRefusals(lxc, { code: 'backing-store', exit: 3 }, commands);
  });

  it('a container whose overlay keeps its marks as user attributes', async () => {
    using lxc = await withClone();
    lxc.editConfig('mysql', (text) => `${text}lxc.rootfs.options = userxattr\n`);
    await expectRefusals(lxc, { code: 'backing-store', exit: 3 }, [['commit', '-m', 'x', 'mysql']]);
  });

  it('what LXC can copy with the line that is told, and what it cannot with one that works', async () => {
    using lxc = await withClone();
    lxc.editConfig('mysql', (text) => `${text}lxc.rootfs.options = userxattr\n`);
    const told = async (name: string) => (await errorOf(lxc, 'commit', '-m', 'x', name)).hint;
    const follow = async (hint: string) => {
      const line = hint.slice(hint.search(/(?:lxc-copy|mkdir) /));
      expect([line, await lxc.program('sh', ['-c', line])]).toEqual([line, expect.objectContaining({ exitCode: 0 })]);
    };
    // Of the time when it had no such option.
    const mark = ['-x', 'trusted.overlay.uuid', lxc.rootfs('mysql').upper];
    await lxc.program('setfattr', mark);
    await follow(await told('mysql'));
    lxc.editConfig('mysql-copy', (text) => text.replace(/^lxc\.rootfs\.options.*$/m, ''));
    await lxc.json('commit', '-m', 'x', 'mysql-copy');
    lxc.createBase('far');
    const away = join(lxc.directory, 'away');
    renameSync(join(lxc.lxcpath, 'far/rootfs'), away);
    setRootfs(lxc, 'far', `dir:${away}`);
    linkSync(join(away, 'etc/passwd'), join(lxc.directory, 'outside'));
    expect(await told('far')).not.toContain('lxc-copy');
    await follow(await told('far'));
    setRootfs(lxc, 'far', `dir:${join(lxc.lxcpath, 'far/rootfs')}`);
    await lxc.json('commit', '-m', 'x', 'far');
    lxc.createBase('image');
    const image = join(lxc.directory, 'disk');
    execFileSync('mkfs.ext4', ['-q', image, '8M']);
    setRootfs(lxc, 'image', `loop:${image}`);
    expect(await told('image')).toContain('by a symbolic link');
    symlinkSync(image, join(lxc.lxcpath, 'image/disk'));
    setRootfs(lxc, 'image', `loop:${join(lxc.lxcpath, 'image/disk')}`);
    await follow(await told('image'));
    const mounted = `mount --bind ${lxc.lxcpath} ${lxc.lxcpath} && exec ${process.execPath} ${LXCV} commit -P ${lxc.lxcpath} -m x base`;
    const { stderr } = await lxc.program('unshare', ['-m', 'sh', '-c', mounted]);
    expect(stderr).toContain('onto one mount of one file system');
    setRootfs(lxc, 'image', '');
    expect(await told('image')).toBe(`Name a directory in lxc.rootfs.path of ${join(lxc.lxcpath, 'image/config')}.`);
  });

  it('a plain directory that holds the layers of another overlay', async () => {
    using lxc = temporaryLxc();
    lxc.createBase('mysql');
    const inner = join(lxc.lxcpath, 'mysql/rootfs/root/inner');
    {
      using overlay = mountOverlay({ lowers: [join(lxc.lxcpath, 'mysql/rootfs/etc')], upper: `${inner}/upper` });
      rmSync(join(overlay.path, 'passwd'));
    }
    await expectRefusals(lxc, { code: 'delta-not-keepable', exit: 3, says: /passwd|inner/ }, [
      ['commit', '-m', 'x', 'mysql'],
    ]);
  });

  it('a container whose store is on another file system', async () => {
    using lxc = await withClone();
    mkdirSync(lxc.store);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=700', 'lxcv-test', lxc.store]);
    await expectRefusals(lxc, { code: 'other-file-system', exit: 3 }, [['commit', '-m', 'x', 'mysql']]);
  });

  it('a container whose lower directory is gone', async () => {
    using lxc = await withClone();
    rmSync(join(lxc.lxcpath, 'base/rootfs'), { recursive: true });
    await expectRefusals(lxc, { code: 'base-missing', exit: 4 }, [['commit', '-m', 'x', 'mysql']]);
  });
});

describe('lxcv refuses deltas that would not be kept', () => {
  const ways: [what: string, options: string, change: (root: string) => void, path: string][] = [
    [
      'a directory that was renamed with redirect_dir=on',
      'redirect_dir=on',
      (root) => renameSync(join(root, 'etc'), join(root, 'moved')),
      'moved',
    ],
    [
      'a file whose mode was changed with metacopy=on',
      'metacopy=on,redirect_dir=on',
      (root) => execFileSync('chmod', ['600', join(root, 'etc/passwd')]),
      'etc/passwd',
    ],
    ['what was written with volatile', 'volatile', (root) => writeFileSync(join(root, 'file'), ''), 'volatile'],
    [
      'an immutable file',
      'index=off',
      (root) => execFileSync('chattr', ['+i', join(root, 'etc/passwd')]),
      'etc/passwd',
    ],
  ];

  it.each(ways)('%s, and says where', async (_, options, change, path) => {
    using lxc = await withClone();
    await lxc.clone('base', 'new');
    await commitFile(lxc, 'mysql', 'first');
    for (const name of ['mysql', 'new']) {
      const { lowers, upper } = lxc.rootfs(name);
      using overlay = mountOverlay({ lowers, upper, options });
      change(overlay.path);
    }
    const refusal = { code: 'delta-not-keepable', exit: 3, says: new RegExp(path) };
    await expectRefusals(lxc, refusal, [
      ['commit', '-m', 'x', 'new'],
      ['commit', '-m', 'x', 'mysql'],
    ]);
    expect(await lxc.lxcv('checkout', 'mysql@0')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(path) });
    expect(await lxc.lxcv('fsck')).toMatchObject({ exitCode: 0 });
  });
});

it('too few file descriptors for another program are told in two lines, and nothing is done', async () => {
  using lxc = await withClone();
  await commitFile(lxc, 'mysql', 'first');
  // So git is asked for the user.
  writeFileSync(join(lxc.directory, '.gitconfig'), '[user]\n\tname = Ada\n');
  for (const files of [24, 25, 26, 27]) {
    for (const args of [
      ['commit', '--allow-empty', '-m', 'x', 'mysql'],
      ['grep', 'root', 'mysql@0'],
    ]) {
      const script = `ulimit -n ${files}; HOME=${lxc.directory} exec "$0" "$@"`;
      const command = [process.execPath, LXCV, ...args, '-P', lxc.lxcpath];
      expect(await lxc.program('sh', ['-c', script, ...command])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/^lxcv: too many files are open\b.*\n {6}Raise the limit: .*65536.*\n$/),
      });
    }
  }
  expect(await lxc.json('log', 'mysql')).toMatchObject({ versions: [{ number: 0 }] });
});

it('an immutable file of a stopped container is kept once what the hint says is done', async () => {
  using lxc = await withClone();
  await lxc.clone('base', 'new');
  {
    using root = lxc.mount('new');
    execFileSync('chattr', ['+i', join(root.path, 'etc/passwd')]);
  }
  const { error } = JSON.parse((await lxc.lxcv('commit', '-m', 'x', 'new', '--json')).stdout) as ErrorJson;
  execFileSync('sh', ['-c', /setfattr .*$/.exec(error.hint)?.[0] ?? 'false']);
  expect(await lxc.commit('new', 'first')).toMatchObject({ number: 0 });
});

describe('lxcv notices', () => {
  it('a base that was changed, and takes it as it is where it is told to', async () => {
    using lxc = await withClone();
    lxc.expectFindings('base-changed');
    await commitFile(lxc, 'mysql', 'first');
    addFile(lxc, 'mysql', 'second');
    writeFileSync(join(lxc.lxcpath, 'base/rootfs/etc/hostname'), 'changed');
    await expectRefusals(lxc, { code: 'base-changed', exit: 3, says: /base\/rootfs/ }, [
      ['commit', '-m', 'x', 'mysql'],
      ['checkout', 'mysql@0', 'new'],
      ['export', 'mysql@0', '-o', join(lxc.directory, 'new.tar')],
    ]);
    const tree = lxc.tree('mysql');
    await lxc.json('commit', '-m', 'On the new base', 'mysql', '--accept-base');
    await lxc.json('checkout', 'mysql@1', 'new');
    expectSameTree(lxc.tree('new'), tree);
    await lxc.json('checkout', 'mysql@0', 'older', '--accept-base');
    await expectRefusals(lxc, { code: 'base-changed', exit: 3 }, [['checkout', 'mysql@0', 'another']]);
  });

  it('a base that is gone, and still shows what does not need it', async () => {
    using lxc = await withClone();
    await commitFile(lxc, 'mysql', 'first');
    addFile(lxc, 'mysql', 'second');
    renameSync(join(lxc.lxcpath, 'base/rootfs'), join(lxc.lxcpath, 'base/elsewhere'));
    await expectRefusals(lxc, { code: 'base-missing', exit: 4, says: /base\/rootfs/ }, [
      ['commit', '-m', 'x', 'mysql'],
      ['checkout', 'mysql@0', 'new'],
      ['checkout', 'mysql@0'],
      ['export', 'mysql@0', '-o', join(lxc.directory, 'new.tar')],
      ['status', 'mysql'],
    ]);
    expect((await lxc.lxcv('list')).stdout).toMatch(/^mysql\b.*@0/m);
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(1);
    renameSync(join(lxc.lxcpath, 'base/elsewhere'), join(lxc.lxcpath, 'base/rootfs'));
    await lxc.json('commit', '-m', 'Back again', 'mysql');
  });

  it('a store and a version that a newer lxcv wrote', async () => {
    using lxc = await withClone();
    await commitFile(lxc, 'mysql', 'first');
    const manifest = join(versionDirectory(lxc, 'mysql', 0), 'manifest.json');
    for (const [file, commands] of [
      [
        manifest,
        [
          ['log', 'mysql'],
          ['checkout', 'mysql@0', 'new'],
        ],
      ],
      [join(lxc.store, 'store.json'), [['list'], ['commit', '-m', 'x', 'mysql']]],
    ] as const) {
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replace(/"format": ?\d+/, '"format": 99'));
      await expectRefusals(lxc, { code: 'store-newer', exit: 5, says: /99/ }, commands);
      writeFileSync(file, text);
    }
    const log = join(lxc.store, 'mysql/operations');
    const text = readFileSync(log, 'utf8');
    writeFileSync(log, `${text}{"operation":"one","state":"begin","forward":[{"do":"paint"}]}\n`);
    await expectRefusals(lxc, { code: 'store-newer', exit: 5, says: /operations was written by a newer lxcv/ }, [
      ['log', 'mysql'],
      ['commit', '-m', 'x', 'mysql'],
    ]);
    writeFileSync(log, text);
    await lxc.json('checkout', 'mysql@0', 'new');
  });

  it('a damaged manifest, branch, record or store', async () => {
    using lxc = await withClone();
    await commitFile(lxc, 'mysql', 'first');
    await commitFile(lxc, 'mysql', 'second');
    const version = versionDirectory(lxc, 'mysql', 0);
    const working = join(lxc.rootfs('mysql').upper, '../working.json');
    const damages: [file: string, damage: (text: string) => string, ...commands: string[][]][] = [
      [join(version, 'manifest.json'), (text) => text.slice(0, 100), ['log', 'mysql']],
      [join(version, 'manifest.json'), (text) => text.replace('"number": 0', '"number": -1'), ['log', 'mysql']],
      [
        join(lxc.store, 'mysql/refs/heads/mysql'),
        () => '',
        ['log', 'mysql@mysql'],
        ['commit', '-m', 'x', '--allow-empty', 'mysql'],
      ],
      [working, (text) => text.slice(0, 50), ['status', 'mysql'], ['commit', '-m', 'x', 'mysql']],
      [join(lxc.store, 'store.json'), () => 'null', ['list'], ['commit', '-m', 'x', 'mysql']],
    ];
    for (const [file, damage, ...commands] of damages) {
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, damage(text));
      await expectRefusals(lxc, { code: 'store-damaged', exit: 5, says: new RegExp(nameIn(file)) }, commands);
      writeFileSync(file, text);
    }
    renameSync(working, `${working}.away`);
    await expectRefusals(lxc, { code: 'store-damaged', exit: 5 }, [
      ['status', 'mysql'],
      ['commit', '-m', 'x', 'mysql'],
    ]);
    renameSync(`${working}.away`, working);
    for (const [path, command] of [
      [version, ['log', 'mysql']],
      [join(version, 'delta'), ['checkout', 'mysql@0', 'new']],
    ] as const) {
      renameSync(path, `${path}.away`);
      await expectRefusals(lxc, { code: 'store-damaged', exit: 5 }, [command]);
      renameSync(`${path}.away`, path);
    }
    await commitFile(lxc, 'mysql', 'third');
  });

  it('a path that was edited in the config of a container', async () => {
    using lxc = await withClone();
    await commitFile(lxc, 'mysql', 'first');
    addFile(lxc, 'mysql', 'second');
    const { lowers, upper } = lxc.rootfs('mysql');
    const config = lxc.readConfig('mysql');
    const commands = [
      ['commit', '-m', 'x', 'mysql'],
      ['checkout', 'mysql@0'],
      ['status', 'mysql'],
    ];
    for (const path of [`overlay:${[...lowers.slice(1), upper].join(':')}`, join(lxc.lxcpath, 'base/rootfs')]) {
      setRootfs(lxc, 'mysql', path);
      await expectRefusals(lxc, { code: 'container-edited', exit: 3, says: /lxc\.rootfs\.path/ }, commands);
      lxc.editConfig('mysql', () => config);
    }
    await lxc.json('commit', '-m', 'As it was', 'mysql');
  });

  it('a container whose config is a copy of another one', async () => {
    using lxc = await withClone();
    lxc.expectFindings('container-damaged');
    await commitFile(lxc, 'mysql', 'first');
    mkdirSync(join(lxc.lxcpath, 'copy'));
    writeFileSync(join(lxc.lxcpath, 'copy/config'), lxc.readConfig('mysql'));
    await expectRefusals(lxc, { code: 'store-damaged', exit: 5, says: /copy/ }, [
      ['commit', '-m', 'x', 'copy'],
      ['status', 'copy'],
    ]);
    await commitFile(lxc, 'mysql', 'second');
  });

  it('a root file system that something has mounted', async () => {
    using lxc = await withClone();
    await commitFile(lxc, 'mysql', 'first');
    {
      using mount = lxc.mount('mysql');
      writeFileSync(join(mount.path, 'half'), 'writ');
      await expectRefusals(lxc, { code: 'container-in-use', exit: 3, says: /mounted/ }, [
        ['commit', '-m', 'x', 'mysql'],
        ['checkout', 'mysql@0'],
      ]);
    }
    await lxc.json('commit', '-m', 'Whole', 'mysql');
  });

  it('another lxcv at work on the repository', async () => {
    using lxc = await withClone();
    await commitFile(lxc, 'mysql', 'first');
    addFile(lxc, 'mysql', 'second');
    const other = execa('flock', [join(lxc.store, 'mysql/lock'), 'sh', '-c', 'echo held; exec cat'], { reject: false });
    await new Promise((resolve) => other.stdout.once('data', resolve));
    const commands = [
      ['commit', '-m', 'x', 'mysql'],
      ['branch', 'mysql', 'new'],
      ['checkout', 'mysql@0', 'new'],
    ];
    await expectRefusals(lxc, { code: 'repository-locked', exit: 3 }, commands);
    other.stdin.end();
    await other;
    await lxc.json('commit', '-m', 'Alone', 'mysql');
  });
});

describe('a file system that cannot take more', () => {
  it('is read where it is mounted read-only, and nothing else', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withClone(disk.path);
    await commitFile(lxc, 'mysql', 'first');
    addFile(lxc, 'mysql', 'second');
    const tree = lxc.tree('mysql');
    execFileSync('mount', ['-o', 'remount,ro', disk.path]);
    await expectRefusals(lxc, { code: 'read-only', exit: 1 }, [
      ['commit', '-m', 'x', 'mysql'],
      ['checkout', 'mysql@0', 'new'],
      ['branch', 'mysql', 'new'],
      ['commit', '-m', 'x', 'base'],
      ['checkout', 'mysql@0'],
      ['branch', 'mysql', '--move', 'mysql', 'main'],
    ]);
    await expectRefusals(lxc, { code: 'read-only', exit: 1 }, [['export', 'mysql', '-o', join(disk.path, 'new.tar')]]);
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(1);
    expect((await lxc.json<StatusJson>('status', 'mysql')).changes).toMatchObject([{ path: 'second', kind: 'added' }]);
    const { containers } = await lxc.json<ListJson>('list');
    expect(containers).toMatchObject([{ name: 'mysql', branch: 'mysql', version: { number: 0 }, dirty: true }]);
    expect((await lxc.json<BranchJson>('branch', 'mysql')).branches).toMatchObject([{ name: 'mysql' }]);
    expect(await lxc.json('fsck')).toEqual({ findings: [] });
    const exported = await lxc.lxcv('export', 'mysql', '-o', '-');
    expect(exported.exitCode).toBe(0);

    execFileSync('mount', ['-o', 'remount,rw', disk.path]);
    await lxc.json('commit', '-m', 'Written', 'mysql');
    await lxc.json('checkout', 'mysql@1', 'new');
    expectSameTree(lxc.tree('new'), tree);
  });

  it('leaves everything as it was where it is full, and goes on once there is room', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withClone(disk.path);
    lxc.createBase('plain');
    await commitFile(lxc, 'mysql', 'first');
    const filler = join(disk.path, 'filler');
    for (const free of [0, 100]) {
      for (const name of ['mysql', 'plain']) addFile(lxc, name, `left-${free}`);
      const trees = [lxc.tree('mysql'), lxc.tree('plain')] as const;
      fill(filler, free * 1024);
      for (const [verb, ...args] of [
        ['commit', '-m', 'x', 'mysql'],
        ['checkout', 'mysql@0', `new${free}`],
        ['commit', '-m', 'x', 'plain'],
        // For this so much is enough: see test/e2e/rollback.test.ts.
        ...(free === 0 ? [['checkout', 'mysql@0']] : []),
        ['branch', 'mysql', 'new'],
      ] as const) {
        await expectRefusals(lxc, { code: 'no-space', exit: 1, says: /may need (32.0|256|260) KiB.* than \d/ }, [
          [verb, ...args],
        ]);
      }
      expectSameTree(lxc.tree('mysql'), trees[0]);
      expectSameTree(lxc.tree('plain'), trees[1]);
      await lxc.start('mysql');
      await lxc.stop('mysql');
      rmSync(filler);
    }
    for (const name of ['mysql', 'plain']) {
      addFile(lxc, name, 'last');
      const tree = lxc.tree(name);
      await lxc.json('commit', '-m', 'With room', name);
      await lxc.json('checkout', name, `again-${name}`);
      expectSameTree(lxc.tree(`again-${name}`), tree);
    }
  });
});

describe('a file system that is nearly full', () => {
  it('takes a commit with a keyframe, a checkout and a branch where lxcv says that they fit', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withClone(disk.path);
    const addDirectories = (parent: string, count: number) => {
      using mount = lxc.mount('mysql');
      for (let number = 0; number < count; number += 1)
        mkdirSync(join(mount.path, `${parent}/d${number}`), { recursive: true });
    };
    // Too many to be small: so that the fourth commit makes the first keyframe.
    for (const number of [0, 1, 2]) {
      addDirectories(`few${number}`, 30);
      await lxc.commit('mysql', `${number}`);
    }
    addDirectories('many', 200);
    const filler = join(disk.path, 'filler');
    fill(filler, 512 << 10);
    const refusal = { code: 'no-space', exit: 1, says: /the commit of mysql may need \d+ KiB/ };
    await expectRefusals(lxc, refusal, [['commit', '-m', 'x', 'mysql']]);
    const { message } = await errorOf(lxc, 'commit', '-m', 'x', 'mysql');
    const [, needed] = /may need (\d+) KiB/.exec(message) ?? [];
    fill(filler, (Number(needed) + ROOM_FOR_ROUNDING) << 10);
    expect((await lxc.json<CommitJson>('commit', '-m', 'Just fits', 'mysql')).version.number).toBe(3);
    for (const args of [
      ['checkout', 'mysql@3', 'new'],
      ['branch', 'mysql', 'more', 'mysql@2'],
    ]) {
      fill(filler, (256 + ROOM_FOR_ROUNDING) << 10);
      await lxc.json(args[0] as string, ...args.slice(1));
    }
    expectSameTree(lxc.tree('new'), lxc.tree('mysql'));
  });

  it('is told from one that has no inode left', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withClone(disk.path);
    await commitFile(lxc, 'mysql', 'first');
    addFile(lxc, 'mysql', 'second');
    for (let number = 0; statfsSync(disk.path).ffree > 20; number += 1)
      writeFileSync(join(disk.path, `f${number}`), '');
    await expectRefusals(lxc, { code: 'no-space', exit: 1, says: /may need 2[46] inodes.* than 20 inodes/ }, [
      ['commit', '-m', 'x', 'mysql'],
      ['checkout', 'mysql@0', 'new'],
    ]);
  });

  it('is not begun to be filled with the copy of a running container that it cannot hold', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withClone(disk.path);
    await commitFile(lxc, 'mysql', 'first');
    lxc.quieten('mysql');
    await lxc.start('mysql');
    const megabytes = Math.floor(statfsSync(disk.path).bfree / 256) >> 1;
    await lxc.attach('mysql', `dd if=/dev/zero of=/root/large bs=1M count=${megabytes + 1} 2>&1; sync`);
    const refusal = { code: 'no-space', exit: 1, says: /the commit of mysql may need [\d.]+ MiB/ };
    await expectRefusals(lxc, refusal, [['commit', '-m', 'x', 'mysql']]);
    await lxc.attach('mysql', `truncate -s 1M /root/large; dd if=/dev/zero of=/root/more bs=1M count=1 2>&1; sync`);
    await lxc.json('commit', '-m', 'Fits', 'mysql');
    const filler = join(disk.path, 'filler');
    fill(filler, 1 << 20);
    await lxc.attach('mysql', 'echo changed > /root/small');
    await lxc.json('commit', '-m', 'What is unchanged takes no room', 'mysql');
  });

  it('is harmless where it is filled while a running container is copied', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withClone(disk.path);
    await commitFile(lxc, 'mysql', 'first');
    lxc.quieten('mysql');
    await lxc.start('mysql');
    await lxc.attach('mysql', 'dd if=/dev/zero of=/root/large bs=1M count=2 2>&1; sync');
    const hooks = join(lxc.store, 'mysql/hooks');
    mkdirSync(hooks);
    const filling = `#!/bin/sh\nexec >/dev/null 2>&1\ncat /dev/zero > ${disk.path}/filler\nsync\n`;
    const grown = `dd if=/dev/zero of=/proc/$(lxc-info -P ${lxc.lxcpath} -n mysql -pH)/root/root/large bs=4k seek=512 count=256 conv=notrunc`;
    writeFileSync(join(hooks, 'pre-freeze'), filling.replace('cat', `${grown}\ncat`).concat('exit 0\n'), {
      mode: 0o755,
    });
    const before = lxc.tree('mysql');
    const { exitCode, stderr } = await lxc.lxcv('commit', '-m', 'x', 'mysql');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/^lxcv: no space is left/) });
    expect((await lxc.info('mysql')).state).toBe('RUNNING');
    rmSync(join(disk.path, 'filler'));
    rmSync(join(hooks, 'pre-freeze'));
    expect(await lxc.json('fsck')).toEqual({ findings: [] });
    expect((await lxc.json<CommitJson>('commit', '-m', 'With room', 'mysql')).version.number).toBe(1);
    expect(compareTrees(lxc.tree('mysql'), before).filter((change) => !change.startsWith('/root/large'))).toEqual([]);
  });

  it('is harmless where it is filled between the look at it and the work of', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withClone(disk.path);
    await commitFile(lxc, 'mysql', 'first');
    addFile(lxc, 'mysql', 'second');
    const filler = join(disk.path, 'filler');
    const files: Files = {
      ...machine.files,
      free(path) {
        const free = machine.files.free(path);
        if (path !== lxc.lxcpath) fill(filler, 4096);
        return free;
      },
    };
    const engine = await openEngine({ lxcpath: lxc.lxcpath, host: { ...machine, files } });
    const options = { detach: false, restart: false, acceptBase: false };
    const container = parseContainerName('mysql');
    const before = lxc.tree('mysql');
    for (const act of [
      () => engine.commit({ container, message: '', allowEmpty: false, acceptBase: false }),
      () => engine.checkout({ revision: 'mysql@0', container: parseContainerName('new'), ...options }),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: 'ENOSPC' });
      expectSameTree(lxc.tree('mysql'), before);
      await lxc.start('mysql');
      await lxc.stop('mysql');
      rmSync(filler);
      expect(await lxc.json('fsck')).toEqual({ findings: [] });
    }
    await lxc.json('commit', '-m', 'With room', 'mysql');
  });
});

it('lxcv refuses to work for another user than root', async () => {
  using lxc = await withClone();
  await commitFile(lxc, 'mysql', 'first');
  // The one capability lets the user read what only root may, wherever this is built; it makes no root of him.
  const asNobody = (...args: string[]) =>
    lxc.program('setpriv', [
      ...['--reuid=65534', '--regid=65534', '--clear-groups'],
      ...['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'],
      ...[process.execPath, LXCV, ...args, '-P', lxc.lxcpath],
    ]);
  const before = lxc.listing();
  const outcome = await asNobody('commit', '-m', 'x', 'mysql');
  expect(outcome).toEqual({ exitCode: 1, stdout: '', stderr: expect.stringMatching(TWO_LINES) });
  expect(outcome.stderr).toMatch(/root/);
  const { stdout, exitCode } = await asNobody('list', '--json');
  expect([exitCode, (JSON.parse(stdout) as ErrorJson).error.code]).toEqual([1, 'not-root']);
  expect(compareTrees(lxc.listing(), before)).toEqual([]);
  expect((await asNobody('--help')).exitCode).toBe(0);
});

/** Of ext4's estimate of what it keeps for itself, in KiB. */
const ROOM_FOR_ROUNDING = 80;

/** What is wrong, and what to do: no more, and nothing that a terminal would obey. */
const TWO_LINES = /^lxcv: [^\n\p{Cc}]+\n {6}[^\n\p{Cc}]+\n$/u;

interface Refusal {
  readonly code: string;
  readonly exit: number;
  /** What the message must name. */
  readonly says?: RegExp;
}

/** Runs the first command for a person, the others (of one, the same) for a program: nothing must be changed by any. */
async function expectRefusals(
  lxc: TestLxc,
  { code, exit, says = /./ }: Refusal,
  commands: readonly (readonly string[])[],
): Promise<void> {
  const before = lxc.listing();
  const [first = [], ...others] = commands;
  const [said, ...told] = await Promise.all([
    lxc.lxcv(...first),
    ...(others.length === 0 ? [first] : others).map(async (args) => ({ args, ...(await lxc.lxcv(...args, '--json')) })),
  ]);
  expect([first, said]).toEqual([first, { exitCode: exit, stdout: '', stderr: expect.stringMatching(TWO_LINES) }]);
  expect(said.stderr).toMatch(says);
  const error = { code, message: expect.stringMatching(says), hint: expect.stringMatching(/^[^\n]+$/) };
  for (const { args, exitCode, stdout, stderr } of told) {
    expect({ args, exitCode, told: jsonOf(stdout), stderr }).toEqual({
      args,
      exitCode: exit,
      // What it is about, for programs, differs from one to the next.
      told: { error: expect.objectContaining(error) },
      stderr: '',
    });
  }
  expect(compareTrees(lxc.listing(), before)).toEqual([]);
}

async function errorOf(lxc: TestLxc, ...args: string[]): Promise<ErrorJson['error']> {
  return (JSON.parse((await lxc.lxcv(...args, '--json')).stdout) as ErrorJson).error;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function withClone(directory?: string): Promise<TestLxc> {
  const lxc = temporaryLxc(directory);
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  return lxc;
}

function addFile(lxc: TestLxc, name: string, file: string): void {
  using mount = lxc.mount(name);
  writeFileSync(join(mount.path, file), file);
}

async function commitFile(lxc: TestLxc, name: string, file: string): Promise<void> {
  addFile(lxc, name, file);
  await lxc.commit(name, file);
}

function setRootfs(lxc: TestLxc, name: string, path: string): void {
  lxc.editConfig(name, (text) => text.replace(/^lxc\.rootfs\.path.*$/m, `lxc.rootfs.path = ${path}`));
}

/** The directory, in the store, of a version by its number. */
function versionDirectory(lxc: TestLxc, repository: string, number: number): string {
  const versions = join(lxc.store, repository, 'versions');
  const found = readdirSync(versions).find((id) => {
    const manifest = join(versions, id, 'manifest.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).number === number;
  });
  return join(versions, found ?? 'missing');
}

function nameIn(file: string): string {
  return file.split('/').at(-1) ?? file;
}

/** Makes a file so large that no more than some bytes are left on its file system. */
function fill(path: string, free: number): void {
  rmSync(path, { force: true });
  const fd = openSync(path, 'w');
  try {
    for (const size of [1 << 20, 1 << 12, 1 << 10]) writeUntilFull(fd, Buffer.alloc(size, 1));
    fsyncSync(fd);
    ftruncateSync(fd, fstatSync(fd).size - free);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeUntilFull(fd: number, chunk: Buffer): void {
  try {
    for (;;) writeSync(fd, chunk);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  }
}
