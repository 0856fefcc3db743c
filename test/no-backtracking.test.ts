import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Finds what makes an expression take more than linear time: https://github.com/RunDevelopment/scslre */
const { analyse } = createRequire(import.meta.url)('scslre') as {
  analyse(
    expression: { source: string; flags: string },
    options: { reportTypes: Record<'Move' | 'Self' | 'Trade', true> },
  ): { reports: readonly unknown[] };
};

/** Expressions that can backtrack, each with why no container chooses what it is tried on. */
const NOT_ON_BYTES_OF_A_CONTAINER: Readonly<Record<string, string>> = {
  [String.raw`src/model/units.ts: /\B(?=(\d{3})+$)/g`]: 'a number that lxcv counted',
  [String.raw`src/model/lxc-config.ts: /[^\r\n]*(?:\r\n?|\n)|[^\r\n]+/g`]: 'a config of LXC, which is of the host',
  [String.raw`src/model/lxc-config.ts: /[\r\n]+$/`]: 'a line of one',
  [String.raw`src/layer/overlayfs.ts: /(?<=.)\/+$/`]: 'a path of one',
  [String.raw`src/store/steps.ts: /[^\n]*\n[^\n]*\n?/g`]: "LXC's own list of clones",
  [String.raw`src/host/monitor.ts: /\0+$/`]: "what LXC's monitor says of a group, which is the host's",
  [String.raw`src/engine.ts: /(?<=.)\/+$/`]: 'a path that was given to lxcv',
  [String.raw`src/host/lxc.ts: /(?<=.)\/+$/`]: "LXC's path of containers",
  [String.raw`src/cli/guesses.ts: /\/+$/`]: 'a command line',
  [String.raw`src/cli/guesses.ts: /[@~^].*$/s`]: 'a command line',
  [String.raw`src/cli/usage.ts: /--([^\s=]+)(?:=[\s\S]*?)? cannot also be provided when using --(\S+)/`]:
    'what a parser says',
  [String.raw`src/cli/operand-hints.ts: /:.*$/s`]: 'a command line',
  [String.raw`src/cli/operand-hints.ts: /[@~^:].*$/s`]: 'a command line',
  [String.raw`src/cli/typed.ts: /[@~^].*$/s`]: 'a command line',
  [String.raw`src/cli/usage.ts: /[@~^].*$/s`]: 'a command line',
  [String.raw`commands/export.ts: /[@~^].*$/s`]: 'a command line',
  [String.raw`src/cli/checkout-operands.ts: /:.*$/s`]: 'a command line',
};

/** Expressions that are made while the program runs cannot be looked at: these two are of lxcv's own words alone. */
const MADE: readonly string[] = ['src/cli/paste.ts', 'src/render/width.ts'];

describe('a regular expression', () => {
  it('takes linear time, unless no container has a say in what it is tried on', () => {
    const found = expressions().filter(({ literal }) => backtracks(literal));
    const unknown = found.map(({ file, literal }) => `${file}: ${literal}`);
    expect(unknown.filter((at) => !(at in NOT_ON_BYTES_OF_A_CONTAINER))).toEqual([]);
  });

  it('is no expression that only the running program knows', () => {
    const making = sources().filter(({ text }) => text.includes('new RegExp(') || text.includes(' RegExp('));
    expect(making.map(({ file }) => file).sort()).toEqual(MADE);
  });

  it('is judged as it should be', () => {
    expect(expressions().length).toBeGreaterThan(80);
    const slow = [String.raw`/^Version:[ \t]*(.*?)[ \t\r]*$/im`, '/(a+)+$/', '/a*b/'];
    expect(slow.filter(backtracks)).toEqual(slow);
    expect(['/^a*b/', '/[^\\n]/g', '/^(.*): x$/'].filter(backtracks)).toEqual([]);
  });
});

function backtracks(literal: string): boolean {
  const end = literal.lastIndexOf('/');
  const expression = { source: literal.slice(1, end), flags: literal.slice(end + 1) };
  return analyse(expression, { reportTypes: { Move: true, Self: true, Trade: true } }).reports.length > 0;
}

function sources(): { readonly file: string; readonly text: string }[] {
  return ['src', 'commands'].flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ file: join(directory, name), text: readFileSync(join(directory, name), 'utf8') })),
  );
}

function expressions(): { readonly file: string; readonly literal: string }[] {
  return sources().flatMap(({ file, text }) => {
    const found: { file: string; literal: string }[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) found.push({ file, literal: node.text });
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
    return found;
  });
}
