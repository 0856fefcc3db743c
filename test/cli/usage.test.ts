/** Every wrong command line is told in two lines of lxcv's own, whatever the parser below says. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { argName, type CommandShape, flagName, usageWords } from '../../src/cli/command-shape.js';
import { standardError, standardOutput } from '../../src/cli/output.js';
import { runCommand } from '../../src/cli/run.js';
import { COMMANDS } from '../../src/program.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';

let place: DisposablePath;
beforeEach(() => {
  place = temporaryDirectory();
});
afterEach(() => {
  place[Symbol.dispose]();
});

/** What lxcv says of a command line: nothing else may come of any. */
const FORMS = [
  /^lxcv [a-z]+ needs (an? )?(--)?[A-Za-z]+( FILE)?((, an? [A-Z]+)* and an? [A-Z]+)?$/,
  /^lxcv [a-z]+ does not take "[^"]*"((, "[^"]*")* and "[^"]*")?$/,
  /^lxcv [a-z]+ has no flag --?[\w-]+$/,
  /^--[a-z-]+ needs an? [A-Z]+$/,
  /^--author needs a "NAME <EMAIL>"$/,
  /^--[a-z-]+ was given twice$/,
  /^--[a-z-]+ takes a (whole number|number from 0 on), not "[^"]*"$/,
  /^--[a-z-]+ and --[a-z-]+ exclude each other$/,
  /^--[a-z-]+ needs --[a-z-]+ beside it$/,
  /^lxcv has no (command|flag) (\S+|'[^']*')$/,
];
const OF_OCLIF =
  /oclif|Missing|NOTE|ALTERNATIVELY|following error|Parsing|Unexpected|Nonexistent|See more|required arg|Error:|not found|undefined|Expected/i;

const SHAPES = new Map(
  await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => [name, (await load()).default as CommandShape] as const),
  ),
);
const CASES = [...SHAPES].flatMap(([name, shape]) => wrongLines(name, shape));

describe('a wrong command line', () => {
  it.each(CASES)('%s %j is told in lxcv’s own words', async (...line) => {
    await expectUsageError(line.flat());
  });

  it.each([
    ['no such command', ['nosuch']],
    ['a revision in the place of a command', ['web@0:/etc/x']],
    ['an option in the place of a command', ['--nosuch']],
    ['an empty command', [' ']],
    ['a command of an object', ['constructor']],
    ['a topic of oclif', ['log:x']],
  ])('with %s is', async (_, line) => {
    await expectUsageError(line);
  });

  it('is told with what was probably meant', async () => {
    expect(await run(['lgo', 'web'])).toContain('Did you mean lxcv log web?');
    expect(await run(['log', '--onelin', 'web'])).toContain('Did you mean --oneline? Usage: lxcv log');
    expect(await run(['web', 'log'])).toContain('The command comes first: lxcv log web');
    const told = JSON.parse(await run(['lgo', 'web', '--json'])) as { error: { data: unknown } };
    expect(told.error.data).toEqual({ suggestion: 'log' });
  });

  it('that git or LXC would take is answered with what does it today, on the lxcpath that was given', async () => {
    const told = async (...line: string[]) => (await run(line)).split('\n')[1]?.trim();
    expect(await told('log', '-p', 'web')).toBe('One version at a time: lxcv diff -p web~1 web@HEAD, or lxcv show web');
    expect(await told('-P', '/x y', 'restore', 'web@1', 'etc/hosts')).toBe(
      "A file: lxcv show -P '/x y' web@1:/etc/hosts > hosts; a directory: lxcv mount -P '/x y' web@1 /mnt, and copy it from there.",
    );
    expect(await told('stop', 'web', '-P/c')).toBe('LXC does that: lxc-stop -P /c -n web');
  });
});

