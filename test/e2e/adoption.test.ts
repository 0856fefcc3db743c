import { execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import { LxcvError } from '../../src/model/errors.js';
import type { ContainerName } from '../../src/model/version.js';
import { mountDisk } from '../support/disk.js';
import { LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { mapFile } from '../support/mapped-file.js';
import { mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { compareTrees } from '../support/tree.js';
import { until } from '../support/until.js';

/** What makes a container of which the first commit is tried; it is called `box`. */
type Prepare = (lxc: TestLxc) => undefined | Promise<Disposable | undefined>;

const plain: Prepare = (lxc) => {
  lxc.createBase('box');
  writeFileSync(join(lxc.lxcpath, 'box/rootfs/mine'), 'mine');
  lxc.quieten('box');
};
const overlay: Prepare = async (lxc) => {
  if (!existsSync(join(lxc.lxcpath, 'base'))) lxc.createBase('base');
  await lxc.clone('base', 'box');
  using root = lxc.mount('box');
  writeFileSync(join(root.path, 'mine'), 'mine');
  lxc.quieten('box');
};
const linked: Prepare = async (lxc) => {
  await plain(lxc);
  renameSync(box(lxc, 'rootfs'), join(lxc.directory, 'real'));
  symlinkSync(join(lxc.directory, 'real'), box(lxc, 'rootfs'));
  return undefined;
};
const linkedOverlay: Prepare = async (lxc) => {
  await overlay(lxc);
  mkdirSync(join(lxc.directory, 'real'));
  renameSync(box(lxc, 'overlay/delta'), join(lxc.directory, 'real/delta'));
  symlinkSync(join(lxc.directory, 'real/delta'), box(lxc, 'overlay/delta'));
  return undefined;
};
const box = (lxc: TestLxc, path = '') => join(lxc.lxcpath, 'box', path);

describe('a container that could boot before its first commit can boot after it:', () => {
  const rows: [what: string, prepare: Prepare][] = [
    ['a plain root file system', plain],
    [
      'one that is named without a prefix, with slashes behind it',
      async (lxc) => {
        await plain(lxc);
        setPath(lxc, `${box(lxc, 'rootfs')}//`);
      },
    ],
    [
      'one in quotes, after a line that is overruled',
      async (lxc) => {
        await plain(lxc);
        lxc.editConfig('box', (text) => text.replace(/^(lxc\.rootfs\.path = )(.*)$/m, `$1dir:/no/such\n$1"$2"`));
      },
    ],
    [
      'one that an include names',
      async (lxc) => {
        await plain(lxc);
        const path = /^lxc\.rootfs\.path.*$/m.exec(lxc.readConfig('box'))?.[0];
        writeFileSync(box(lxc, 'root.conf'), `${path}\n`);
        setPath(lxc, undefined);
        lxc.editConfig('box', (text) => `${text}lxc.include = ${box(lxc, 'root.conf')}\n`);
      },
    ],
    [
      'one outside of its directory',
      async (lxc) => {
        await plain(lxc);
        renameSync(box(lxc, 'rootfs'), join(lxc.directory, 'elsewhere'));
        setPath(lxc, `dir:${lxc.directory}/./x/../elsewhere`);
        mkdirSync(join(lxc.directory, 'x'));
      },
    ],
    [
      'one below a symbolic link',
      async (lxc) => {
        await plain(lxc);
        renameSync(box(lxc), join(lxc.directory, 'real'));
        symlinkSync(join(lxc.directory, 'real'), box(lxc));
      },
    ],
    [
      'one that is a stranger’s',
      async (lxc) => {
        await plain(lxc);
        chownSync(box(lxc, 'rootfs'), 12_345, 0);
      },
    ],
    [
      'one with options of its own',
      async (lxc) => {
        await plain(lxc);
        lxc.editConfig('box', (text) => `${text}lxc.rootfs.options = noatime,nodev\n`);
      },
    ],
    [
      'one with hooks, an fstab and mounts of its own, an overlay among them',
      async (lxc) => {
        await plain(lxc);
        for (const name of ['data', 'over/upper', 'over/work', 'over/lower']) {
          mkdirSync(box(lxc, name), { recursive: true });
        }
        for (const name of ['data', 'over']) mkdirSync(box(lxc, `rootfs/${name}`));
        writeFileSync(box(lxc, 'hook'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
        writeFileSync(box(lxc, 'fstab'), `${box(lxc, 'data')} data none bind 0 0\n`);
        const over = `lowerdir=${box(lxc, 'over/lower')},upperdir=${box(lxc, 'over/upper')},workdir=${box(lxc, 'over/work')}`;
        lxc.editConfig('box', (text) =>
          [
            text.trimEnd(),
            `lxc.hook.pre-start = ${box(lxc, 'hook')}`,
            `lxc.mount.fstab = ${box(lxc, 'fstab')}`,
            `lxc.mount.entry = overlay over overlay ${over} 0 0\n`,
          ].join('\n'),
        );
      },
    ],
    [
      'one in which a process reads',
      async (lxc) => {
        await plain(lxc);
        return idle({ stdio: [openSync(box(lxc, 'rootfs/mine'), 'r'), 'ignore', 'ignore'] });
      },
    ],
    [
      'one with hooks that know where it is mounted, or take an overlay’s path apart',
      async (lxc) => {
        await plain(lxc);
        const hook = `#!/bin/sh\n# not $LXC_ROOTFS_PATH/etc\n[ -n "\${LXC_ROOTFS_PATH#*:}" ] && ls "$LXC_ROOTFS_MOUNT/etc"\n`;
        writeFileSync(box(lxc, 'hook'), hook, { mode: 0o755 });
        lxc.editConfig('box', (text) => `${text}lxc.hook.mount = ${box(lxc, 'hook')}\n`);
      },
    ],
    ['an overlay', overlay],
    [
      'an overlay by its old prefix, over two lower directories',
      async (lxc) => {
        await overlay(lxc);
        const [lower] = lxc.rootfs('box').lowers;
        mkdirSync(join(lxc.directory, 'middle/etc'), { recursive: true });
        setPath(lxc, `overlayfs:${lxc.directory}/middle:${lower}/:${lxc.rootfs('box').upper}/`);
      },
    ],
    [
      'an overlay with options of its own',
      async (lxc) => {
        await overlay(lxc);
        lxc.editConfig('box', (text) => `${text}lxc.rootfs.options = noatime,redirect_dir=off\n`);
      },
    ],
    [
      'a clone of a container that was committed since',
      async (lxc) => {
        await overlay(lxc);
        await lxc.commit('base', 'a version now');
      },
    ],
    [
      'a copy of a container that is versioned',
      async (lxc) => {
        lxc.createBase('base');
        writeFileSync(join(lxc.lxcpath, 'base/rootfs/mine'), 'mine');
        lxc.quieten('base');
        await lxc.commit('base', 'first');
        expect(await lxc.tool('lxc-copy', '-n', 'base', '-N', 'box', '-B', 'dir')).toMatchObject({ exitCode: 0 });
      },
    ],
    [
      'one on another disk, with the store there as the refusal says',
      async (lxc) => {
        await plain(lxc);
        const disk = mountDisk('ext4');
        execFileSync('mv', [box(lxc, 'rootfs'), join(disk.path, 'root')]);
        setPath(lxc, `dir:${disk.path}/root`);
        const { code, hint } = await lxc.commit('box', '').catch((thrown) => thrown);
        expect([code, hint]).toEqual([
          'other-file-system',
          expect.stringContaining(`ln -s ${disk.path}/lxcv ${lxc.store}`),
        ]);
        execFileSync('sh', ['-c', /mkdir.*$/.exec(hint)?.[0] ?? 'false']);
        return disk;
      },
    ],
  ];

  it.each(rows)('%s', async (_, prepare) => {
    using lxc = temporaryLxc();
    using _prepared = (await prepare(lxc)) ?? { [Symbol.dispose]() {} };
    await expectBoots(lxc, 'box');
    await lxc.commit('box', 'first');
    await expectBoots(lxc, 'box');
    expect(await (await openEngine({ lxcpath: lxc.lxcpath })).fsck(undefined)).toEqual([]);
  });

  it('also one beside containers whose configs name what nobody can look up, or are none', async () => {
    using lxc = temporaryLxc();
    await plain(lxc);
    const other = (name: string, text?: string) => {
      mkdirSync(join(lxc.lxcpath, name));
      if (text !== undefined) writeFileSync(join(lxc.lxcpath, name, 'config'), text);
      return join(lxc.lxcpath, name, 'config');
    };
    symlinkSync('loop', join(lxc.directory, 'loop'));
    const paths = [
      `/${'x'.repeat(300)}`,
      `/${'x/'.repeat(3000)}`,
      '/proc/1/root/x',
      '/proc/1/fd/0/x',
      `${lxc.directory}/loop/x`,
    ];
    const settings = paths.flatMap((path) => [
      `lxc.mount.entry = ${path} srv none bind 0 0`,
      `lxc.mount.fstab = ${path}`,
      `lxc.rootfs.path = ${path}`,
      `lxc.rootfs.path = overlay:${path}:/${path}`,
    ]);
    for (const [index, setting] of settings.entries()) other(`odd${index}`, `${setting}\n`);
    for (const path of [...paths, '/dev/null']) other(`with${paths.indexOf(path)}`, `lxc.include = ${path}\n`);
    execFileSync('mkfifo', [other('fifo')]);
    execFileSync('mknod', [other('null'), 'c', '1', '3']);
    mkdirSync(other('directory'));
    symlinkSync('/dev/null', other('link'));
    writeFileSync(box(lxc, 'lxc_snapshots'), `${paths[0]}\nclone\n`);
    using _cleared = withoutFifo(join(lxc.lxcpath, 'fifo'));
    await lxc.commit('box', 'first');
    await expectBoots(lxc, 'box');
    // Those that LXC cannot read either. Where root may trace the first process, what is below its links is only not there.
    const barred = paths.filter((path) => path.startsWith('/proc/1/') && isBarred(path));
    lxc.expectFindings(...Array(3 + barred.length).fill('container-damaged'));
  });

  it('also where the lxcpath is named by a link: the store is that of the directory', async () => {
    using lxc = temporaryLxc();
    await plain(lxc);
    const alias = join(lxc.directory, 'alias');
    symlinkSync(lxc.lxcpath, alias);
    const commit = (lxcpath: string, message: string) =>
      lxc.program(process.execPath, [LXCV, 'commit', '-P', lxcpath, '-m', message, '--allow-empty', 'box']);
    expect(await commit(alias, 'first')).toMatchObject({ exitCode: 0 });
    expect([existsSync(`${alias}v`), existsSync(join(lxc.store, 'box/versions'))]).toEqual([false, true]);
    expect(await commit(lxc.lxcpath, 'second')).toMatchObject({ exitCode: 0 });
    // LXC knows it by the path that it was started with, and so do messages.
    const other = (program: string, ...args: string[]) => lxc.program(program, ['-P', alias, ...args]);
    expect(await other('lxc-start', '-n', 'box')).toMatchObject({ exitCode: 0 });
    expect(await commit(lxc.lxcpath, 'refused')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(`-P ${alias}`),
    });
    expect(await commit(alias, 'third')).toMatchObject({ exitCode: 0 });
    expect(await other('lxc-stop', '-n', 'box', '-k')).toMatchObject({ exitCode: 0 });
    await expectBoots(lxc, 'box');
    expect(await lxc.json('log', 'box')).toMatchObject({ versions: [{ number: 2 }, { number: 1 }, { number: 0 }] });
  });

  it('and so do the clones that stand on it, listed by LXC or not', async () => {
    using lxc = temporaryLxc();
    await overlay(lxc);
    rmSync(join(lxc.lxcpath, 'base/lxc_snapshots'));
    await lxc.commit('base', 'first');
    await expectBoots(lxc, 'box');
  });
});

describe('a first commit takes only what is the container’s own, and changes nothing else:', () => {
  const owner = (lxc: TestLxc) => lxc.createBase('owner');
  const rows: [what: string, code: string, says: RegExp, prepare: Prepare][] = [
    [
      'a copy of a directory, whose config names the other',
      'root-shared',
      /owner/,
      (lxc) => {
        owner(lxc);
        cpSync(join(lxc.lxcpath, 'owner'), box(lxc), { recursive: true });
      },
    ],
    [
      'a file that has a name in another container too',
      'root-shared',
      /mine .*hard link[\s\S]*lxc-copy/,
      async (lxc) => {
        owner(lxc);
        await plain(lxc);
        linkSync(box(lxc, 'rootfs/mine'), join(lxc.lxcpath, 'owner/rootfs/mine'));
      },
    ],
    [
      'a container that a copy of its directory names',
      'root-shared',
      /copy\/config/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(join(lxc.lxcpath, 'copy'));
        cpSync(box(lxc, 'config'), join(lxc.lxcpath, 'copy/config'));
      },
    ],
    [
      'a container that one under another lxcpath names, of which LXC knows',
      'root-shared',
      /elsewhere\/copy\/config/,
      async (lxc) => {
        await plain(lxc);
        const other = join(lxc.directory, 'elsewhere');
        mkdirSync(join(other, 'copy'), { recursive: true });
        cpSync(box(lxc, 'config'), join(other, 'copy/config'));
        await lxc.program('lxc-info', ['-P', other, '-n', 'copy']);
      },
    ],
    [
      'the root file system of another, by a later line',
      'root-shared',
      /owner/,
      async (lxc) => {
        owner(lxc);
        await plain(lxc);
        lxc.editConfig('box', (text) => `${text}lxc.rootfs.path = dir:${lxc.lxcpath}/owner/rootfs\n`);
      },
    ],
    [
      'that by an include, a link and dots',
      'root-shared',
      /owner/,
      async (lxc) => {
        owner(lxc);
        await plain(lxc);
        symlinkSync(join(lxc.lxcpath, 'owner'), join(lxc.directory, 'link'));
        writeFileSync(box(lxc, 'x.conf'), `lxc.rootfs.path = ${lxc.directory}/link/../box/../owner/rootfs\n`);
        lxc.editConfig('box', (text) => `${text}lxc.include = ${box(lxc, 'x.conf')}\n`);
      },
    ],
    [
      'a part of that, through a bind mount',
      'root-shared',
      /owner/,
      async (lxc) => {
        owner(lxc);
        await plain(lxc);
        mkdirSync(join(lxc.lxcpath, 'owner/rootfs/srv/deep'), { recursive: true });
        const bound = join(lxc.directory, 'bound');
        mkdirSync(bound);
        execFileSync('mount', ['--bind', join(lxc.lxcpath, 'owner/rootfs/srv'), bound]);
        setPath(lxc, `dir:${bound}/deep`);
      },
    ],
    [
      'the upper directory of another',
      'root-shared',
      /owner/,
      async (lxc) => {
        await overlay(lxc);
        await lxc.clone('base', 'owner');
        setPath(lxc, `overlay:${lxc.lxcpath}/base/rootfs:${lxc.lxcpath}/owner/overlay/delta`);
      },
    ],
    [
      'what a snapshot of lxc-snapshot holds',
      'root-shared',
      /snap0/,
      async (lxc) => {
        await overlay(lxc);
        expect(await lxc.tool('lxc-snapshot', '-n', 'box')).toMatchObject({ exitCode: 0 });
        setPath(lxc, `overlay:${lxc.lxcpath}/base/rootfs:${box(lxc, 'snaps/snap0/overlay/delta')}`);
      },
    ],
    [
      'what lies in a store',
      'root-shared',
      /store/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(join(lxc.directory, 'other/x/rootfs'), { recursive: true });
        writeFileSync(join(lxc.directory, 'other/store.json'), '{"format":1,"id":"a"}');
        setPath(lxc, `dir:${lxc.directory}/other/x/rootfs`);
      },
    ],
    [
      'a working delta that another container of this store stands on',
      'store-damaged',
      /copied/,
      async (lxc) => {
        await plain(lxc);
        renameSync(box(lxc), join(lxc.lxcpath, 'owner'));
        lxc.editConfig('owner', (text) => text.replaceAll('/box/', '/owner/'));
        await lxc.commit('owner', 'first');
        mkdirSync(box(lxc));
        cpSync(join(lxc.lxcpath, 'owner/config'), box(lxc, 'config'));
        lxc.expectFindings('container-damaged');
      },
    ],
    [
      'what another has as a lower directory of its overlay, written to by both',
      'root-shared',
      /other\/config/,
      async (lxc) => {
        await overlay(lxc);
        mkdirSync(join(lxc.lxcpath, 'other/overlay/delta'), { recursive: true });
        const path = `overlay:${lxc.lxcpath}/base/rootfs:${box(lxc, 'overlay/delta')}:${lxc.lxcpath}/other/overlay/delta`;
        writeFileSync(join(lxc.lxcpath, 'other/config'), `lxc.rootfs.path = ${path}\n`);
      },
    ],
    [
      'what a config of LXC before 2.1 names',
      'root-shared',
      /other\/config/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(join(lxc.lxcpath, 'other'));
        writeFileSync(join(lxc.lxcpath, 'other/config'), `lxc.rootfs = ${box(lxc, 'rootfs')}\n`);
      },
    ],
    [
      'what another mounts a part of',
      'root-shared',
      /other\/config.*lxc\.mount\.entry/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(join(lxc.lxcpath, 'other'));
        writeFileSync(
          join(lxc.lxcpath, 'other/config'),
          `lxc.mount.entry = ${box(lxc, 'rootfs/etc')} etc none bind 0 0\n`,
        );
      },
    ],
    [
      'what its own config names by its path once more',
      'not-movable',
      /lxc\.mount\.entry/,
      async (lxc) => {
        await plain(lxc);
        lxc.editConfig(
          'box',
          (text) => `${text}lxc.mount.entry = ${box(lxc, 'rootfs/etc')} srv none bind,create=dir 0 0\n`,
        );
      },
    ],
    [
      'what a hook reaches into by a variable of LXC’s',
      'not-movable',
      /lxc\.hook\.pre-start .*LXC_ROOTFS_PATH[\s\S]*LXC_ROOTFS_MOUNT/,
      withHook('pre-start', () => `ls $LXC_ROOTFS_PATH/etc`),
    ],
    [
      'what a script does so',
      'not-movable',
      /lxc\.hook\.start-host .*hook\) names \$LXC_ROOTFS_PATH/,
      withScript('start-host', () => `ls "\${LXC_ROOTFS_PATH}/etc"`),
    ],
    [
      'what a script names by its path',
      'not-movable',
      /hook\) names \S+box\/rootfs\/etc/,
      withScript('pre-mount', (lxc) => `x=1; cat ${lxc.directory}/./lxc/box/rootfs/etc/passwd`),
    ],
    [
      'what a script names by a path that it puts together',
      'not-movable',
      /hook\) names \S+\$LXC_NAME\/rootfs/,
      withScript('post-stop', (lxc) => `cat ${lxc.lxcpath}/$LXC_NAME/rootfs/etc/passwd`),
    ],
    [
      'what the config’s directory leads to',
      'not-movable',
      /hook\) names \S+\)\/rootfs/,
      withScript('pre-start', () => 'touch "$(dirname $LXC_CONFIG_FILE)/rootfs/etc/x"'),
    ],
    [
      'what a script names as its interpreter',
      'not-movable',
      /hook\) names \S+box\/rootfs\/bin\/sh/,
      withHook('pre-start', (lxc) => {
        writeFileSync(join(lxc.directory, 'hook'), `#!${box(lxc, 'rootfs/bin/sh')}\n`, { mode: 0o755 });
        return join(lxc.directory, 'hook');
      }),
    ],
    [
      'what a script that another container has for a hook names by its path',
      'root-shared',
      /lxc\.hook\.pre-start of \S+other\/config \(\S+others-hook\) names \S+box\/rootfs\/etc\/passwd[\s\S]*Have \S+others-hook do without/,
      withOthersScript((lxc) => `cp ${box(lxc, 'rootfs/etc/passwd')} /dev/null || exit 1`),
    ],
    [
      'what such a script names by a path that it puts together',
      'root-shared',
      /others-hook\) names \$P\/box\/rootfs/,
      withOthersScript((lxc) => `P=${lxc.lxcpath}; cp $P/box/rootfs/etc/passwd /dev/null || exit 1`),
    ],
    [
      'what another container’s hook names so',
      'root-shared',
      /names \$P\/box\/rootfs[\s\S]*Have \S+other\/config do without/,
      async (lxc) => {
        await plain(lxc);
        addOther(lxc, 'other', `lxc.hook.pre-start = P=${lxc.lxcpath}; cp $P/box/rootfs/etc/passwd /dev/null`);
      },
    ],
    [
      'the directory of the container itself',
      'root-shared',
      /holds/,
      async (lxc) => {
        await plain(lxc);
        setPath(lxc, `dir:${box(lxc)}`);
      },
    ],
    [
      'a directory of the host',
      'root-shared',
      /host/,
      async (lxc) => {
        await plain(lxc);
        setPath(lxc, 'dir:/usr');
      },
    ],
    [
      'what is the root of a process',
      'container-in-use',
      /process \d+ \(sleep\)/,
      async (lxc) => {
        await plain(lxc);
        return await chrooted(box(lxc, 'rootfs'));
      },
    ],
    [
      'a part of which is the root of a process',
      'container-in-use',
      /process \d+ \(sleep\) has \/srv .* its root/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(box(lxc, 'rootfs/srv'));
        execFileSync('sh', ['-c', 'cp -a bin lib* srv'], { cwd: box(lxc, 'rootfs') });
        return await chrooted(box(lxc, 'rootfs/srv'));
      },
    ],
    [
      'the working directory of a process',
      'container-in-use',
      /process \d+ \(sleep\) has \/etc .* its working directory[\s\S]*ps -fp/,
      async (lxc) => {
        await plain(lxc);
        return idle({ cwd: box(lxc, 'rootfs/etc'), stdio: 'ignore' });
      },
    ],
    [
      'what a process writes to, by whatever name',
      'container-in-use',
      /process \d+ \(sleep\) has \/mine .* open for writing/,
      async (lxc) => {
        await overlay(lxc);
        symlinkSync(lxc.rootfs('box').upper, join(lxc.directory, 'link'));
        return idle({ stdio: ['ignore', openSync(join(lxc.directory, 'link/mine'), 'a'), 'ignore'] });
      },
    ],
    [
      'a directory that a process has open',
      'container-in-use',
      /process \d+ \(sleep\) has \/etc .* open/,
      async (lxc) => {
        await plain(lxc);
        return idle({ stdio: [openSync(box(lxc, 'rootfs/etc'), 'r'), 'ignore', 'ignore'] });
      },
    ],
    [
      'what a loop device stands on',
      'container-in-use',
      /\/dev\/loop(\d+) has \/disk .* behind it\n.*losetup -d \/dev\/loop\1$/,
      async (lxc) => {
        await plain(lxc);
        writeFileSync(box(lxc, 'rootfs/disk'), Buffer.alloc(1 << 20));
        const device = execFileSync('losetup', ['-f', '--show', box(lxc, 'rootfs/disk')], { encoding: 'utf8' }).trim();
        return { [Symbol.dispose]: () => void execFileSync('losetup', ['-d', device]) };
      },
    ],
    [
      'what the kernel swaps to',
      'container-in-use',
      /the kernel has \/swap .* as swap\n.*swapoff \/.*\/rootfs\/swap$/,
      async (lxc) => {
        await plain(lxc);
        const swap = box(lxc, 'rootfs/swap');
        writeFileSync(swap, Buffer.alloc(1 << 20), { mode: 0o600 });
        execFileSync('mkswap', [swap], { stdio: 'ignore' });
        execFileSync('swapon', [swap]);
        return { [Symbol.dispose]: () => void execFileSync('swapoff', [swap]) };
      },
    ],
    [
      'what is mounted elsewhere, as a whole or in part',
      'container-in-use',
      /elsewhere/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(join(lxc.directory, 'elsewhere'));
        execFileSync('mount', ['--bind', box(lxc, 'rootfs/etc'), join(lxc.directory, 'elsewhere')]);
      },
    ],
    [
      'what an overlay of the host writes to',
      'container-in-use',
      /the overlay on .*\/merged writes to .*\/rootfs\/srv\/up, in the root .*\n.*umount .*\/merged$/,
      async (lxc) => {
        await plain(lxc);
        const [lower, merged] = ['lower', 'merged'].map((name) => join(lxc.directory, name)) as [string, string];
        const upper = box(lxc, 'rootfs/srv/up');
        const work = box(lxc, 'rootfs/srv/work');
        for (const path of [lower, merged, upper, work]) mkdirSync(path, { recursive: true });
        const options = `index=off,uuid=off,lowerdir=${lower},upperdir=${upper},workdir=${work}`;
        execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
        return { [Symbol.dispose]: () => void execFileSync('umount', [merged]) };
      },
    ],
    [
      'what is mounted in another mount namespace',
      'container-in-use',
      /on \S+elsewhere of the mount namespace of the process \d+ \(sleep\)[\s\S]*nsenter -t \d+ -m -r umount \S+elsewhere$/,
      inAnotherNamespace,
    ],
    [
      'a symbolic link to a directory',
      'backing-store',
      /box\/rootfs, .* is a symbolic link to \S+\/real,[\s\S]*echo 'lxc\.rootfs\.path = dir:\S+\/real' >> /,
      linked,
    ],
    [
      'a symbolic link to nothing',
      'backing-store',
      /is a symbolic link to \S+\/real, where no directory is/,
      async (lxc) => {
        await linked(lxc);
        rmSync(join(lxc.directory, 'real'), { recursive: true });
      },
    ],
    [
      'a symbolic link to what is another’s',
      'root-shared',
      /owner/,
      (lxc) => {
        owner(lxc);
        lxc.createBase('box');
        rmSync(box(lxc, 'rootfs'), { recursive: true });
        symlinkSync(join(lxc.lxcpath, 'owner/rootfs'), box(lxc, 'rootfs'));
      },
    ],
    [
      'what something is mounted in',
      'not-movable',
      /rootfs\/root/,
      async (lxc) => {
        await plain(lxc);
        execFileSync('mount', ['-t', 'tmpfs', 'lxcv-test', box(lxc, 'rootfs/root')]);
      },
    ],
    [
      'what is a mount',
      'not-movable',
      /mount/,
      async (lxc) => {
        await plain(lxc);
        execFileSync('mount', ['--bind', box(lxc, 'rootfs'), box(lxc, 'rootfs')]);
      },
    ],
    [
      'what a mount separates from the store',
      'other-file-system',
      /two mounts/,
      async (lxc) => {
        await plain(lxc);
        execFileSync('mount', ['--bind', lxc.lxcpath, lxc.lxcpath]);
      },
    ],
    [
      'what chattr keeps in its place',
      'not-movable',
      /chattr/,
      async (lxc) => {
        await plain(lxc);
        execFileSync('chattr', ['+i', box(lxc, 'rootfs')]);
        return { [Symbol.dispose]: () => void execFileSync('chattr', ['-i', box(lxc, 'rootfs')]) };
      },
    ],
    [
      'a container that is to be mounted in itself',
      'not-movable',
      /lxc\.rootfs\.mount of box/,
      async (lxc) => {
        await plain(lxc);
        lxc.editConfig('box', (text) => `${text}lxc.rootfs.mount = ${box(lxc, 'rootfs/mnt')}\n`);
      },
    ],
    [
      'one that includes what lies in it, by a link in a directory that an include includes',
      'not-movable',
      /lxc\.include of box names .*\/conf\/x\.conf/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(box(lxc, 'conf'));
        writeFileSync(box(lxc, 'rootfs/x'), '');
        symlinkSync(box(lxc, 'rootfs/x'), box(lxc, 'conf/x.conf'));
        writeFileSync(box(lxc, 'a.conf'), `lxc.include = ${box(lxc, 'conf')}\n`);
        lxc.editConfig('box', (text) => `${text}lxc.include = ${box(lxc, 'a.conf')}\n`);
      },
    ],
    [
      'one with an include that others can write to',
      'unsafe-owner',
      /chmod go-w .*\/conf\/x\.conf$/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(box(lxc, 'conf'));
        writeFileSync(box(lxc, 'conf/x.conf'), '');
        chmodSync(box(lxc, 'conf/x.conf'), 0o666);
        lxc.editConfig('box', (text) => `${text}lxc.include = ${box(lxc, 'conf')}\n`);
      },
    ],
    [
      'one with an include in a stranger’s directory',
      'unsafe-owner',
      /chown -h root: .*\/theirs$/,
      async (lxc) => {
        await plain(lxc);
        mkdirSync(join(lxc.directory, 'theirs'));
        writeFileSync(join(lxc.directory, 'theirs/x.conf'), '');
        chownSync(join(lxc.directory, 'theirs'), 12_345, 0);
        lxc.editConfig('box', (text) => `${text}lxc.include = ${lxc.directory}/theirs/x.conf\n`);
      },
    ],
    [
      'one to which a stranger’s link leads',
      'unsafe-owner',
      /chown -h root: .*\/link$/,
      async (lxc) => {
        await plain(lxc);
        symlinkSync(box(lxc, 'rootfs'), join(lxc.directory, 'link'));
        lchownSync(join(lxc.directory, 'link'), 12_345, 0);
        setPath(lxc, `dir:${lxc.directory}/link`);
      },
    ],
    [
      'a container with mapped users',
      'idmapped',
      /lxc\.idmap/,
      async (lxc) => {
        await plain(lxc);
        writeFileSync(box(lxc, 'x.conf'), 'lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536\n');
        lxc.editConfig('box', (text) => `lxc.include = ${box(lxc, 'x.conf')}\n${text}`);
      },
    ],
    [
      'one that is mounted with mapped users',
      'idmapped',
      /idmap/,
      async (lxc) => {
        await plain(lxc);
        lxc.editConfig('box', (text) => `${text}lxc.rootfs.options = noatime,idmap=container\n`);
      },
    ],
    [
      'options that an overlay does not take',
      'backing-store',
      /rbind/,
      async (lxc) => {
        await plain(lxc);
        lxc.editConfig('box', (text) => `${text}lxc.rootfs.options = rbind,noatime\n`);
      },
    ],
    [
      'a config of LXC before 2.1',
      'legacy-config',
      /lxc-update-config -c/,
      async (lxc) => {
        await plain(lxc);
        lxc.editConfig('box', (text) => text.replace('lxc.rootfs.path', 'lxc.rootfs').replace(' dir:', ' '));
      },
    ],
    [
      'layers of Docker',
      'delta-not-keepable',
      /lxc\.mount\.entry = .*docker/,
      async (lxc) => {
        await plain(lxc);
        using inner = mountOverlay({
          lowers: [box(lxc, 'rootfs/etc')],
          upper: box(lxc, 'rootfs/var/lib/docker/overlay2/x/diff'),
        });
        rmSync(join(inner.path, 'passwd'));
      },
    ],
  ];

  it.each<[what: string, line: RegExp, prepare: Prepare]>([
    ['a symbolic link', /echo .*$/, linked],
    ['an overlay’s that is a symbolic link', /echo .*$/, linkedOverlay],
    ['one mounted in another namespace', /nsenter .*$/, inAnotherNamespace],
    ['one that was an overlay’s upper directory', /setfattr .*$/, onceUpper],
  ])('and %s once what the hint says is done', async (_, line, prepare) => {
    using lxc = temporaryLxc();
    using _prepared = (await prepare(lxc)) ?? { [Symbol.dispose]() {} };
    const { hint } = await lxc.commit('box', '').catch((thrown) => thrown);
    execFileSync('sh', ['-c', line.exec(hint)?.[0] ?? `echo "${hint}" >&2; false`]);
    await lxc.commit('box', 'first');
    await expectBoots(lxc, 'box');
  });

  it('nor does anything else, of an lxcpath that was copied with its store, what is the original’s', async () => {
    using lxc = temporaryLxc();
    await plain(lxc);
    await lxc.commit('box', 'first');
    mkdirSync(join(lxc.directory, 'copy'));
    execFileSync('cp', ['-a', lxc.lxcpath, lxc.store, join(lxc.directory, 'copy')]);
    const before = lxc.listing();
    const lxcpath = join(lxc.directory, 'copy/lxc');
    const engine = await openEngine({ lxcpath });
    const box = 'box' as ContainerName;
    const request = { container: box, message: '', allowEmpty: true, acceptBase: false };
    const refused = { code: 'root-shared', hint: expect.stringContaining(`${lxc.store}/|${lxcpath}v/`) };
    await expect(engine.status(box)).rejects.toMatchObject(refused);
    await expect(engine.commit(request)).rejects.toMatchObject(refused);
    expect(compareTrees(lxc.listing(), before)).toEqual([]);
    execFileSync('sed', ['-i', `s|${lxc.store}/|${lxcpath}v/|g`, join(lxcpath, 'box/config')]);
    await expect(engine.commit(request)).resolves.toMatchObject({ number: 1 });
    expect(await lxc.json<{ versions: unknown[] }>('log', 'box')).toMatchObject({ versions: [{ number: 0 }] });
  });

  it('not what a store on an overlay could not hold', async () => {
    using directory = temporaryDirectory();
    mkdirSync(join(directory.path, 'lower'));
    using mount = mountOverlay({ lowers: [join(directory.path, 'lower')], upper: join(directory.path, 'upper') });
    using lxc = temporaryLxc(mount.path);
    await plain(lxc);
    const before = lxc.listing();
    await expect(lxc.commit('box', '')).rejects.toMatchObject({ code: 'backing-store' });
    expect(compareTrees(lxc.listing(), before)).toEqual([]);
  });

  it('not what belongs to another project than the store', async () => {
    using disk = mountDisk('xfs');
    using lxc = temporaryLxc(disk.path);
    await plain(lxc);
    mkdirSync(lxc.store);
    execFileSync('chattr', ['-p', '7', '+P', lxc.store]);
    await expect(lxc.commit('box', '')).rejects.toMatchObject({
      code: 'not-movable',
      hint: expect.stringContaining(`chattr -P ${lxc.store}`),
    });
    execFileSync('chattr', ['-P', lxc.store]);
    await lxc.commit('box', 'first');
    await expectBoots(lxc, 'box');
  });

  it.each([
    ['a FIFO', (config: string) => execFileSync('mkfifo', [config])],
    ['a directory', (config: string) => mkdirSync(config)],
    ['a device', (config: string) => execFileSync('mknod', [config, 'c', '1', '3'])],
    ['a file that includes a device', (config: string) => writeFileSync(config, 'lxc.include = /dev/null\n')],
    ['20 GiB', tooLarge],
    [
      'a file that includes 20 GiB',
      (config: string) => {
        tooLarge(`${config}-more`);
        writeFileSync(config, `lxc.include = ${config}-more\n`);
      },
    ],
  ])('nor does it take %s for a config', async (_, make) => {
    using lxc = temporaryLxc();
    mkdirSync(box(lxc));
    using _cleared = withoutFifo(box(lxc));
    make(box(lxc, 'config'));
    for (const command of [['commit', '-m', 'x'], ['status'], ['log']]) {
      const { exitCode, stdout } = await lxc.lxcv(...command, 'box', '--json');
      expect([exitCode, JSON.parse(stdout).error]).toEqual([
        1,
        expect.objectContaining({ code: 'failed', message: expect.stringMatching(/is (no file|far too large)/) }),
      ]);
    }
    expect(await lxc.json('list')).toMatchObject({ containers: [] });
  });

  it('and waits a while for who only walks through it, as another lxcv does', async () => {
    using lxc = temporaryLxc();
    await plain(lxc);
    const { dev: device, ino } = statSync(box(lxc, 'rootfs/etc'), { bigint: true });
    const holder = { device, holder: { pid: 1, name: 'find' }, use: 'a directory that it has open' };
    let looks = 0;
    const held = () => (looks++ < 2 ? new Map([[ino, [holder]]]) : new Map());
    const host = { ...machine, occupancy: { ...machine.occupancy, held } };
    const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
    const author = { name: 'Ada', email: 'ada@example.org' };
    const name = 'box' as ContainerName;
    await engine.commit({ container: name, message: '', author, allowEmpty: true, acceptBase: false });
    expect(looks).toBeGreaterThan(2);
    await expectBoots(lxc, 'box');
  });

  it('and reads a hook’s script once, however many configs name it, and no more than a megabyte', async () => {
    using lxc = temporaryLxc();
    await plain(lxc);
    const hook = join(lxc.directory, 'others-hook');
    writeFileSync(hook, '');
    truncateSync(hook, 1024 ** 3);
    for (let each = 0; each < 5; each += 1) addOther(lxc, `other${each}`, `lxc.hook.stop = ${hook} ${hook}`);
    const read: number[] = [];
    const openFile: typeof machine.files.openFile = (path) => {
      const file = machine.files.openFile(path);
      if (path !== hook) return file;
      return {
        ...file,
        read: (bytes, at) => {
          read.push(bytes.length);
          return file.read(bytes, at);
        },
        [Symbol.dispose]: () => file[Symbol.dispose](),
      };
    };
    const engine = await openEngine({
      lxcpath: lxc.lxcpath,
      host: { ...machine, files: { ...machine.files, openFile } },
    });
    const author = { name: 'Ada', email: 'ada@example.org' };
    await engine.commit({
      container: 'box' as ContainerName,
      message: '',
      author,
      allowEmpty: true,
      acceptBase: false,
    });
    // A first commit is checked before its message is asked for, and again before it is made.
    expect(read).toEqual([1024 ** 2, 1024 ** 2]);
  });

  it('not what a process has mapped, and closed', async () => {
    using lxc = temporaryLxc();
    await plain(lxc);
    using _ = mapFile(box(lxc, 'rootfs/mine'));
    const { stdout } = await lxc.lxcv('commit', '-m', 'first', 'box', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'container-in-use', message: expect.stringMatching(/\/mine .* mapped for writing/) },
    });
  });

  it.each(rows)('not %s', async (_, code, says, prepare) => {
    using lxc = temporaryLxc();
    using _prepared = (await prepare(lxc)) ?? { [Symbol.dispose]() {} };
    const before = lxc.listing();
    const error = await lxc.commit('box', '').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(LxcvError);
    expect(error).toMatchObject({ code });
    expect(`${error.message}\n${error.hint}`).toMatch(says);
    expect(compareTrees(lxc.listing(), before)).toEqual([]);
  });
});

