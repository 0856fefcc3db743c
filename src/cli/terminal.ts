/** How a stream wants to be written to. */

import type { Style } from '../render/style.js';

const WIDTH_WITHOUT_TERMINAL = 80;

/** Colours and human times for a terminal; NO_COLOR (https://no-color.org) turns the colours off. */
export function terminalStyle(stream: NodeJS.WriteStream): Style {
  const human = stream.isTTY === true;
  return {
    human,
    colour: human && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
    width: stream.columns || WIDTH_WITHOUT_TERMINAL,
    now: new Date(),
  };
}
