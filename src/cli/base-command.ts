/** What all commands share: the flags -P and --json, the engine, and how they end. */

import { resolve } from 'node:path';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import { type Engine, openEngine } from '../engine.js';
import { spareMemory } from '../host/heap.js';
import { showInPager } from '../host/pager.js';
import { processSignals } from '../host/signals.js';
import type { Style } from '../render/style.js';
import { inPieces, writeText } from './bytes.js';
import { exitCodeOf, formatFailure, toFailure } from './failure.js';
import { jsonText } from './json-text.js';
import { reportTo } from './report.js';
import { isLongerThanScreen, terminalStyle } from './terminal.js';

export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;
  /** When the JSON is out. */
  private printed: Promise<void> | undefined;

  static override baseFlags = {
    lxcpath: Flags.string({
      char: 'P',
      helpValue: 'DIR',
      summary: "Where the containers are (default: LXC's own lxcpath).",
      helpGroup: 'GLOBAL',
    }),
  };

  /** Runs the command as oclif does once it has found it. */
  async start(name: string): Promise<void> {
    this.id = name;
    await this._run();
    await this.printed;
  }

  /** oclif's own has nothing to do here but to log, for which it loads a logger. */
  protected override async init(): Promise<void> {}

  /** Opens the engine on the lxcpath that the flags name. */
  protected openEngine(flags: { readonly lxcpath?: string | undefined }): Promise<Engine> {
    return openEngine({
      ...(flags.lxcpath === undefined ? {} : { lxcpath: resolve(flags.lxcpath) }),
      report: reportTo(process.stderr),
      signals: processSignals,
      onLarge: spareMemory,
    });
  }

  /** The arguments before a `--`, and those behind it: oclif tells them apart no more. */
  protected splitPaths(): { own: string[]; paths: string[] } {
    const at = this.argv.indexOf('--');
    return at < 0 ? { own: this.argv, paths: [] } : { own: this.argv.slice(0, at), paths: this.argv.slice(at + 1) };
  }

  /** How standard output wants to be written to. */
  protected get style(): Style {
    return terminalStyle(process.stdout);
  }

  /** Prints what was asked for; of JSON oclif prints what `run` returns, which need be nothing without --json. */
  protected print(text: string): void {
    if (!this.jsonEnabled() && text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Prints like `print`; on a terminal, what is longer than the screen goes through a pager, as git's does. */
  protected async page(text: string): Promise<void> {
    if (
      !this.jsonEnabled() &&
      isLongerThanScreen(text) &&
      (await showInPager(text.endsWith('\n') ? text : `${text}\n`))
    ) {
      return;
    }
    this.print(text);
  }

  /** Prints lines as they are made: there may be a million. */
  protected async printLines(lines: Iterable<string>): Promise<void> {
    if (!this.jsonEnabled()) await writeText(process.stdout, inPieces(lines));
  }

  /** The same, on a terminal through the pager, as `page` does. */
  protected async pageLines(lines: Iterable<string>): Promise<void> {
    if (process.stdout.isTTY && !this.jsonEnabled()) await this.page([...lines].join('\n'));
    else await this.printLines(lines);
  }

  /** The same of what is no text of lxcv's own: elsewhere than on a terminal it is printed byte for byte. */
  protected async pageBytes(bytes: Buffer): Promise<void> {
    if (process.stdout.isTTY) await this.page(bytes.toString('utf8'));
    else if (!this.jsonEnabled()) process.stdout.write(bytes);
  }

  /** oclif paints JSON, and takes three times the time and the memory of it for that. */
  override logJson(json: object): void {
    this.printed = writeText(process.stdout, jsonText(json));
  }

  /** Ends a failed command: the error on standard error, or as JSON on standard output, and its exit code. */
  protected override async catch(error: unknown): Promise<void> {
    if (process.env.LXCV_DEBUG) console.error(error);
    const failure = toFailure(error);
    process.exitCode = exitCodeOf(failure);
    if (this.jsonEnabled()) this.logJson({ error: failure });
    else process.stderr.write(formatFailure(failure));
  }
}
