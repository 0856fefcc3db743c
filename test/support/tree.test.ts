import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  lchownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeNode, removeXattr, setMtime, setXattr } from './libc.js';
import { temporaryDirectory } from './overlay.js';
import { compareTrees, expectSameTree, OVERLAY_XATTRS, readTree, rootMtime } from './tree.js';

const MTIME_NS = 1_700_000_000_123_456_789n;
const ACL = Buffer.from(
  '0200000001000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20000400ffffffff',
  'hex',
);
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');

describe('readTree', () => {
  it('reads all that a path is', () => {
    using root = sampleTree();
    const tree = readTree(root.path);

    expect([...tree.keys()]).toEqual(['', 'a', 'b', 'device', 'dir', 'dir/\xff\n', 'fifo', 'file', 'link', 'sparse']);
    expect(tree.get('file')).toEqual({
      type: 'file',
      mode: 0o4755,
      uid: 1000,
      gid: 2000,
      mtimeNs: MTIME_NS,
      xattrs: new Map([
        ['security.capability', CAPABILITY],
        ['user.empty', Buffer.alloc(0)],
      ]),
      size: 7,
      sha256: 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73',
      sparse: false,
      target: undefined,
      device: undefined,
      linkedAs: undefined,
    });
    expect(tree.get('link')).toMatchObject({ type: 'symlink', target: '/nowhere/\xfe', size: 10 });
    expect(tree.get('device')).toMatchObject({ type: 'block', device: 0x703n });
    expect(tree.get('fifo')).toMatchObject({ type: 'fifo', size: undefined });
    expect(tree.get('sparse')).toMatchObject({ size: 1_000_000, sparse: true });
    expect(tree.get('dir')).toMatchObject({ type: 'directory', linkedAs: undefined });
    expect([tree.get('a')?.linkedAs, tree.get('b')?.linkedAs]).toEqual(['a', 'a']);
  });

  it('leaves out what it is told to', () => {
    using root = sampleTree();
    const file = Buffer.from(`${root.path}/file`);
    setXattr(file, 'trusted.overlay.origin', Buffer.from('bookkeeping'));

    const node = readTree(root.path, { content: false, omitXattrs: OVERLAY_XATTRS }).get('file');
    expect(node?.sha256).toBeUndefined();
    expect([...(node?.xattrs.keys() ?? [])]).toEqual(['security.capability', 'user.empty']);
    expect(readTree(root.path).get('file')?.xattrs.has('trusted.overlay.origin')).toBe(true);
  });

  it('reads below paths that are too long for the kernel', () => {
    using root = temporaryDirectory();
    const name = 'n'.repeat(250);
    execFileSync('bash', ['-c', `for i in {1..20}; do mkdir ${name} && cd -P ${name}; done; echo > deep`], {
      cwd: root.path,
    });

    const deepest = [...readTree(root.path).keys()].at(-1);
    expect(deepest).toHaveLength(20 * 251 + 'deep'.length);
  });
});

