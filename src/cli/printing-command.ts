/** How a command prints what was asked for: on a terminal through a pager, and nothing of it where that is JSON, which it returns. */

import { Command } from '@oclif/core/command';
import { showInPager } from '../host/pager.js';
import type { Style } from '../render/style.js';
import { inPieces, writeText } from './bytes.js';
import { standardOutput } from './output.js';
import { isLongerThanScreen, terminalStyle } from './terminal.js';

/** So much is kept for a pager. */
const PAGED_BYTES_MAX = 1 << 22;

export abstract class PrintingCommand extends Command {
  /** How standard output wants to be written to. */
  protected get style(): Style {
    return terminalStyle();
  }

  /** Prints what was asked for, unless that is JSON, which `run` returns. */
  protected async print(text: string): Promise<void> {
    if (!this.jsonEnabled() && text !== '') await standardOutput.write(text.endsWith('\n') ? text : `${text}\n`);
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
    await this.print(text);
  }

  /** Prints lines as they are made: there may be a million. */
  protected async printLines(lines: Iterable<string>): Promise<void> {
    if (!this.jsonEnabled()) await writeText(inPieces(lines));
  }

  /** The same, on a terminal through the pager, as `page` does. */
  protected async pageLines(lines: Iterable<string>): Promise<void> {
    if (this.style.human && !this.jsonEnabled()) await this.page([...lines].join('\n'));
    else await this.printLines(lines);
  }

  /** The same of what is no text of lxcv's own: elsewhere than on a terminal it is printed byte for byte. */
  protected async pageBytes(bytes: Buffer): Promise<void> {
    if (this.style.human) await this.page(bytes.toString('utf8'));
    else if (!this.jsonEnabled()) await standardOutput.write(bytes);
  }

  /** The same of what comes piece by piece. What is too long for a pager is printed as it comes. */
  protected async pagePieces(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const held: Buffer[] = [];
    let bytes = 0;
    for await (const piece of pieces) {
      bytes += piece.length;
      held.push(piece);
      if (this.style.human && bytes <= PAGED_BYTES_MAX) continue;
      for (const each of held.splice(0)) await standardOutput.write(each);
    }
    if (held.length > 0) await this.page(Buffer.concat(held).toString('utf8'));
  }
}
