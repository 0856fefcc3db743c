import { describe, expect, it } from 'vitest';
import { formatLxcConfig, parseLxcConfig } from '../../src/model/lxc-config.js';
import { newHwaddr, privateFiles, rewriteForClone } from '../../src/model/lxc-config-clone.js';
import { parseContainerName } from '../../src/model/names.js';

const parse = (text: string) => parseLxcConfig(Buffer.from(text));

function clone(text: string, newDirectory = '/var/lib/lxc/mysql_tmp'): string {
  let addresses = 0;
  const cloned = rewriteForClone(parse(text), {
    oldDirectory: '/var/lib/lxc/mysql',
    newDirectory,
    newName: parseContainerName('mysql_tmp'),
    newHwaddr: () => `hwaddr-${addresses++}`,
  });
  return formatLxcConfig(cloned).toString();
}

/** What `clone` makes of a line in a config that names its host. */
const cloneLine = (line: string) => clone(`lxc.uts.name = mysql_tmp\n${line}\n`).split('\n')[1];

describe('rewriteForClone', () => {
  it('gives the clone what must be its own and leaves the rest as it stands', () => {
    expect(
      clone(`# mysql at /var/lib/lxc/mysql
lxc.include = /usr/share/lxc/config/common.conf

lxc.uts.name = mysql
lxc.net.0.type = veth
lxc.net.0.hwaddr = 00:16:3e:aa:bb:cc
lxc.net.12.hwaddr = 00:16:3e:xx:xx:xx
lxc.rootfs.path = overlay:/base:/var/lib/lxc/mysql/delta
lxc.hook.pre-start = /var/lib/lxc/mysql/hooks/up --dir /var/lib/lxc/mysql
lxc.hook.start = /usr/share/lxc/hooks/start /var/lib/lxc/mysql
lxc.mount.fstab = /var/lib/lxc/mysql/fstab
lxc.mount.entry = /srv srv none bind 0 0
lxc.mount.entry = overlay opt overlay lowerdir=/var/lib/lxc/mysql/l,upperdir=/var/lib/lxc/mysql/u,workdir=/var/lib/lxc/mysql/w 0 0
`),
    ).toBe(`# mysql at /var/lib/lxc/mysql
lxc.include = /usr/share/lxc/config/common.conf

lxc.uts.name = mysql_tmp
lxc.net.0.type = veth
lxc.net.0.hwaddr = hwaddr-0
lxc.net.12.hwaddr = hwaddr-1
lxc.rootfs.path = overlay:/base:/var/lib/lxc/mysql/delta
lxc.hook.pre-start = /var/lib/lxc/mysql_tmp/hooks/up --dir /var/lib/lxc/mysql
lxc.hook.start = /usr/share/lxc/hooks/start /var/lib/lxc/mysql
lxc.mount.fstab = /var/lib/lxc/mysql_tmp/fstab
lxc.mount.entry = /srv srv none bind 0 0
lxc.mount.entry = overlay opt overlay lowerdir=/var/lib/lxc/mysql/l,upperdir=/var/lib/lxc/mysql_tmp/u,workdir=/var/lib/lxc/mysql_tmp/w 0 0
`);
  });

  it('names the host of a clone whose config named none', () => {
    expect(clone('lxc.arch = linux64')).toBe('lxc.arch = linux64\nlxc.uts.name = mysql_tmp\n');
  });

  it('takes the new directory as it stands, in another lxcpath and with a replacement pattern in its name', () => {
    expect(clone('lxc.uts.name = mysql_tmp\nlxc.hook.stop = /var/lib/lxc/mysql/h\n', '/srv/$&/new')).toBe(
      'lxc.uts.name = mysql_tmp\nlxc.hook.stop = /srv/$&/new/h\n',
    );
  });

  it.each([
    ['a hardware address that is cleared', 'lxc.net.0.hwaddr ='],
    ['a hook of a container whose name begins alike', 'lxc.hook.stop = /var/lib/lxc/mysql2/h'],
    ['an fstab of a container whose name begins alike', 'lxc.mount.fstab = /var/lib/lxc/mysql2/fstab'],
    [
      'an upper directory of a container whose name begins alike',
      'lxc.mount.entry = o s overlay upperdir=/var/lib/lxc/mysql2/u 0 0',
    ],
    ['a hook that lies outside by its ..', 'lxc.hook.stop = /var/lib/lxc/mysql/../h'],
    ['a mount that is no overlay', 'lxc.mount.entry = /overlay s none upperdir=/var/lib/lxc/mysql/u 0 0'],
    ['a comment that looks like a hook', '# lxc.hook.stop = /var/lib/lxc/mysql/h'],
  ])('leaves %s alone', (_, line) => {
    expect(cloneLine(line)).toBe(line);
  });

  it('rewrites tab-separated overlay entries, and a directory at the end of its option', () => {
    expect(
      cloneLine('lxc.mount.entry = o\ts\toverlay\tupperdir=/var/lib/lxc/mysql,workdir=/var/lib/lxc/mysql/w\t0\t0'),
    ).toBe('lxc.mount.entry = o\ts\toverlay\tupperdir=/var/lib/lxc/mysql_tmp,workdir=/var/lib/lxc/mysql_tmp/w\t0\t0');
  });
});

describe('privateFiles', () => {
  it("lists the hook scripts and the fstab below the container's directory, each once, in their subdirectories", () => {
    const config = parse(`lxc.include = /var/lib/lxc/mysql/more.conf
lxc.hook.version = 1
lxc.hook.pre-start = "/var/lib/lxc/mysql/hooks/up --fast"
lxc.hook.post-stop = /var/lib/lxc/mysql//hooks/./up
lxc.hook.start = /usr/share/lxc/hooks/start /var/lib/lxc/mysql/x
lxc.hook.stop = /var/lib/lxc/mysql2/stop
lxc.hook.mount = /var/lib/lxc/mysql/a\u00a0b\t--fast
lxc.mount.fstab = /var/lib/lxc/mysql/fs tab
`);
    expect(privateFiles(config, '/var/lib/lxc/mysql')).toEqual(['hooks/up', 'a\u00a0b', 'fs tab']);
  });

  it('lists no path that leaves the directory, and not the directory itself', () => {
    const config = parse(`lxc.hook.start = /var/lib/lxc/mysql/../other/hook
lxc.hook.stop = /var/lib/lxc/mysql/
lxc.hook.stop =
lxc.mount.fstab = /var/lib/lxc/mysql/a/../../fstab
`);
    expect(privateFiles(config, '/var/lib/lxc/mysql')).toEqual([]);
  });
});

describe('newHwaddr', () => {
  it("is Xen's prefix and three random bytes", () => {
    expect(newHwaddr((count) => Uint8Array.of(0x00, 0x0a, 0xff).subarray(0, count))).toBe('00:16:3e:00:0a:ff');
  });
});