function tooLarge(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, 20 * 1024 ** 3);
}

/** Removes a container at the end: LXC's tools, which then look at all, would wait for a FIFO for ever. */
function withoutFifo(container: string): Disposable {
  return { [Symbol.dispose]: () => rmSync(container, { recursive: true }) };
}

function withHook(when: string, hook: (lxc: TestLxc) => string): Prepare {
  return async (lxc) => {
    await plain(lxc);
    lxc.editConfig('box', (text) => `${text}lxc.hook.${when} = ${hook(lxc)}\n`);
    return undefined;
  };
}

function withScript(when: string, line: (lxc: TestLxc) => string): Prepare {
  return withHook(when, (lxc) => {
    writeFileSync(join(lxc.directory, 'hook'), `#!/bin/sh\n${line(lxc)}\n`, { mode: 0o755 });
    return join(lxc.directory, 'hook');
  });
}

function withOthersScript(line: (lxc: TestLxc) => string): Prepare {
  return async (lxc) => {
    await plain(lxc);
    const hook = join(lxc.directory, 'others-hook');
    writeFileSync(hook, `#!/bin/sh\n${line(lxc)}\n`, { mode: 0o755 });
    addOther(lxc, 'other', `lxc.hook.pre-start = ${hook}`);
    return undefined;
  };
}

