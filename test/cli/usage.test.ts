/** Every wrong command line is told in two lines of lxcv's own, whatever the parser below says. */

import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Commit from '../../commands/commit.js';
import { argName, type CommandShape, flagName, usageWords } from '../../src/cli/command-shape.js';
import { type Line, meantByOperands } from '../../src/cli/operand-hints.js';
import { standardError, standardOutput } from '../../src/cli/output.js';
import { type Commands, runCommand } from '../../src/cli/run.js';
import type { Engine } from '../../src/engine.js';
import { LxcvError } from '../../src/model/errors.js';
import { COMMANDS } from '../../src/program.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';

const TODAY = 'It comes with a later version; today:';
const LATER = 'It comes with a later version.';

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
  /^--[a-z-]+ needs an? ([A-Z]+|number)$/,
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
  const told = async (...line: string[]) => (await run(line, 'any')).split('\n')[1]?.trim();

  it.each([
    [['blame', '-L', '3,5', 'web', '/etc/hosts'], 'lxcv blame web /etc/hosts | sed -n 3,5p'],
    [['blame', 'web', '-L3,5', '--', '/etc/hosts'], 'lxcv blame web -- /etc/hosts | sed -n 3,5p'],
    [['grep', '-n', 'a b', 'web'], "Lines are numbered anyway: lxcv grep 'a b' web"],
    [['grep', '-rn', 'a', 'web'], 'Everything in a version is looked at anyway: lxcv grep a web'],
    [['grep', '-r', '-in', 'a', 'web'], 'Everything in a version is looked at anyway: lxcv grep -i a web'],
    [['grep', '-i', '-e', 'a b', 'web'], "The pattern comes first: lxcv grep 'a b' -i web"],
    [['grep', '-e', '-port', 'web'], "A pattern that begins with - is written so: lxcv grep '[-]port' web"],
    [['grep', '-port', 'web'], "A pattern that begins with - is written so: lxcv grep '[-]port' web"],
    [['grep', '-F', '-e', '-a.b', 'web'], "A pattern that begins with - is written so: lxcv grep '[-]a\\.b' web"],
    [['grep', '--', '-port', 'web'], "A pattern that begins with - is written so: lxcv grep '[-]port' web"],
    [['grep', '-n', 'a', 'web', '-P', '/tmp'], 'Lines are numbered anyway: lxcv grep -P /tmp a web'],
    [['commit', '-am', 'Two words', 'web'], "Everything is committed anyway: lxcv commit -m 'Two words' web"],
    [['commit', '--amend', '-m', 'y', 'web'], 'A version never changes; make another: lxcv commit -m y web'],
    [['commit', '-n', 'web', '-m', 'hi'], 'The name stands without -n: lxcv commit web -m hi'],
    [['log', '-n', 'web'], 'The name stands without -n: lxcv log web'],
    [['-n', 'web', 'log'], 'The name stands without -n: lxcv log web'],
    [['commit', '-m', 'x', 'web@1'], 'lxcv commit -m x web'],
    [['status', 'web~1', '-v'], 'lxcv status web -v'],
    [['tag', 'web@1', 'v0.8'], 'lxcv tag web v0.8 web@1'],
    [['tag', '-m', 'a b', 'web~1', 'v0.8'], "lxcv tag -m 'a b' web v0.8 web~1"],
    [['tag', '-d', 'web@1', 'v0.8'], 'lxcv tag -d web v0.8'],
    [['branch', 'web@1', 'foo'], 'lxcv branch web foo web@1'],
    [['checkout', 'web', 'HEAD~1'], 'lxcv checkout web@HEAD~1'],
    [['checkout', 'web', '@2'], 'lxcv checkout web@2'],
    [['checkout', 'web_tmp', 'web@1'], 'The version comes first: lxcv checkout web@1 web_tmp'],
    [['checkout', 'web', 'web@1'], 'lxcv checkout web@1'],
    [['checkout', '-B', 'try', 'web@1'], 'lxcv checkout --branch try web@1'],
    [['checkout', '-f', 'web@1', 'new'], 'Nothing is lost, so nothing needs force: lxcv checkout web@1 new'],
    [['checkout', 'web@1', '../x'], 'Write the path from the root of the container, without "..".'],
    [['log', '--grep', 'fix', 'web'], 'lxcv log --oneline web | grep fix'],
    [
      ['log', '-S8080', 'web'],
      'A grep looks in the versions that are named behind the pattern; which there are: lxcv log web',
    ],
    [['log', '-p', 'web@0'], 'One version at a time: lxcv diff -p web@BASE web@0, or lxcv show web@0'],
    [['log', '-p', 'web@2', '--', '/etc'], 'One version at a time: lxcv diff -p web@2~1 web@2 -- /etc'],
    [
      ['log', '--since', 'monday', 'web', '/etc/x'],
      `${TODAY} lxcv log -n 20 web /etc/x, or --json for a program to choose`,
    ],
    [['log', '--follow', 'web', '--', '/etc/x'], 'A renamed file begins anew: lxcv log web -- /etc/x'],
    [['log', '-z', 'web'], 'For a program: lxcv log --json web'],
    [['show', '-p', 'web@0'], 'lxcv diff -p web@BASE web@0'],
    [['show', '--stat', 'web@2:/etc'], 'lxcv diff --stat web@2~1 web@2 -- /etc'],
    [['diff', '-u', 'web@1', 'web@2'], 'lxcv diff -p web@1 web@2'],
    [['diff', '-r', 'web@1', 'web@2'], 'Directories are gone into anyway: lxcv diff web@1 web@2'],
    [['diff', '-w', '-p', 'web@1', 'web@2'], 'Texts are compared as they are: lxcv diff -p web@1 web@2'],
    [['diff', '--word-diff', 'web@1', 'web@2'], 'Texts are compared as they are: lxcv diff -p web@1 web@2'],
    [['diff', '--numstat', 'web@1', 'web@2', '--', '/etc'], 'lxcv diff --stat web@1 web@2 -- /etc'],
    [['diff', '--shortstat', 'web@1', 'web@2'], 'The total stands below: lxcv diff --stat web@1 web@2'],
    [['diff', '--cached', 'web'], 'There is no index: lxcv diff web shows what is not committed.'],
    [['branch', 'web', '-c', 'old', 'new'], 'lxcv branch web new web@old'],
    [['merge', 'web', 'tuning'], `${TODAY} lxcv diff web web@tuning shows what differs.`],
    [['merge', 'web@1', 'web@2'], `${TODAY} lxcv diff web@1 web@2 shows what differs.`],
    [['merge', 'web'], `${LATER} Usage: lxcv diff web web@BRANCH shows what differs.`],
    [['switch', 'web', 'tuning'], 'lxcv checkout web@tuning'],
    [['switch', '-c', 'tuning', 'web'], 'lxcv checkout --branch tuning web'],
    [['rollback', 'web', '1'], 'lxcv checkout web@1'],
    [['delete', 'web@1'], `${TODAY} versions stay as they are; lxcv log --all web shows them.`],
    [['rm', 'web', 'tuning'], `${TODAY} lxcv branch web -d tuning; its versions stay.`],
    [['rm', 'web'], 'LXC does that; versions stay, what is not committed goes: lxc-destroy -n web'],
    [['stash', 'list', 'web'], 'What was kept is a version: lxcv log --all web'],
    [['stash', 'list'], 'What was kept is a version: Usage: lxcv log --all NAME'],
    [
      ['stash', 'pop', 'web'],
      'What was kept is a version: lxcv log --all web shows it; back to it: Usage: lxcv checkout web@REV',
    ],
    [
      ['reset', '--hard', 'HEAD~1'],
      'Usage: lxcv checkout NAME@HEAD~1 goes back in place, and keeps what is not committed as a version.',
    ],
    [
      ['reset', '--hard', 'web', 'HEAD~1'],
      'lxcv checkout web@HEAD~1 goes back in place, and keeps what is not committed as a version.',
    ],
    [
      ['reset', 'web@1', '--', '/etc/web.conf'],
      'A file: lxcv show web@1:/etc/web.conf > web.conf; a directory: lxcv mount web@1 /mnt, and copy it from there.',
    ],
    [['push', 'origin', 'web'], `${TODAY} lxcv export web -o web.tar.gz`],
    [['push', 'backup', 'web'], `${LATER} Usage: lxcv export NAME -o NAME.tar.gz`],
    [
      ['config', 'user.name', 'Ann B'],
      "lxcv has no settings of its own. Who commits, it takes from git: git config --global user.name 'Ann B'",
    ],
    [['amend', '-m', 'y', 'web'], 'A version never changes; make another: lxcv commit -m y web'],
    [['snapshot', '-n', 'web'], 'lxcv commit web'],
    [['revert', 'web@0'], 'It is the first, and none is before it; what it changed: lxcv diff -p web@BASE web@0'],
    [['archive', 'web@1', '-o', 'x'], 'lxcv export web@1 -o x'],
    [['exec', 'web', 'ls', '-l'], 'LXC does that: lxc-attach -n web -- ls -l'],
    [['status', '-n', '5', 'web'], 'Versions are shown by log: lxcv log -n 5 web'],
    [['list', 'web'], 'Its versions: lxcv log web; what is not committed: lxcv status web'],
    [['pull'], `${LATER} Usage: lxcv export NAME -o NAME.tar.gz`],
    [
      ['restore', 'web@0', 'web'],
      'lxcv checkout web@0 goes back in place, and keeps what is not committed as a version.',
    ],
    [['log', '-n', 'abc', 'web'], 'Usage: lxcv log [-n N] [-a] [--graph] [--oneline] REVISION [-- PATH...]'],
    [['list', '-P', '/a', '-P/b c'], "Leave out all but one of them: -P /a, -P '/b c'"],
    [['help', 'commit', 'foo'], 'lxcv help commit'],
    [['log', ''], 'A name is letters, digits, "_", "-" and ".", and begins with none of the last two.'],
    [['web'], 'Of a container: lxcv status web, lxcv log web. lxcv --help lists the commands.'],
    [['show', '/etc/x', 'web@1'], 'The version comes first: lxcv show web@1 /etc/x'],
    [['diff', 'web', '/etc/x', '-p'], 'Paths stand behind --: lxcv diff web -p -- /etc/x'],
    [['diff', 'web@1:/etc', 'web@2:/etc'], 'Paths stand behind --: lxcv diff web@1 web@2 -- /etc'],
    [['grep', 'port', 'web', '/etc'], 'Paths stand behind --: lxcv grep port web -- /etc'],
    [['log', 'etc/passwd'], 'The container stands before it. Usage: lxcv log NAME -- etc/passwd'],
    [['diff', '--cached'], 'There is no index: Usage: lxcv diff NAME shows what is not committed.'],
    [['commit', '-am', 'x'], 'Everything is committed anyway: Usage: lxcv commit -m x NAME'],
    [['checkout', '@2'], 'The container stands before it. Usage: lxcv checkout NAME@2'],
    [['log', '@2'], 'The container stands before it. Usage: lxcv log NAME@2'],
    [['export', 'web@1'], 'To a file: lxcv export web@1 -o web.tar.gz; to standard output: lxcv export web@1 -o -'],
    [['fsck', '--full'], `${TODAY} lxcv fsck looks at all but the bytes of files.`],
    [['umount'], 'Usage: lxcv umount DIRECTORY'],
    [['stop', 'web', '-P', '.'], `LXC does that: lxc-stop -P ${process.cwd()} -n web`],
  ])('of %j holds what was typed, and can be pasted: %s', async (line, hint) => {
    expect(await told(...line)).toBe(hint);
    for (const command of commandsIn(hint)) await expectAccepted(command);
  });

  it.each([
    [['diff', 'web', 'HEAD~1'], 'HEAD', 'The container stands before it: lxcv diff web web@HEAD~1'],
    [['diff', 'web@1', '@2'], '', 'The container stands before it: lxcv diff web@1 web@2'],
    [['diff', 'web@1', '2'], '2', 'The container stands before it: lxcv diff web@1 web@2'],
    [['diff', 'web', 'tuning'], 'tuning', 'The container stands before it: lxcv diff web web@tuning'],
    [['diff', 'HEAD~1', 'web'], 'HEAD', 'The container stands before it: lxcv diff web@HEAD~1 web'],
    [['checkout', 'tuning', 'web'], 'tuning', 'The container comes first: lxcv checkout web@tuning'],
    [['checkout', 'HEAD~1'], 'HEAD', 'The container stands before it. Usage: lxcv checkout NAME@HEAD~1'],
    [['log', 'HEAD'], 'HEAD', 'The container stands before it. Usage: lxcv log NAME@HEAD'],
    [['grep', 'web', 'port'], 'port', 'The pattern comes first: lxcv grep port web'],
    [['grep', 'secret', 'port'], 'port', undefined],
    [['mount', '/mnt', 'web'], '/mnt', 'The version comes first: lxcv mount web /mnt'],
    [['export', 'web.tar', 'web@1'], 'web.tar', 'The version comes first: lxcv export web@1 web.tar'],
    [['blame', '/etc/x', 'web'], '/etc/x', 'The version comes first: lxcv blame web /etc/x'],
    [['tag', 'web', 'v1', '2'], '2', 'The container stands before it: lxcv tag web v1 web@2'],
  ])('of %j, where there is no %s and a container web: %s', ([command = '', ...operands], repository, hint) => {
    const lineWith: Line['lineWith'] = (change) =>
      ['lxcv', command, ...operands.flatMap((operand, place) => change(operand, place) ?? [])].join(' ');
    const line = { command, operands, takesPaths: SHAPES.get(command)?.takesPaths ?? false, lineWith };
    const error = new LxcvError('repository-not-found', '', '', { data: { repository } });
    expect(meantByOperands(error, line, ['web'])).toBe(hint);
  });

  it('to allow a longer pause keeps all that was typed', async () => {
    class TooLong extends Commit {
      protected override async openEngine(): Promise<Engine> {
        const hint = 'Stop what writes; allow more: lxcv commit --max-pause 24 web; or stop web, and commit it then.';
        return { commit: () => Promise.reject(new LxcvError('pause-too-long', 'too long', hint)) } as unknown as Engine;
      }
    }
    const commands = { ...COMMANDS, commit: async () => ({ default: TooLong }) };
    const line = ['commit', '--max-pause=2', '-m', 'Two words', '-P', '/c', '--author', 'A <a@b>', 'web'];
    expect((await run(line, 'any', commands)).split('\n')[1]?.trim()).toBe(
      "Stop what writes; allow more: lxcv commit -P /c --max-pause 24 -m 'Two words' --author 'A <a@b>' web; or stop web, and commit it then.",
    );
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

/** The command lines of lxcv that a hint holds, to be pasted; no line of usage is. */
function commandsIn(hint: string): string[] {
  const names = [...SHAPES.keys()].join('|');
  const lines = hint.matchAll(
    new RegExp(`(?<!Usage: )\\b(lxcv (?:${names})\\b.*?)(?:[;,.] .*?|[.;]?$| [|>] | (?:${SAID_OF_IT}) )`, 'g'),
  );
  return Array.from(lines, ([, line = '']) => line);
}

/** The sentence goes on. */
const SAID_OF_IT = 'goes|looks|shows|or';

/** Its parser takes it: what is wrong is only that nothing of that name is there. */
async function expectAccepted(line: string): Promise<void> {
  const script = `set -- ${line}; for arg; do printf '%s\\0' "$arg"; done`;
  const [, command = '', ...args] = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
  // A tarball goes to no standard output that JSON goes to.
  const asJson = args.includes('-') ? [] : ['--json'];
  const own = args.map((arg, at) => (args[at - 1] === '-P' ? place.path : arg));
  const lxcpath = args.includes('-P') ? [] : ['-P', place.path];
  const told = await run([command, ...lxcpath, ...asJson, ...own], 'any');
  expect(['', 'not-found'], told).toContain(/"code": "(?:container|repository)?-?([a-z-]+)"/.exec(told)?.[1] ?? '');
}

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
    /^ {6}(Usage: lxcv [a-z]+|A version: lxcv show |-P is the lxcpath; |See lxcv --help|lxcv --help lists|Of a container: |Its versions: |Did you mean )/,
  );
  expect(`${said}${hint}`).not.toMatch(OF_OCLIF);
  const { error } = JSON.parse(await run([...line.slice(0, 1), '--json', ...line.slice(1)])) as {
    error: { code: string; message: string; hint: string };
  };
  expect(error.code).toBe('bad-usage');
  expect(error.message).toBe(said);
}

/** What lxcv prints; it must end with 2, unless `any` end will do. */
async function run(line: readonly string[], end: 2 | 'any' = 2, commands: Commands = COMMANDS): Promise<string> {
  let told = '';
  const take = async (text: unknown) => {
    told += String(text);
  };
  const spies = [standardOutput, standardError].map((output) => vi.spyOn(output, 'write').mockImplementation(take));
  try {
    await runCommand(line, commands, import.meta.url);
    if (end === 2) expect(process.exitCode).toBe(2);
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
  return told;
}
