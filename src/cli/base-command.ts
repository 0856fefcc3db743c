/** What all commands share: the flags -P and --json, the engine, and how they end. */

import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { type Engine, openEngine } from '../engine.js';
import { reduceMemory } from '../host/heap.js';
import { processSignals } from '../host/signals.js';
import { LxcvError } from '../model/errors.js';
import { parseContainerName } from '../model/names.js';
import type { ContainerName } from '../model/version.js';
import type { ReportEvent } from '../plumbing/context.js';
import { writeText } from './bytes.js';
import { tellFailure } from './failure.js';
import { jsonText } from './json-text.js';
import type { MinimalConfig } from './minimal-config.js';
import { type Line, mayBeMeant, meantByOperands } from './operand-hints.js';
import { ReaderGone, standardError } from './output.js';
import { givenLxcpath, quoteForShell, withLxcpath, withoutCommonFlags } from './paste.js';
import { PrintingCommand } from './printing-command.js';
import { reportTo } from './report.js';
import { explainParseError, operandsOf, placesOfOperands, usageError } from './usage.js';

type Values = Record<string, unknown>;

const NAMES_SHOWN = 5;

/** How a command tells what it did. */
export interface Outcome {
  /** In one line, for whoever cannot be told by standard output. */
  readonly done: string;
  /** What standard output gets, where that differs. */
  readonly text?: string | undefined;
  readonly json: object;
}

export abstract class BaseCommand extends PrintingCommand {
  static override enableJsonFlag = true;
  static override flags = {};
  /** True where paths may follow behind a `--`. */
  static takesPaths = false;
  /** In a sentence: what it ends with besides what every command ends with. */
  static exitCodes: string | undefined = undefined;

  static override baseFlags = {
    lxcpath: Flags.string({
      char: 'P',
      helpValue: 'DIR',
      summary: "Where the containers are (default: LXC's own lxcpath).",
      helpGroup: 'GLOBAL',
    }),
  };

  /** Runs the command, and prints the JSON that it returns where that is asked for. Whatever it ends with is told. */
  async start(name: string): Promise<void> {
    this.id = name;
    try {
      const json: object | undefined = await this.run();
      if (json !== undefined && this.jsonEnabled()) await writeText(jsonText(this.withChangedBases(json)));
    } catch (error) {
      await tellFailure(await this.explainOperands(error), this.jsonEnabled(), (hint) => this.pastable(hint));
    }
  }

