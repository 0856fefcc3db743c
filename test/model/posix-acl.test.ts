import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatAcl } from '../../src/model/posix-acl.js';
import { getXattr } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';

describe('formatAcl', () => {
  it.each([
    ['access', 'u:1000:rx,g:7:w,g:4000000000:---'],
    ['access', 'u:0:rwx,m::r'],
    ['default', 'd:u:1000:rwx,d:g:5:r,d:o::-'],
  ])('tells a %s ACL of %s as getfacl does', (kind, acl) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'dir');
    mkdirSync(path);
    execFileSync('setfacl', ['-m', acl, path]);
    const told = execFileSync('getfacl', [
      '--omit-header',
      '--numeric',
      '--no-effective',
      `--${kind}`,
      '--absolute-names',
      path,
    ]);
    const lines = told.toString().trim().split('\n');
    const short = lines.map((line) => line.replace(/^(default:)?([ugmo])[a-z]+:/, '$2:'));
    expect(lines.length).toBeGreaterThan(4);
    expect(formatAcl(getXattr(Buffer.from(path), `system.posix_acl_${kind}`))).toBe(short.join(','));
  });

  it.each(['', '0200', '0300000001000700ffffffff', '020000000100', '0200000003000700ffffffff'])(
    'knows that 0x%s is no ACL',
    (hex) => {
      expect(formatAcl(Buffer.from(hex, 'hex'))).toBeUndefined();
    },
  );
});
