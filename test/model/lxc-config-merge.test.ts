import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLxcConfig, ownValue, parseLxcConfig } from '../../src/model/lxc-config.js';
import { carryEdit } from '../../src/model/lxc-config-merge.js';

const BASE = 'lxc.uts.name = a\nlxc.rootfs.path = overlay:/l:/old\nlxc.tty.max = 4\n';
const OURS =
  'lxc.uts.name = a\n# lxcv: a is versioned in /v/a\nlxc.rootfs.path = overlay:/l:/new\nlxc.tty.max = 4\nlxc.rootfs.options = x\n';

describe('carryEdit', () => {
  it.each([
    ['a line behind the last', `${BASE}lxc.environment = A=1\n`, `${OURS}lxc.environment = A=1\n`],
    ['a line before the first', `# mine\n${BASE}`, `# mine\n${OURS}`],
    ['a line in between', BASE.replace('lxc.tty', '# mine\nlxc.tty'), OURS.replace('lxc.tty', '# mine\nlxc.tty')],
    ['a line that was changed', BASE.replace('max = 4', 'max = 9'), OURS.replace('max = 4', 'max = 9')],
    ['a line that went', BASE.replace('lxc.uts.name = a\n', ''), OURS.replace('lxc.uts.name = a\n', '')],
    ['nothing', BASE, OURS],
  ])('carries over %s', (_, edited, merged) => {
    expect(carry(BASE, edited, OURS)).toBe(merged);
  });

  it('keeps the edited text and sets the root file system in it, where both changed the same lines', () => {
    const merged = carry(
      BASE,
      BASE.replace('lxc.uts.name = a\n', '').replace('lxc.rootfs', '# mine\nlxc.rootfs'),
      OURS,
    );
    expect(merged).toBe(
      '# mine\n# lxcv: a is versioned in /v/a\nlxc.rootfs.path = overlay:/l:/new\nlxc.tty.max = 4\nlxc.rootfs.options = x\n',
    );
  });

  it('keeps a root file system that the edit set', () => {
    const edited = BASE.replace('/old', '/mine');
    expect(carry(BASE, edited, OURS)).toBe(edited);
  });

  it('keeps a last line without an end', () => {
    expect(
      carry('lxc.tty.max = 4', 'lxc.tty.max = 4\nlxc.pty.max = 4', 'lxc.tty.max = 4\nlxc.rootfs.path = /n\n'),
    ).toBe('lxc.tty.max = 4\nlxc.pty.max = 4\nlxc.rootfs.path = /n\n');
  });

  it('loses no line of any edit, and always mounts what lxcv set', () => {
    const line = fc.integer({ min: 0, max: 99 }).map((number) => `# line ${number}\n`);
    fc.assert(
      fc.property(fc.array(line), fc.array(line), fc.nat(), (before, added, place) => {
        const base = `${before.join('')}lxc.rootfs.path = /old\n`;
        const ours = `${before.join('')}# lxcv: a is versioned in /v/a\nlxc.rootfs.path = /new\n`;
        const at = place % (before.length + 1);
        const edited = [...before.slice(0, at), ...added, ...before.slice(at)].join('');
        const merged = carry(base, `${edited}lxc.rootfs.path = /old\n`, ours);
        expect(ownValue(parseLxcConfig(Buffer.from(merged)), 'lxc.rootfs.path')).toBe('/new');
        const lines = merged.split('\n').filter((text) => text.startsWith('# line'));
        expect(lines.sort()).toEqual(edited.split('\n').slice(0, -1).sort());
      }),
    );
  });
});

function carry(base: string, edited: string, ours: string): string {
  const [b, e, o] = [base, edited, ours].map((text) => parseLxcConfig(Buffer.from(text))) as [never, never, never];
  return formatLxcConfig(carryEdit(b, e, o)).toString();
}
