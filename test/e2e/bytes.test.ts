import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';

/** In Latin-1, as sh(1)'s printf makes it. */
const NAME = 'caf\\351';
const BYTES = Buffer.from('etc/caf\xe9', 'latin1').toString('base64');
const MANY = 'a line that stays\n'.repeat(80_000);
let lxc: TestLxc;

beforeAll(async () => {
  lxc = temporaryLxc();
  // Of the file systems, this one keeps any time.
  expect(spawnSync('mount', ['-t', 'tmpfs', 'none', lxc.lxcpath.replace(/\/lxc$/, '')]).status).toBe(0);
  const directory = join(lxc.lxcpath, 'web');
  mkdirSync(join(directory, 'rootfs/etc'), { recursive: true });
  mkdirSync(join(lxc.directory, 'home'));
  writeFileSync(join(directory, 'config'), `lxc.rootfs.path = dir:${directory}/rootfs\nlxc.uts.name = web\n`);
  change(join(directory, 'rootfs'), [
    `printf 'caf\\351 au lait\\nplain\\n' > "etc/$(printf '${NAME}')"`,
    `printf 'to be moved away' > etc/old`,
    'touch -d @-62135596800 etc/first-year',
    'touch -d @253402300800 etc/year-10000',
    'touch etc/now',
    'touch -d @-100 .',
  ]);
  writeFileSync(join(directory, 'rootfs/etc/many'), `begin\n${MANY}`);
  await lxc.commit('web', 'first');
  change(lxc.rootfs('web').upper, [
    `mkdir -p etc`,
    `printf 'caf\\351 au lait\\nplain, changed\\n' > "etc/$(printf '${NAME}')"`,
    'touch -d @-62135596801 etc/first-year',
    'touch -d @16725225600 etc/now',
    `printf 'to be moved away' > "etc/$(printf 'n\\351w')"`,
    'mknod etc/old c 0 0',
  ]);
  await lxc.commit('web', 'second');
  change(lxc.rootfs('web').upper, [`mkdir -p etc`, `printf 'begin\\na line that stays\\nend\\n' > etc/many`]);
  await lxc.commit('web', 'third');
});

afterAll(() => {
  spawnSync('umount', [lxc.directory]);
  lxc[Symbol.dispose]();
});

describe('a path that is not UTF-8', () => {
  it.each([
    ['by its bytes', `$(printf 'etc/${NAME}')`],
    ['as diff prints it', `\\"etc/${NAME.replace('\\', '\\\\')}\\"`],
  ])('is taken %s', (_, path) => {
    expect(sh(`lxcv show "web@1:${path}"`)).toBe('caf\xe9 au lait\nplain, changed\n');
    expect(sh(`lxcv blame web@1 "${path}"`)).toMatch(/^@0 .* 1\) caf\xe9 au lait\n@1 .* 2\) plain, changed\n$/);
    expect(sh(`lxcv diff web@0 web@1 -- "${path}"`)).toBe('M\t"etc/caf\\351"\n');
    expect(sh(`lxcv log --oneline web -- "${path}"`)).toMatch(/^@1 .* second\n@0 .* first\n$/);
    expect(sh(`lxcv grep plain web@1 -- "${path}"`)).toBe('web@1:etc/caf\xe9:2:plain, changed\n');
  });

  it('has all of its bytes in JSON, and so has what is in it', () => {
    const json = (command: string) => JSON.parse(run(command).stdout) as Record<string, unknown>;
    const shown = { path: 'etc/caf\xef\xbf\xbd', pathBytes: BYTES };
    expect(json(`lxcv show --json "web@1:$(printf 'etc/${NAME}')"`)).toMatchObject(shown);
    const line = {
      text: 'caf\xef\xbf\xbd au lait',
      textBytes: Buffer.from('caf\xe9 au lait', 'latin1').toString('base64'),
    };
    expect(json(`lxcv blame --json web@1 "$(printf 'etc/${NAME}')"`)).toMatchObject({ lines: [line, {}] });
    expect(json('lxcv grep --json plain web@1')).toMatchObject({ matches: [shown] });
    const moved = { movedFrom: 'etc/old', pathBytes: Buffer.from('etc/n\xe9w', 'latin1').toString('base64') };
    const { changes } = json('lxcv diff --json web@0 web@1') as { changes: object[] };
    expect(changes).toContainEqual(expect.objectContaining(moved));
    expect(changes).toContainEqual(expect.objectContaining({ movedToBytes: moved.pathBytes }));
    expect(json('lxcv show --json web@1:/')).toMatchObject({ path: '/' });
  });

  it('is told in messages as diff prints it', () => {
    const { stderr } = run(`lxcv show "web:$(printf 'no\\351')"`);
    expect(stderr).toMatch(/^lxcv: there is no "\/no\\351" in web@2\n/);
  });
});

