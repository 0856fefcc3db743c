import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { createDelta, findMisread, findUnsupported } from '../../src/layer/delta.js';
import { runWithoutYielding } from '../../src/model/job.js';
import { digDeep } from '../support/deep.js';
import { listXattrs, setXattr } from '../support/libc.js';
import { mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { device, fifo, linkTo, type Make, opaque, plant, symlinkTo, whiteout } from '../support/plant.js';
import { stormStack } from '../support/stack.js';
import { expectSameTree, readTree } from '../support/tree.js';

/** What overlayfs notes for itself. The marks that mean something to a lower layer are not among them. */
const BOOKKEEPING = /^trusted\.overlay\.(origin|impure|nlink|uuid|upper)$/;

const umask = process.umask();
afterEach(() => {
  process.umask(umask);
});

describe('createDelta', () => {
  it.each([0o000, 0o022, 0o077])('makes an empty directory that is as its model (umask %o)', (mask) => {
    using place = temporaryDirectory();
    const model = plant(join(place.path, 'model'), { 'inside/it': '' });
    execFileSync('chown', ['5:6', model]);
    execFileSync('setfacl', ['-m', 'u:7:rx,d:g:8:rwx', model]);
    chmodSync(model, 0o3751);
    setXattr(Buffer.from(model), 'user.\xe9', Buffer.from('value'));
    setXattr(Buffer.from(model), 'trusted.overlay.origin', Buffer.from('x'));
    process.umask(mask);
    createDelta(files, join(place.path, 'delta'), model);

    expect(readdirSync(join(place.path, 'delta'))).toEqual([]);
    const modelRoot = new Map([...readTree(model, { omitXattrs: BOOKKEEPING })].slice(0, 1));
    expectSameTree(readTree(join(place.path, 'delta')), modelRoot);
  });

  it('takes nothing over from the directory that it lies in', () => {
    using place = temporaryDirectory();
    const model = plant(join(place.path, 'model'), {});
    const version = withDefaultAcl(join(place.path, 'version'));
    createDelta(files, join(version, 'delta'), model);
    expectSameTree(readTree(join(version, 'delta')), readTree(model));
  });
});

it('says where an attribute that no delta can have is taken away', () => {
  using place = temporaryDirectory();
  const model = plant(join(place.path, 'model'), {});
  execFileSync('chattr', ['+i', model]);
  using _ = { [Symbol.dispose]: () => void execFileSync('chattr', ['-i', model]) };
  expect(() => createDelta(files, join(place.path, 'delta'), model)).toThrow(
    expect.objectContaining({ code: 'delta-not-keepable', hint: `Take it away: chattr -i ${model}` }),
  );
});

describe('findUnkept', () => {
  it('finds nothing in what a storm wrote', () => {
    using stack = stormStack({ seed: 33, deltas: 1, steps: 120 });
    expect(runWithoutYielding(findUnsupported(files, stack.layers[0] as string))).toBeUndefined();
  });

  it('finds a directory that was renamed under redirect_dir=on', () => {
    using place = temporaryDirectory();
    const upper = overlaid(place.path, 'redirect_dir=on', (merged) =>
      renameSync(join(merged, 'dir/below'), join(merged, 'dir/moved')),
    );
    const found = runWithoutYielding(findUnsupported(files, upper));
    expect(found?.path).toBe('dir/moved');
    expect(found?.reason).toContain('redirect_dir=on');
  });

  it('finds a file whose content is elsewhere after a chmod under metacopy=on', () => {
    using place = temporaryDirectory();
    const upper = overlaid(place.path, 'metacopy=on,redirect_dir=on', (merged) =>
      chmodSync(join(merged, 'dir/file'), 0o600),
    );
    const found = runWithoutYielding(findUnsupported(files, upper));
    expect(found?.path).toBe('dir/file');
    expect(found?.reason).toContain('metacopy=on');
    expect(readFileSync(join(upper, 'dir/file'))).toEqual(Buffer.alloc('content'.length));
  });

  it.each(['i', 'a'])('finds a file that chattr +%s was called for', (flag) => {
    using place = temporaryDirectory();
    const upper = overlaid(place.path, 'redirect_dir=off,metacopy=off', (merged) => {
      chmodSync(join(merged, 'dir/file'), 0o600);
      execFileSync('chattr', [`+${flag}`, join(merged, 'dir/file')]);
    });
    const found = runWithoutYielding(findUnsupported(files, upper));
    expect(found?.path).toBe('dir/file');
    expect(found?.reason).toContain('chattr');
  });

  it('finds what has a mark on the root itself, and follows no symbolic link to others', () => {
    using place = temporaryDirectory();
    const marked = plant(join(place.path, 'marked'), {});
    setXattr(Buffer.from(marked), 'trusted.overlay.redirect', Buffer.from('/elsewhere'));
    expect(runWithoutYielding(findUnsupported(files, marked))?.path).toBe('');
    expect(
      runWithoutYielding(findUnsupported(files, plant(join(place.path, 'delta'), { link: symlinkTo('../marked') }))),
    ).toBeUndefined();
  });

  it('does not take the marks of an overlay inside the container for its own', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), {
      file: ['', (path) => setXattr(Buffer.from(path), 'trusted.overlay.overlay.metacopy', Buffer.alloc(0))],
    });
    expect(runWithoutYielding(findUnsupported(files, delta))).toBeUndefined();
  });

  it('works below paths that are too long for the kernel', () => {
    using place = temporaryDirectory();
    const delta = plant(join(place.path, 'delta'), {});
    digDeep(delta, 20, 'echo > file; setfattr -n trusted.overlay.metacopy file');
    expect(runWithoutYielding(findUnsupported(files, delta))?.path.split('/')).toHaveLength(21);
  });
});

