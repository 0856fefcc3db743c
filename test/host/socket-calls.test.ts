import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { closeDescriptor } from '../../src/host/native.js';
import { bindAbstractSocket } from '../../src/host/socket-calls.js';

describe('bindAbstractSocket', () => {
  it('binds a name once, until it is closed', () => {
    const name = `lxcv-test-${process.pid}/\xff`;
    const fd = bindAbstractSocket(name) as number;
    expect(fd).toBeGreaterThan(2);
    expect(readFileSync('/proc/net/unix', 'latin1')).toContain(`@${name}\n`);
    expect(bindAbstractSocket(name)).toBeUndefined();
    closeDescriptor(fd);
    const again = bindAbstractSocket(name) as number;
    closeDescriptor(again);
    expect(again).toBe(fd);
  });

  it('fails for a name that is too long', () => {
    expect(() => bindAbstractSocket('n'.repeat(200))).toThrow(
      expect.objectContaining({ code: 'EINVAL', syscall: 'bind' }),
    );
  });
});
