import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setXattr } from '../support/libc.js';
import { type ChangeJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';

interface DiffJson {
  readonly from: string;
  readonly to: string;
  readonly changes: readonly (ChangeJson & { readonly movedFrom?: string; readonly movedTo?: string })[];
  readonly config: { readonly removed: string[]; readonly added: string[] };
}

/** In seconds. */
const TIME = 1_700_000_000;
const HOSTILE = ['line\nbreak', 'red\x1b[31m', 'title\x1b]0;x\x07', 'c1\xc2\x9b31m', 'not \xff UTF-8'];

describe('diff', () => {
  const lxc: TestLxc = temporaryLxc();

  beforeAll(async () => {
    lxc.createBase('web');
    lxc.quieten('web');
    write('web', (root) => {
      mkdirSync(join(root, 'srv/moved/below'), { recursive: true });
      for (const name of ['a', 'b', 'c']) writeFileSync(join(root, 'srv/moved/below', name), `${name}\n`.repeat(100));
      writeFileSync(join(root, 'srv/mode'), '');
      writeFileSync(join(root, 'srv/large'), 'x'.repeat(5000));
      writeFileSync(join(root, 'srv/gone'), 'gone\n');
      for (const name of ['srv/mode', 'srv/large']) utimesSync(join(root, name), TIME, TIME);
    });
    await lxc.commit('web', 'First');
    await lxc.checkout('web@0', 'other');
    write('web', (root) => {
      // Overlayfs renames no directory of a lower layer: mv copies it.
      execFileSync('mv', [join(root, 'srv/moved'), join(root, 'srv/away')]);
      const mode = join(root, 'srv/mode');
      chownSync(mode, 33, 44);
      chmodSync(mode, 0o4751);
      execFileSync('setfacl', ['-m', 'u:1000:rw', mode]);
      execFileSync('setcap', ['cap_net_raw+ep', mode]);
      setXattr(Buffer.from(mode), 'user.note', Buffer.from('mine'));
      writeFileSync(join(root, 'srv/large'), 'x'.repeat(9000));
      rmSync(join(root, 'srv/gone'));
      symlinkSync('large', join(root, 'srv/link'));
    });
    lxc.editConfig('web', (text) => `${text}lxc.environment = A=1\n`);
    await lxc.commit('web', 'Second');
    write('other', (root) => writeFileSync(join(root, 'srv/only-here'), 'x'));
    await lxc.commit('other', 'On a branch');
    return () => lxc[Symbol.dispose]();
  });

  it('tells every kind of change, moves and the LXC config', async () => {
    const { stdout } = await lxc.lxcv('diff', 'web@0', 'web@1');
    expect(stdout).toBe(
      lines(
        'A\tsrv/away',
        'A\tsrv/away/below',
        'R\tsrv/moved/below/a\tsrv/away/below/a',
        'R\tsrv/moved/below/b\tsrv/away/below/b',
        'R\tsrv/moved/below/c\tsrv/away/below/c',
        'D\tsrv/gone',
        'M\tsrv/large',
        'A\tsrv/link',
        'm\tsrv/mode',
        'D\tsrv/moved',
        'D\tsrv/moved/below',
        '',
        'LXC config:',
        '+ lxc.environment = A=1',
      ),
    );
    const { changes, config } = await lxc.json<DiffJson>('diff', 'web@0', 'web@1');
    expect(config).toEqual({ removed: [], added: ['lxc.environment = A=1'] });
    expect(changes).toContainEqual({
      ...{ path: 'srv/away/below/a', kind: 'added', type: 'file', movedFrom: 'srv/moved/below/a' },
    });
    expect(changes).toContainEqual({
      ...{ path: 'srv/moved/below/a', kind: 'removed', type: 'file', movedTo: 'srv/away/below/a' },
    });
  });

  it('tells of what is of another type now both types, or the size of the one that is a file, with --stat', async () => {
    lxc.createBase('types');
    write('types', (root) => {
      mkdirSync(join(root, 'srv'), { recursive: true });
      for (const name of ['to-directory', 'to-link', 'to-pipe']) writeFileSync(join(root, 'srv', name), 'a file');
      for (const name of ['to-file', 'as-link']) mkdirSync(join(root, 'srv', name));
    });
    await lxc.commit('types', 'First');
    write('types', (root) => {
      for (const name of ['to-directory', 'to-link', 'to-pipe', 'to-file', 'as-link'])
        rmSync(join(root, 'srv', name), { recursive: true });
      mkdirSync(join(root, 'srv/to-directory'));
      for (const name of ['to-link', 'as-link']) symlinkSync('/nowhere', join(root, 'srv', name));
      execFileSync('mkfifo', [join(root, 'srv/to-pipe')]);
      writeFileSync(join(root, 'srv/to-file'), 'text');
    });
    expect((await lxc.lxcv('diff', '--stat', 'types', '--', '/srv')).stdout).toMatchInlineSnapshot(`
      " T srv/as-link      | directory ->   symlink
       T srv/to-directory |       6 B -> directory
       T srv/to-file      | directory ->       4 B
       T srv/to-link      |       6 B ->   symlink
       T srv/to-pipe      |       6 B ->      fifo
       5 paths changed, 18 B -> 4 B
      "
    `);
  });

  it('tells sizes with --stat', async () => {
    const { stdout } = await lxc.lxcv(
      'diff',
      '--stat',
      'web@0',
      'web@1',
      '--',
      '/srv/large',
      'srv/gone',
      'srv/mode',
      'srv/link',
    );
    expect(stdout).toBe(
      lines(
        ' D srv/gone  |      5 B ->     0 B',
        ' M srv/large |  4.9 KiB -> 8.8 KiB',
        ' A srv/link  | symlink',
        ' m srv/mode  | metadata',
        ' 4 paths changed, 4.9 KiB -> 8.8 KiB',
      ),
    );
  });

  it('tells modes, owners, times, ACLs, capabilities and other attributes with --metadata', async () => {
    const { stdout } = await lxc.lxcv('diff', '--metadata', 'web@0', 'web@1', '--', 'srv/mode', 'srv/gone');
    expect(stdout).toBe(
      lines(
        'D srv/gone',
        '    mode rw-r--r--',
        '    owner 0:0',
        'm srv/mode',
        '    mode rw-r--r-- -> rwsrwx--x',
        '    owner 0:0 -> 33:44',
        '    capabilities none -> cap_net_raw=ep',
        '    ACL none -> u::rwx,u:1000:rw-,g::r-x,m::rwx,o::--x',
        '    xattr user.note none -> "mine"',
      ),
    );
  });

  it('compares versions across branches, a running container, and what lies under all versions', async () => {
    const across = await lxc.lxcv('diff', '--name-status', 'other', 'web@1', '--', '/srv/only-here', '/srv/gone');
    expect(across.stdout).toBe(lines('D\tsrv/gone', 'D\tsrv/only-here'));
    const base = await lxc.json<DiffJson>('diff', 'web@BASE', 'web@0');
    expect(base.config).toEqual({ removed: [], added: [] });
    await lxc.start('other');
    try {
      await lxc.attach('other', 'echo running >/srv/now');
      const now = await lxc.lxcv('diff', 'other');
      expect(now.stdout).toBe(lines('A\tsrv/now'));
      const turned = await lxc.lxcv('diff', 'other@WORK', 'other@HEAD');
      expect(turned.stdout).toBe(lines('D\tsrv/now'));
      const text = await lxc.lxcv('diff', '-p', 'other');
      expect(text.stdout).toContain('+++ b/srv/now\n@@ -0,0 +1 @@\n+running\n');
    } finally {
      await lxc.stop('other');
    }
  });

  it('shows no raw control character on a terminal, whatever a container calls its files', async () => {
    write('web', (root) => {
      for (const name of HOSTILE) writeFileSync(Buffer.from(`${root}/srv/${name}`, 'latin1'), `${name}\n`);
      execFileSync('mkfifo', [join(root, 'srv/fifo')]);
      writeFileSync(join(root, 'etc/huge'), '');
      truncateSync(join(root, 'etc/huge'), 10 * 2 ** 30);
    });
    for (const form of [[], ['--name-status'], ['--stat'], ['--metadata'], ['-p']]) {
      const shown = await onTerminal(['diff', ...form, 'web']);
      expect([form, shown.match(/(?![\n\t])\p{Cc}/gu)]).toEqual([form, null]);
      expect([form, shown]).toEqual([form, expect.stringContaining('srv/')]);
    }
    const { changes } = await lxc.json<DiffJson>('diff', 'web');
    const names = changes.map(({ path, pathBytes }) => Buffer.from(pathBytes ?? path, pathBytes ? 'base64' : 'utf8'));
    expect(names.map((bytes) => bytes.toString('latin1'))).toEqual(
      expect.arrayContaining(HOSTILE.map((name) => `srv/${name}`)),
    );
  });

  it('goes through the pager where it is longer than the screen, and around one that is not there', async () => {
    const paged = await onTerminal(['diff', '--name-status', 'web@BASE', 'web'], { LXCV_PAGER: 'sed s/^/paged:/' });
    expect(paged.match(/^paged:/gm)?.length).toBeGreaterThan(5);
    for (const LXCV_PAGER of ['/no/such/pager', 'cat', '']) {
      const plain = await onTerminal(['diff', '--name-status', 'web@BASE', 'web'], { LXCV_PAGER });
      expect(plain).toContain('A\tsrv/large\n');
    }
    // A pager that is left at once is no failure.
    const left = await onTerminal(['diff', '--name-status', 'web@BASE', 'web'], { LXCV_PAGER: 'true' });
    expect(left).toBe('');
  });

  function write(name: string, change: (root: string) => void): void {
    using mount = lxc.mount(name);
    change(mount.path);
  }

  /** What a command prints to a terminal of four lines that shows no colours. It must succeed. */
  async function onTerminal(args: string[], env: Record<string, string> = { LXCV_PAGER: 'cat' }): Promise<string> {
    const command = [process.execPath, LXCV, ...args, '-P', lxc.lxcpath].map((word) => `'${word}'`).join(' ');
    const words = ['-qefc', `stty rows 4 cols 80; exec ${command}`, '/dev/null'];
    const { stdout, exitCode } = await lxc.program('script', words, { env: { NO_COLOR: '1', TERM: 'xterm', ...env } });
    expect([stdout, exitCode]).toEqual([stdout, 0]);
    return stdout.replaceAll('\r\n', '\n');
  }
});

function lines(...all: string[]): string {
  return `${all.join('\n')}\n`;
}