describe('findMisread', () => {
  it('finds nothing in a root file system of every type of file', () => {
    using place = temporaryDirectory();
    const rootfs = plant(join(place.path, 'rootfs'), {
      'dir/file': '',
      'dir/link': linkTo('file'),
      fifo,
      null: device(1, 3),
      link: symlinkTo('dir'),
    });
    expect(runWithoutYielding(findMisread(files, rootfs))).toBeUndefined();
  });

  it.each<[string, string, Record<string, Make>]>([
    ['a device 0/0', 'var/gone', { 'var/gone': whiteout }],
    ['an opaque directory', 'var/lib', { 'var/lib': opaque }],
    [
      'a file with any other mark',
      'file',
      { file: ['', (path) => setXattr(Buffer.from(path), 'trusted.overlay.metacopy', Buffer.alloc(0))] },
    ],
    [
      'a mark of an overlay in an overlay',
      'file',
      { file: ['', (path) => setXattr(Buffer.from(path), 'trusted.overlay.overlay.whiteout', Buffer.alloc(0))] },
    ],
  ])('finds %s', (_, path, entries) => {
    using place = temporaryDirectory();
    expect(
      runWithoutYielding(findMisread(files, plant(join(place.path, 'rootfs'), { ...entries, other: '' })))?.path,
    ).toBe(path);
  });
});

/** An upper directory after `change` to an overlay, mounted with these options, of a directory of two files. */
function overlaid(place: string, options: string, change: (merged: string) => void): string {
  const lower = plant(join(place, 'lower'), { 'dir/below/deep': '', 'dir/file': 'content' });
  const upper = join(place, 'version/delta');
  using overlay = mountOverlay({ lowers: [lower], upper, options });
  change(overlay.path);
  return upper;
}

/** A directory that gives an ACL to all that is made in it. */
function withDefaultAcl(path: string): string {
  mkdirSync(path);
  execFileSync('setfacl', ['-d', '-m', 'u:1000:rwx', path]);
  expect(inherits(path)).toBe(true);
  return path;
}

function inherits(path: string): boolean {
  const probe = join(path, 'probe');
  mkdirSync(probe);
  const found = listXattrs(Buffer.from(probe)).length > 0;
  rmSync(probe, { recursive: true });
  return found;
}
