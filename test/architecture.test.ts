import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';
import config from './dependency-cruiser.cjs';
import { temporaryDirectory } from './support/overlay.js';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

describe('the house', () => {
  it('has no import that points up', async () => {
    const { modules, violations } = await walk(PROJECT);
    expect(violations).toEqual([]);
    expect(modules).toEqual(expect.arrayContaining(['src/host/files.ts', 'src/model/version.ts']));
    expect(modules.length).toBeGreaterThan(40);
  });

  const forbidden: [rule: string, from: string, to: string][] = [
    ['commands imports nothing above it', 'commands/a.ts', 'src/program.ts'],
    ['src/cli imports nothing above it', 'src/cli/a.ts', 'commands/b.ts'],
    ['src/engine.ts imports nothing above it', 'src/engine.ts', 'src/cli/b.ts'],
    ['src/operations imports nothing above it', 'src/operations/a.ts', 'src/engine.ts'],
    ['src/plumbing imports nothing above it', 'src/plumbing/a.ts', 'src/operations/b.ts'],
    ['src/store imports nothing above it', 'src/store/a.ts', 'src/plumbing/b.ts'],
    ['src/layer imports nothing above it', 'src/layer/a.ts', 'src/store/b.ts'],
    ['src/host imports nothing above it', 'src/host/a.ts', 'src/layer/b.ts'],
    ['src/model imports nothing above it', 'src/model/a.ts', 'src/host/b.ts'],
    ['src/render imports only the model', 'src/render/a.ts', 'src/store/b.ts'],
    ['only commands and src/cli import src/render', 'src/operations/a.ts', 'src/render/b.ts'],
    ['only src/host touches the machine', 'src/store/a.ts', 'node:fs'],
    ['only src/host touches the machine', 'src/layer/a.ts', 'node:fs/promises'],
    ['only src/host touches the machine', 'commands/a.ts', 'node:child_process'],
    ['only src/host touches the machine', 'src/operations/a.ts', 'execa'],
    ['only commands and src/cli import oclif', 'src/operations/a.ts', '@oclif/core'],
    ['only src/render draws tables', 'src/cli/a.ts', 'cli-table3'],
    ['src/model takes from Node what computes', 'src/model/a.ts', 'node:timers'],
    ['every module stands on a floor', 'src/cli/a.ts', 'src/utils/b.ts'],
    ['no import goes in a circle', 'src/model/a.ts', 'src/model/a.ts'],
    ['every import leads somewhere', 'src/model/a.ts', 'no-such-package'],
  ];

  it.each(forbidden)('%s, so %s may not import %s', async (rule, from, to) => {
    using project = temporaryDirectory();
    plant(project.path, from, to);
    expect((await walk(project.path)).violations.map((violation) => violation.rule)).toContain(rule);
  });

  it('has each of its rules shown to fail', () => {
    const rules = config.forbidden?.map((rule) => rule.name);
    expect(new Set(forbidden.map(([rule]) => rule))).toEqual(new Set(rules));
  });

  it.each([
    ['src/program.ts', 'commands/a.ts'],
    ['commands/a.ts', 'src/engine.ts'],
    ['src/cli/a.ts', 'src/render/b.ts'],
    ['src/render/a.ts', 'src/model/b.ts'],
    ['src/host/a.ts', 'node:fs'],
    ['src/model/a.ts', 'node:crypto'],
  ])('lets %s import %s', async (from, to) => {
    using project = temporaryDirectory();
    plant(project.path, from, to);
    expect((await walk(project.path)).violations).toEqual([]);
  });
});

/** What no test does, and what it does instead. Benches and limits measure; test/support/lxc.ts ends programs that hang. */
const AVOIDED: [what: string, pattern: RegExp, instead: string][] = [
  ['waits by the clock', /expect\.poll|waitFor\(/, 'until, of test/support/until.ts'],
  [
    'has to be done by a certain time',
    /\{ timeout: |^ *timeout: [\d_]+,$/m,
    'nothing: test/vitest.config.ts says what hangs',
  ],
  ['takes random numbers that nobody gets again', /Math\.random/, 'randomFor, of test/support/seed.ts'],
];

it.each(AVOIDED)('no test %s', (_, pattern, instead) => {
  const tests = readdirSync(join(PROJECT, 'test'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => /\.(ts|mjs)$/.test(path) && !/^(bench|limits)\/|^architecture|^support\/lxc\.ts$/.test(path),
  );
  expect(tests.length).toBeGreaterThan(100);
  const found = tests.filter((path) => pattern.test(readFileSync(join(PROJECT, 'test', path), 'utf8')));
  expect(found, `instead: ${instead}`).toEqual([]);
});

it('names what lies in the store, and beside containers, in one place', () => {
  const sources = ['store', 'plumbing', 'operations'].flatMap((room) =>
    readdirSync(join(PROJECT, 'src', room)).map((name) => `${room}/${name}`),
  );
  // What export makes lies beside the tarball.
  const others = sources.filter((path) => !/\/(layout|lxc-layout|known-names|export)\.ts$/.test(path));
  expect(others.length).toBe(sources.length - 4);
  const named =
    /['`/](manifest\.json|working\.json|lxc_snapshots|seal\.lock|\.lxcv-)|\/(versions|refs)[`'/]|\.(staged|partial)[`']|-(edited|left)`/;
  const found = others.flatMap((path) =>
    readFileSync(join(PROJECT, 'src', path), 'utf8')
      .split('\n')
      .filter((line) => named.test(line) && !/^\s*(\/?\*|\/\/)/.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(found, 'src/store/layout.ts has a name for it, or is to have one').toEqual([]);
});

/** The modules of a project, and the imports that break a rule. */
async function walk(project: string) {
  const { options, forbidden = [] } = config;
  const result = await cruise(['src', 'commands'], {
    ...options,
    baseDir: project,
    validate: true,
    ruleSet: { forbidden },
  });
  const { modules, summary } = result.output as ICruiseResult;
  return {
    modules: modules.map((module) => module.source).filter((source) => /^(src|commands)\//.test(source)),
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}

/** A project of one import of a type, in `from`, of the module `to` or of what is no path in the project. */
function plant(project: string, from: string, to: string): void {
  const isPath = to.endsWith('.ts');
  for (const path of isPath ? [to, from] : [from]) {
    mkdirSync(join(project, dirname(path)), { recursive: true });
    writeFileSync(join(project, path), '');
  }
  for (const root of ['src', 'commands']) mkdirSync(join(project, root), { recursive: true });
  const specifier = isPath ? `./${relative(dirname(from), to).replace(/\.ts$/, '.js')}` : to;
  writeFileSync(join(project, from), `import type { It } from '${specifier}';\nexport type That = It;\n`);
}