it('a path that is in none of the trees is told', () => {
  const notice = (command: string) => run(command).stderr;
  expect(notice('lxcv diff web@0 web@1 -- etc/nosuch')).toBe('lxcv: there is no /etc/nosuch in web@0 or web@1\n');
  expect(notice('lxcv diff -p web@0 web@1 -- etc/nosuch')).toBe('lxcv: there is no /etc/nosuch in web@0 or web@1\n');
  expect(notice('lxcv log web -- etc/nosuch')).toBe('lxcv: there is no /etc/nosuch in web@2\n');
  expect(notice('lxcv grep plain web@0 -- etc/nosuch')).toBe('lxcv: there is no /etc/nosuch in web@0\n');
  expect(notice('lxcv diff web@0 web@1 -- etc/old')).toBe('');
});

describe('text that is not UTF-8', () => {
  it.each([
    [`printf 'caf\\351' | lxcv commit --allow-empty -F - web`, 'the message is not UTF-8'],
    [`lxcv commit --allow-empty -m "$(printf 'caf\\351')" web`, 'the message is not UTF-8'],
    [`lxcv tag -m "$(printf 'caf\\351')" web v1`, 'the message is not UTF-8'],
    [`lxcv grep "$(printf 'caf\\351')" web`, 'the pattern is not UTF-8'],
    [`lxcv export -o "$(printf 'caf\\351').tar" web`, 'the name of the file is not UTF-8'],
    [`lxcv mount web "$(printf 'caf\\351')"`, 'the name of the directory is not UTF-8'],
  ])('is refused, and nothing is made of it: %s', (command, why) => {
    const { status, stderr } = run(command);
    expect([status, stderr.split('\n')[0]]).toEqual([2, `lxcv: ${why}`]);
    expect(sh('lxcv log --oneline web | wc -l; lxcv tag web')).toBe('3\n');
  });

  it('can be the name of the file that holds the message', () => {
    const command = `printf 'from a file' > "$(printf '${NAME}')"; lxcv commit --allow-empty -F "$(printf '${NAME}')" web`;
    expect(sh(command)).toContain('from a file');
  });
});

describe('blame', () => {
  it('tells the lines of a text that was larger than a megabyte before', () => {
    expect(sh('lxcv blame web@2 etc/many')).toMatch(/^@0 .*\) begin\n@0 .*\) a line that stays\n@2 .*\) end\n$/);
  });

  it('refuses where a version has it too large to be told', async () => {
    const { upper } = lxc.rootfs('web');
    change(upper, ['mkdir -p etc', 'rm -f etc/many']);
    writeFileSync(join(upper, 'etc/many'), '');
    truncateSync(join(upper, 'etc/many'), 65 << 20);
    const { number } = await lxc.commit('web', 'large');
    writeFileSync(join(lxc.rootfs('web').upper, 'written'), '');
    change(lxc.rootfs('web').upper, ['mkdir -p etc', 'echo small > etc/many']);
    const { status, stderr } = run('lxcv blame web@WORK etc/many');
    expect(status).toBe(3);
    expect(stderr).toMatch(new RegExp(`/etc/many in \\w+@${number} is larger than 64 MiB`));
  });
});

it('times far from ours are told and kept', async () => {
  const metadata = sh('lxcv diff --metadata web@0 web@1');
  expect(metadata).toContain('mtime 0001-01-01T00:00:00.000000000Z -> 0000-12-31T23:59:59.000000000Z');
  expect(metadata).toMatch(/mtime 20.* -> 2500-01-01T00:00:00.000000000Z/);
  expect(sh('lxcv show web@0:/etc')).toMatch(/\+010000-01-01 00:00:00Z +year-10000\n/);
  await lxc.checkout('web@0', 'copy');
  const times = sh(`stat -c '%n %Y' $(readlink -f ${lxc.rootfs('copy').lowers[0]})/etc/year-10000`);
  expect(times).toMatch(/ 253402300800\n$/);
  expect((await lxc.lxcv('fsck')).stdout).toBe('Nothing is wrong.\n');
  expect(readFileSync(`${lxc.store}/web/operations`, 'utf8')).toContain('"mtimeNs":"-100000000000"');
});

/** Lines of sh(1) in a directory. */
function change(directory: string, lines: readonly string[]): void {
  const { status, stderr } = spawnSync('sh', ['-ec', lines.join('\n')], { cwd: directory, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
}

/** A line of sh(1) in which `lxcv` is the built one, on the containers here. What it prints is kept a character a byte. */
function run(line: string) {
  const own = `lxcv() { command=$1; shift; ${process.execPath} ${LXCV} "$command" -P ${lxc.lxcpath} "$@"; }`;
  return spawnSync('sh', ['-c', `${own}\n${line}`], {
    cwd: lxc.directory,
    env: { PATH: process.env.PATH, HOME: lxc.directory, LC_ALL: 'C' },
    encoding: 'latin1',
  });
}

function sh(line: string): string {
  const { stdout, stderr } = run(line);
  expect(stderr).toBe('');
  return stdout;
}