describe('a hint', () => {
  const told = async (...line: string[]) => (await run(line)).split('\n')[1]?.trim();

  it.each([
    [['blame', '-L', '3,5', 'web', '/etc/hosts'], 'lxcv blame web /etc/hosts | sed -n 3,5p'],
    [['blame', 'web', '-L3,5', '--', '/etc/hosts'], 'lxcv blame web -- /etc/hosts | sed -n 3,5p'],
    [['grep', '-n', 'a b', 'web'], "Lines are numbered anyway: lxcv grep 'a b' web"],
    [['grep', '-rn', 'a', 'web'], 'Everything in a version is looked at anyway: lxcv grep -n a web'],
    [['grep', '-i', '-e', 'a b', 'web'], "The pattern comes first: lxcv grep 'a b' -i web"],
    [['grep', '-n', 'a', 'web', '-P', '/tmp'], 'Lines are numbered anyway: lxcv grep -P /tmp a web'],
    [['commit', '-am', 'Two words', 'web'], "Everything is committed anyway: lxcv commit -m 'Two words' web"],
    [['commit', '-m', 'x', 'web@1'], 'lxcv commit -m x web'],
    [['status', 'web~1', '-v'], 'lxcv status web -v'],
    [['checkout', '-B', 'try', 'web@1'], 'lxcv checkout --branch try web@1'],
    [['log', '--grep', 'fix', 'web'], 'lxcv log --oneline web | grep fix'],
    [['log', '-S', 'port', 'web'], 'lxcv grep port web@0 web'],
    [['log', '-z', 'web'], 'For a program: lxcv log web --json'],
    [['branch', 'web', '-c', 'old', 'new'], 'lxcv branch web new web@old'],
    [['merge', 'web', 'tuning'], 'It comes with a later version; today: lxcv diff web web@tuning shows what differs.'],
    [['merge', 'web@1', 'web@2'], 'It comes with a later version; today: lxcv diff web@1 web@2 shows what differs.'],
    [['switch', 'web', 'tuning'], 'lxcv checkout web@tuning'],
    [['rollback', 'web', '1'], 'lxcv checkout web@1'],
    [['fsck', '--full'], 'It comes with a later version; today: lxcv fsck looks at all but the bytes of files.'],
    [['umount'], 'Usage: lxcv umount DIRECTORY'],
    [['stop', 'web', '-P', '.'], `LXC does that: lxc-stop -P ${process.cwd()} -n web`],
  ])('of %j holds what was typed: %s', async (line, hint) => {
    expect(await told(...line)).toBe(hint);
  });

  it('is of the flags that exclude each other', async () => {
    expect(await run(['diff', '--stat', '--name-only', 'web'])).toContain('--name-only and --stat exclude each other');
    expect(await run(['status', '-s', '-v', 'web'])).toContain('--short and --verbose exclude each other');
  });
});

describe('help', () => {
  it('is given of a command also behind -P', async () => {
    const write = vi.spyOn(standardOutput, 'write').mockResolvedValue();
    await runCommand(['-P', '/tmp', 'help', 'commit'], COMMANDS, import.meta.url);
    await runCommand(['commit', '--help'], COMMANDS, import.meta.url);
    expect(write.mock.calls[0]).toEqual(write.mock.calls[1]);
    write.mockRestore();
  });
});

describe('grep -P', () => {
  it('says that Perl’s syntax is --perl alone', async () => {
    const told = await run(['grep', '-P', 'a+(?=b)', 'web']);
    expect(told).toContain('lxcv grep needs a REVISION');
    expect(told).toContain("-P is the lxcpath; Perl's syntax is --perl alone. Usage: lxcv grep --perl 'a+(?=b)' web");
  });

  it('is the lxcpath where it is a directory, whatever else is wrong', async () => {
    expect(await run(['grep', '-P', '/tmp', 'a'])).toContain('Usage: lxcv grep [-i]');
    expect(await run(['grep', '-P', 'a+', '-P', '/tmp', 'web'])).toContain('alone. lxcv grep -P /tmp --perl a+ web');
  });
});