  /** oclif's parser, whose errors are told in lxcv's words; it would take a missing argument from standard input. */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    for (const arg of Object.values(options.args ?? {})) arg.ignoreStdin = true;
    const typed = this.argv;
    try {
      return await super.parse(options, argv);
    } catch (error) {
      const told = explainParseError(error, this.id as string, this.ctor as typeof BaseCommand, typed);
      throw told instanceof LxcvError && this.missesName(told, argv) ? await this.withNames(told) : told;
    } finally {
      // oclif leaves there what it parsed, without the paths behind a `--`.
      this.argv = typed;
    }
  }

  /** True where nothing was given and a container, a repository or a version of one is needed. */
  private missesName(error: LxcvError, argv: readonly string[]): boolean {
    const needs = error.message.startsWith(`lxcv ${this.id} needs `);
    const [first] = Object.keys(this.ctor.args);
    return needs && first !== 'directory' && this.operandsOf(argv).length === 0;
  }

  /** Where a command misses its first argument: which names there are for it. */
  protected async withNames(error: LxcvError): Promise<LxcvError> {
    const names = await this.knownNames();
    if (names.length === 0) return error;
    const shown = names.slice(0, NAMES_SHOWN);
    const more = names.length - NAMES_SHOWN;
    const list = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return new LxcvError(
      error.code,
      error.message,
      `${error.hint}. There ${names.length === 1 ? 'is' : 'are'}: ${list}`,
    );
  }

  private knownNames(): Promise<readonly string[]> {
    return this.openEngine({ lxcpath: givenLxcpath(this.argv) })
      .then((engine) => engine.names())
      .catch(() => []);
  }

  /** What operands in git's order or in its short forms were meant as, where a command ended for them. */
  private async explainOperands(error: unknown): Promise<unknown> {
    const told = this.explain(error);
    if (!(told instanceof LxcvError) || told !== error) return told;
    const line = this.line();
    if (line.operands.length === 0 || !mayBeMeant(told)) return told;
    const hint = meantByOperands(told, line, await this.knownNames());
    const { code, message, data } = told;
    return hint === undefined ? told : new LxcvError(code, message, hint, { cause: told, data });
  }

  /** What was typed. */
  protected line(): Line {
    const operands = this.operandsOf(this.splitPaths().own);
    const { takesPaths } = this.ctor as typeof BaseCommand;
    return {
      command: this.id as string,
      operands,
      takesPaths,
      lineWith: (change, paths) => this.lineWith(change, paths),
    };
  }

  /** Puts what a command ended with in words of its own, where it has some. */
  protected explain(error: unknown): unknown {
    return error;
  }

  /** Opens the engine on the lxcpath that the flags name. */
  protected async openEngine(flags: { readonly lxcpath?: string | undefined }): Promise<Engine> {
    if (flags.lxcpath === '') throw this.usageError('--lxcpath needs a DIR');
    return await openEngine({
      lxcpath: flags.lxcpath === undefined ? undefined : resolve(flags.lxcpath),
      report: this.listen(),
      signals: processSignals,
      onLarge: reduceMemory,
    });
  }

  /** What it shows stands on these. */
  private readonly changedBases = new Set<string>();

  private listen(): (event: ReportEvent) => void {
    const report = reportTo(standardError);
    return (event) => {
      if (event.kind === 'base-changed') this.changedBases.add(event.base);
      report(event.kind === 'notice' ? { ...event, message: this.pastable(event.message) } : event);
    };
  }

  protected withChangedBases(json: object): object {
    return this.changedBases.size === 0 ? json : { ...json, baseChanged: [...this.changedBases] };
  }

  /** The arguments before a `--`, and those behind it: oclif tells them apart no more. */
  protected splitPaths(): { own: string[]; paths: string[] } {
    const at = this.argv.indexOf('--');
    return at < 0 ? { own: this.argv, paths: [] } : { own: this.argv.slice(0, at), paths: this.argv.slice(at + 1) };
  }

  /**
   * The same where a file may be meant: `NAME:PATH` and `NAME PATH`, with a slash in PATH, are `NAME -- PATH`. What stands behind the
   * first two operands is not looked at.
   */
  protected splitFile(): { own: string[]; paths: string[] } {
    const { own, paths } = this.splitPaths();
    const [first = '', second] = this.operandsOf(own);
    const colon = first.indexOf(':');
    if (colon > 0) {
      const revision = first.slice(0, colon);
      return { own: own.map((arg) => (arg === first ? revision : arg)), paths: [first.slice(colon + 1), ...paths] };
    }
    if (second === undefined || !second.includes('/')) return { own, paths };
    return { own: own.filter((arg) => arg !== second), paths: [second, ...paths] };
  }

  /**
   * Changes something, and tells the outcome, text or JSON: the system has it when this is over. A signal that comes meanwhile waits
   * until then. What was done is done also where nobody reads of it.
   * @throws LxcvError `output-failed`, which tells the outcome too.
   */
  protected async change<Result>(act: () => Promise<Result>, tell: (result: Result) => Outcome): Promise<Result> {
    using _ = processSignals.hold();
    const result = await act();
    const { done, text = done, json } = tell(result);
    try {
      if (this.jsonEnabled()) await writeText(jsonText(json));
      else await this.print(text);
    } catch (error) {
      if (error instanceof LxcvError) {
        throw new LxcvError(error.code, `${done}; but ${error.message}`, error.hint, { cause: error });
      }
      if (!(error instanceof ReaderGone)) throw error;
    }
    return result;
  }

  /** Does what can as well be done later, unless a signal asked for the end. */
  protected async afterwards(act: () => Promise<void>): Promise<void> {
    if (!processSignals.abort.aborted) await act();
  }

  /** What was typed that is neither a flag nor the value of one. */
  protected operandsOf(argv: readonly string[]): string[] {
    return operandsOf(argv, this.ctor as typeof BaseCommand);
  }

  /**
   * The name of a container.
   * @param takesVersion where a version may stand behind the other operands.
   * @throws LxcvError `bad-name`; for one of its versions, with the command line that was meant.
   */
  protected containerArgument(text: string, takesVersion = false): ContainerName {
    const [name = ''] = text.split(/[@~^]/, 1);
    if (name === text || name === '') return parseContainerName(text);
    const message = `${JSON.stringify(text)} is a version, and lxcv ${this.id} takes a container`;
    throw new LxcvError(
      'bad-name',
      message,
      `${this.lineWith((arg) => (arg === text ? name : arg))}${takesVersion ? ` ${quoteForShell(text)}` : ''}`,
    );
  }

  /** What was typed, with other operands and with more paths: to be pasted. What is changed to undefined is left out. */
  protected lineWith(
    change: (operand: string, place: number) => string | undefined,
    paths: readonly string[] = [],
  ): string {
    const argv = withoutCommonFlags(this.argv);
    const end = argv.indexOf('--');
    const own = end < 0 ? argv : argv.slice(0, end);
    const places = placesOfOperands(own, this.ctor as typeof BaseCommand);
    const changed = own.flatMap((arg, at) => (places.includes(at) ? (change(arg, places.indexOf(at)) ?? []) : arg));
    const behind = [...paths, ...(end < 0 ? [] : argv.slice(end + 1))];
    const words = ['lxcv', this.id as string, ...changed, ...(behind.length === 0 ? [] : ['--', ...behind])];
    return words.map(quoteForShell).join(' ');
  }

  /** For a command line that the parser takes, and the command does not. */
  protected usageError(message: string, hint?: string): LxcvError {
    return usageError(this.id as string, this.ctor as typeof BaseCommand, message, hint);
  }

  /** What is to be pasted, with the lxcpath that was given. */
  protected pastable(hint: string): string {
    return withLxcpath(hint, givenLxcpath(this.argv), (this.config as MinimalConfig).commandNames);
  }
}
