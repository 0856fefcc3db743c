import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatCapabilities } from '../../src/model/capability.js';
import { getXattr } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';

describe('formatCapabilities', () => {
  it.each([
    [[], 'cap_net_raw=ep'],
    [[], 'cap_net_admin,cap_net_raw+p'],
    [[], 'cap_chown=ei cap_bpf,cap_checkpoint_restore=eip'],
    [[], 'cap_chown=i cap_syslog=ip cap_kill=p'],
    [[], '=ep'],
    [[], '=ep cap_sys_admin-ep'],
    [[], '='],
    [['-n', '100000'], 'cap_net_bind_service=ep'],
  ])('tells what setcap %s %s made as getcap does', (options, capabilities) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'file');
    writeFileSync(path, '');
    execFileSync('setcap', [...options, capabilities, path]);
    const told = execFileSync('getcap', ['-n', path]).toString().trim();
    expect(told.startsWith(`${path} `)).toBe(true);
    expect(formatCapabilities(getXattr(Buffer.from(path), 'security.capability'))).toBe(told.slice(path.length + 1));
  });

  it.each(['', '010000', '0000000200000000', `04000004${'00'.repeat(16)}`])('knows that 0x%s is none', (hex) => {
    expect(formatCapabilities(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});