function addOther(lxc: TestLxc, name: string, line: string): void {
  mkdirSync(join(lxc.lxcpath, name));
  writeFileSync(join(lxc.lxcpath, name, 'config'), `${line}\n`);
}

async function inAnotherNamespace(lxc: TestLxc): Promise<Disposable> {
  await plain(lxc);
  const [what, place] = [box(lxc, 'rootfs/etc'), join(lxc.directory, 'elsewhere')];
  mkdirSync(place);
  const script = 'mount --bind "$0" "$1" && exec sleep 1000';
  const child = spawn('unshare', ['-m', 'sh', '-c', script, what, place], { stdio: 'ignore' });
  await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8'), 'sleep\n');
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

async function onceUpper(lxc: TestLxc): Promise<undefined> {
  await plain(lxc);
  mkdirSync(join(lxc.directory, 'lower'));
  using mount = mountOverlay({ lowers: [join(lxc.directory, 'lower')], upper: box(lxc, 'rootfs'), options: 'uuid=on' });
  expect(existsSync(join(mount.path, 'mine'))).toBe(true);
}

/** A process that does nothing, with what it is given. */
function idle(options: SpawnOptions): Disposable {
  const child = spawn('sleep', ['1000'], options);
  for (const each of options.stdio ?? []) if (typeof each === 'number') closeSync(each);
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

async function chrooted(root: string): Promise<Disposable> {
  const child = spawn('chroot', [root, '/bin/sleep', '1000'], { stdio: 'ignore' });
  await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8'), 'sleep\n');
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

/** Starts and stops it with LXC alone: what it holds must be there. */
async function expectBoots(lxc: TestLxc, name: string): Promise<void> {
  await lxc.start(name);
  const { state, pid } = await lxc.info(name);
  const isMine = existsSync(`/proc/${pid}/root/mine`);
  await lxc.stop(name);
  expect([state, isMine]).toEqual(['RUNNING', true]);
}

function setPath(lxc: TestLxc, path: string | undefined): void {
  const line = path === undefined ? '' : `lxc.rootfs.path = ${path}\n`;
  lxc.editConfig('box', (text) => text.replace(/^lxc\.rootfs\.path.*\n/m, line));
}

describe('a running container that is restarted for its first commit', () => {
  /** Its init hears of no signal, so LXC is told to kill it. */
  const restartable = async (lxc: TestLxc) => {
    await plain(lxc);
    lxc.editConfig('box', (text) => `${text.replace(/^lxc\.signal\.halt.*\n/m, '')}lxc.signal.halt = SIGKILL\n`);
  };

  it('is taken over, and runs again', async () => {
    using lxc = temporaryLxc();
    await restartable(lxc);
    await lxc.start('box');
    const { pid } = await lxc.info('box');
    const refused = await lxc.lxcv('commit', '-m', 'first', 'box');
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('--restart')]);
    await lxc.json('commit', '-m', 'first', '--restart', 'box');
    const after = await lxc.info('box');
    expect(after).toEqual({ state: 'RUNNING', pid: expect.not.toSatisfy((value) => value === pid) });
    expect(existsSync(`/proc/${after.pid}/root/mine`)).toBe(true);
    // Versioned by now, it is committed while it runs.
    await lxc.attach('box', 'echo changed > /mine');
    await lxc.json('commit', '-m', 'second', '--restart', 'box');
    expect((await lxc.info('box')).pid).toBe(after.pid);
    expect(existsSync(join(lxc.store, 'box/restarting'))).toBe(false);
  });

  it.each([
    ['its config', (lxc: TestLxc) => lxc.editConfig('box', (text) => `${text}lxc.ephemeral = 1\n`)],
    [
      'an include',
      (lxc: TestLxc) => {
        writeFileSync(box(lxc, 'x.conf'), 'lxc.ephemeral = 1\n');
        lxc.editConfig('box', (text) => `${text}lxc.include = ${box(lxc, 'x.conf')}\n`);
      },
    ],
  ])('is not stopped where LXC would destroy it, by %s now or when it was started', async (_, make) => {
    using lxc = temporaryLxc();
    await restartable(lxc);
    const config = lxc.readConfig('box');
    const expectRefused = async (hint: RegExp, ...args: string[]) => {
      const { exitCode, stdout } = await lxc.lxcv(...args, '--restart', '--json');
      expect([exitCode, JSON.parse(stdout).error]).toMatchObject([3, { code: 'ephemeral' }]);
      expect(JSON.parse(stdout).error.hint).toMatch(hint);
      expect((await lxc.info('box')).state).toBe('RUNNING');
    };
    await lxc.start('box');
    make(lxc);
    await expectRefused(/Take lxc\.ephemeral out/, 'commit', '-m', 'x', 'box');
    await lxc.stop('box');
    lxc.editConfig('box', () => config);
    await lxc.commit('box', 'first');
    const versioned = lxc.readConfig('box');
    make(lxc);
    await lxc.start('box');
    await expectRefused(/lxcv commit/, 'checkout', 'box@0', 'box');
    lxc.editConfig('box', () => versioned);
    await expectRefused(/lxcv commit/, 'checkout', 'box@0', 'box');
    await lxc.json('commit', '-m', 'second', '--allow-empty', '--restart', 'box');
    expect((await lxc.info('box')).state).toBe('RUNNING');
  });

  it('is not stopped where LXC would destroy it, whatever its config says since', async () => {
    using lxc = temporaryLxc();
    await restartable(lxc);
    const config = lxc.readConfig('box');
    lxc.editConfig('box', (text) => `${text}lxc.ephemeral = 1\n`);
    await lxc.start('box');
    lxc.editConfig('box', () => config);
    const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'first', '--restart', 'box', '--json');
    expect([exitCode, JSON.parse(stdout).error]).toMatchObject([3, { code: 'ephemeral' }]);
    expect((await lxc.info('box')).state).toBe('RUNNING');
    expect(existsSync(join(lxc.store, 'box'))).toBe(false);
  });

  it('runs as before where it is refused', async () => {
    using lxc = temporaryLxc();
    await restartable(lxc);
    {
      using inner = mountOverlay({ lowers: [box(lxc, 'rootfs/etc')], upper: box(lxc, 'rootfs/srv/upper') });
      rmSync(join(inner.path, 'passwd'));
    }
    await lxc.start('box');
    const refused = await lxc.lxcv('commit', '-m', 'first', '--restart', 'box', '--json');
    expect(refused.stdout).toContain('delta-not-keepable');
    expect((await lxc.info('box')).state).toBe('RUNNING');
    expect(existsSync(join(lxc.store, 'box/restarting'))).toBe(false);
  });

  it('is told by list where it cannot be started, until it runs', async () => {
    using lxc = temporaryLxc();
    await restartable(lxc);
    // It refuses to start for the second time.
    const hook = `#!/bin/sh\n[ ! -e ${box(lxc, 'once')} ] || exit 1\ntouch ${box(lxc, 'once')}\n`;
    writeFileSync(join(lxc.directory, 'hook'), hook, { mode: 0o755 });
    lxc.editConfig('box', (text) => `${text}lxc.hook.pre-start = ${lxc.directory}/hook\n`);
    await lxc.start('box');
    const { exitCode, stdout } = await lxc.lxcv('commit', '-m', 'first', '--restart', 'box', '--json');
    const outcome = JSON.parse(stdout);
    expect([exitCode, outcome]).toEqual([
      1,
      { version: expect.anything(), notStarted: expect.stringMatching(/lxc-start/) },
    ]);
    const told = { notStarted: [{ name: 'box', reason: outcome.notStarted }] };
    for (const _ of ['told', 'and not tried again']) expect(await lxc.json('list')).toMatchObject(told);
    expect((await lxc.lxcv('list')).stdout).toMatch(/^Stopped by lxcv, and not started again:\n {2}box: /);
    rmSync(box(lxc, 'once'));
    await lxc.start('box');
    expect(await lxc.json('list')).toMatchObject({ notStarted: [] });
    expect(existsSync(join(lxc.store, 'box/restarting'))).toBe(false);
  });

  it('is started by the next command where lxcv died before it came to that', async () => {
    using lxc = temporaryLxc();
    await restartable(lxc);
    await lxc.start('box');
    const start = async () => {
      throw new Error('dead');
    };
    const dying = await openEngine({ lxcpath: lxc.lxcpath, host: { ...machine, lxc: { ...machine.lxc, start } } });
    const request = { container: 'box' as ContainerName, message: '', allowEmpty: false, acceptBase: false };
    await expect(dying.commit({ ...request, restart: true })).rejects.toThrow('dead');
    expect((await lxc.info('box')).state).toBe('STOPPED');
    const { notStarted } = await (await openEngine({ lxcpath: lxc.lxcpath })).list();
    expect([notStarted, (await lxc.info('box')).state]).toEqual([[], 'RUNNING']);
    expect(existsSync(join(lxc.store, 'box/restarting'))).toBe(false);
  });
});

function isBarred(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}