describe('compareTrees', () => {
  it('finds nothing where nothing changed', () => {
    using root = sampleTree();
    expect(compareTrees(readTree(root.path), readTree(root.path))).toEqual([]);
  });

  it.each<[string, (inside: (name: string) => Buffer) => void, unknown[]]>([
    ['a new path', (at) => writeFileSync(at('new'), ''), ['/new: type is file, should be none']],
    ['a removed path', (at) => rmSync(at('file')), ['/file: type is none, should be file']],
    [
      'a change of type, and nothing that follows from it',
      (at) => {
        unlinkSync(at('fifo'));
        writeFileSync(at('fifo'), 'content');
      },
      ['/fifo: type is file, should be fifo'],
    ],
    ['a mode', (at) => chmodSync(at('dir'), 0o1777), ['/dir: mode is 01777, should be 0700']],
    ['the owner of a symbolic link', (at) => lchownSync(at('link'), 5, 6), ['/link: owner is 5:6, should be 0:0']],
    [
      'a modification time that is a nanosecond off',
      (at) => setMtime(at('file'), MTIME_NS + 1n),
      ['/file: mtime is 1700000000123456790, should be 1700000000123456789'],
    ],
    [
      'a content of the same size',
      (at) => rewriteFile(at('file'), 'CONTENT'),
      [expect.stringMatching(/^\/file: sha256 is [0-9a-f]{64}, should be ed7002b4/)],
    ],
    [
      'a size',
      (at) => rewriteFile(at('file'), ''),
      ['/file: size is 0, should be 7', expect.stringMatching(/^\/file: sha256/)],
    ],
    [
      'a hole that was filled with zeros',
      (at) => {
        writeFileSync(at('sparse'), Buffer.alloc(1_000_000));
        setMtime(at('sparse'), MTIME_NS);
      },
      ['/sparse: sparse is false, should be true'],
    ],
    [
      'the target of a symbolic link',
      (at) => {
        unlinkSync(at('link'));
        symlinkSync('/nowhere/!', at('link'));
        setMtime(at('link'), MTIME_NS);
      },
      ['/link: target is /nowhere/!, should be /nowhere/\\xfe'],
    ],
    [
      'the number of a device',
      (at) => {
        unlinkSync(at('device'));
        makeNode(at('device'), constants.S_IFBLK | 0o600, { major: 7, minor: 4 });
        setMtime(at('device'), MTIME_NS);
      },
      ['/device: device is 1796, should be 1795'],
    ],
    [
      'a hard link that became a copy',
      (at) => {
        unlinkSync(at('b'));
        writeFileSync(at('b'), 'linked');
        setMtime(at('b'), MTIME_NS);
      },
      ['/a: hard link is none, should be with /a', '/b: hard link is none, should be with /a'],
    ],
    [
      'an extended attribute, under an odd name',
      (at) => setXattr(at('dir/\xff\n'), 'trusted.x', Buffer.from([1, 0])),
      ['/dir/\\xff\\x0a: xattr trusted.x is 0x0100, should be none'],
    ],
    [
      'a lost capability',
      (at) => removeXattr(at('file'), 'security.capability'),
      [`/file: xattr security.capability is none, should be 0x${CAPABILITY.toString('hex')}`],
    ],
    [
      'a lost ACL',
      (at) => removeXattr(at('dir'), 'system.posix_acl_default'),
      [`/dir: xattr system.posix_acl_default is none, should be 0x${ACL.toString('hex')}`],
    ],
  ])('finds %s', (_, change, differences) => {
    using root = sampleTree();
    const before = readTree(root.path);
    change((name) => Buffer.from(`${root.path}/${name}`, 'latin1'));

    expect(compareTrees(readTree(root.path), before, { ignore: rootMtime })).toEqual(differences);
  });
});

describe('expectSameTree', () => {
  it('shows the first twenty differences and counts the rest', () => {
    using root = temporaryDirectory();
    const before = readTree(root.path);
    for (let i = 10; i < 35; i += 1) writeFileSync(`${root.path}/${i}`, '');
    const after = readTree(root.path);

    const ignore = (path: string) => path === '';
    expect(() => expectSameTree(after, before, { ignore })).toThrow(/\/29: type.*\n\.\.\. and 5 more\n/);
    expect(() => expectSameTree(after, before, { ignore })).not.toThrow(/\/30: /);
    expect(() => expectSameTree(after, after)).not.toThrow();
  });
});

/** One of everything, all with one known modification time. */
function sampleTree() {
  const root = temporaryDirectory();
  const at = (name: string) => Buffer.from(`${root.path}/${name}`, 'latin1');
  mkdirSync(at('dir'), 0o700);
  setXattr(at('dir'), 'system.posix_acl_default', ACL);
  writeFileSync(at('dir/\xff\n'), 'odd');
  writeFileSync(at('file'), 'content');
  lchownSync(at('file'), 1000, 2000);
  chmodSync(at('file'), 0o4755);
  setXattr(at('file'), 'security.capability', CAPABILITY);
  setXattr(at('file'), 'user.empty', Buffer.alloc(0));
  writeFileSync(at('a'), 'linked');
  linkSync(at('a'), at('b'));
  writeFileSync(at('sparse'), '');
  truncateSync(at('sparse'), 1_000_000);
  symlinkSync(Buffer.from('/nowhere/\xfe', 'latin1'), at('link'));
  makeNode(at('fifo'), constants.S_IFIFO | 0o600, { major: 0, minor: 0 });
  makeNode(at('device'), constants.S_IFBLK | 0o600, { major: 7, minor: 3 });
  for (const name of ['a', 'device', 'dir/\xff\n', 'dir', 'fifo', 'file', 'link', 'sparse'])
    setMtime(at(name), MTIME_NS);
  return root;
}

/** Other bytes in the same file at the same time, with the attributes that a write takes away. */
function rewriteFile(path: Buffer, content: string): void {
  writeFileSync(path, content);
  chmodSync(path, 0o4755);
  setXattr(path, 'security.capability', CAPABILITY);
  setMtime(path, MTIME_NS);
}