describe('checkout of paths', () => {
  it.each([
    ['web@1', '--', 'etc'],
    ['web@1', '--', '/etc'],
    ['web@1', 'etc/hosts'],
    ['web@1', '/etc', 'var'],
    ['web@1:/etc'],
    ['--restart', 'web@1', '--', 'etc', 'var'],
  ])('%s %s %s makes nothing, and says how to get them', async (...line) => {
    const told = await run(['checkout', ...line.filter((arg) => arg !== undefined)]);
    expect(told).toContain('lxcv checkout takes no paths');
    expect(told).toMatch(/lxcv show web@1:\/etc(\/hosts > hosts| > etc);.*lxcv mount web@1 \/mnt/);
  });
});

describe('a usage line', () => {
  it.each([...SHAPES])('of %s names each argument and each flag of the command', (name, shape) => {
    const words = usageWords(name, shape).join(' ');
    for (const arg of Object.keys(shape.args)) expect(words).toContain(argName(arg));
    for (const [flag, { char }] of Object.entries(shape.flags)) expect(words).toMatch(char ? `-${char}` : `--${flag}`);
  });
});

/** Made of what the command declares. */
function wrongLines(name: string, shape: CommandShape): [string, string[]][] {
  const operands = Object.entries(shape.args).map(([arg, { required }]) => ({ arg, required }));
  const enough = operands.flatMap(({ arg, required }) => (required ? [arg] : []));
  const required = Object.entries(shape.flags).flatMap(([flag, each]) => (each.required ? [`--${flag}`, 'x'] : []));
  const all = [...required, ...operands.map(({ arg }) => arg)];
  const lines: string[][] = [
    ...(enough.length === 0 ? [] : [[], required]),
    ...(shape.strict
      ? [
          [...all, 'one-more'],
          [...all, 'two', 'more'],
        ]
      : []),
    ['--nosuch', ...all],
    ['-Z', ...all],
    ['--nosuch=1', ...all],
    [...all, '--lxcpath'],
    [...all, '-P'],
    ...(required.length === 0 ? [] : [operands.map(({ arg }) => arg)]),
  ];
  for (const [flag, { type, exclusive = [], multiple }] of Object.entries(shape.flags)) {
    const given = (each: string) => (shape.flags[each]?.type === 'option' ? [`--${each}`, '1'] : [`--${each}`]);
    if (type === 'option') lines.push([...operands.map(({ arg }) => arg), `--${flag}`]);
    if (type === 'option' && !multiple) lines.push([...all, ...given(flag), ...given(flag)]);
    for (const other of exclusive) lines.push([...given(flag), ...given(String(other)), ...all]);
    if (/ N$/.test(flagName(flag, shape.flags[flag] as never))) {
      for (const value of ['x', '1.5', '', '-1']) lines.push([...all, `--${flag}=${value}`]);
    }
  }
  return lines.map((line) => [name, line]);
}

async function expectUsageError(line: readonly string[]): Promise<void> {
  const [message = '', hint = '', ...rest] = (await run(line)).split('\n');
  expect(rest).toEqual(['']);
  expect(message).toMatch(/^lxcv: /);
  const said = message.replace('lxcv: ', '');
  expect(FORMS.filter((form) => form.test(said))).not.toEqual([]);
  expect(hint).toMatch(
    /^ {6}(Usage: lxcv [a-z]+|A version: lxcv show |-P is the lxcpath; |See lxcv --help|lxcv --help lists|Did you mean )/,
  );
  expect(`${said}${hint}`).not.toMatch(OF_OCLIF);
  const { error } = JSON.parse(await run([...line.slice(0, 1), '--json', ...line.slice(1)])) as {
    error: { code: string; message: string; hint: string };
  };
  expect(error.code).toBe('bad-usage');
  expect(error.message).toBe(said);
}

/** What lxcv prints; it must end with 2. */
async function run(line: readonly string[]): Promise<string> {
  let told = '';
  const take = async (text: unknown) => {
    told += String(text);
  };
  const spies = [standardOutput, standardError].map((output) => vi.spyOn(output, 'write').mockImplementation(take));
  try {
    await runCommand(line, COMMANDS, import.meta.url);
    expect(process.exitCode).toBe(2);
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
  return told;
}
