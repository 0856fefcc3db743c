/** The text of the JSON that commands print, written a piece at a time: there may be a million changes. */

/** What is made of each value, made when it is asked for: there may be a million. */
export function* each<Value, Json>(values: Iterable<Value>, toJson: (value: Value) => Json): Generator<Json> {
  for (const value of values) yield toJson(value);
}

const CHUNK_CHARACTERS = 1 << 16;

/** An object as `toJsonText` writes it, and a newline, in pieces; its members may be iterables, which are written as arrays. */
export function* jsonText(object: object): Generator<string> {
  let text = '';
  for (const piece of jsonPieces(object)) {
    text += piece;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = '';
  }
  yield `${text}\n`;
}

/** What is made of each value, as soon as that is there. */
export async function* mapEach<Value, Other>(
  values: AsyncIterable<Value>,
  make: (value: Value) => Other,
): AsyncGenerator<Other> {
  for await (const value of values) yield make(value);
}

/** The same text of an object with a list that comes some at a time; `rest` gives the other members when all of it is there. */
export async function* jsonArrayText(
  key: string,
  values: AsyncIterable<readonly unknown[]>,
  rest: () => object,
): AsyncGenerator<string> {
  let text = `{\n  ${toJsonText(key)}: [`;
  let separator = '';
  for await (const some of values) {
    for (const value of some) {
      text += `${separator}\n    ${indented(value, 4)}`;
      separator = ',';
    }
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = '';
  }
  text += separator === '' ? ']' : '\n  ]';
  for (const [name, member] of Object.entries(rest())) text += `,\n  ${toJsonText(name)}: ${indented(member, 2)}`;
  yield `${text}\n}\n`;
}

function* jsonPieces(object: object): Generator<string> {
  let separator = '';
  yield '{';
  for (const [key, member] of Object.entries(object)) {
    if (member === undefined) continue;
    yield `${separator}\n  ${toJsonText(key)}: `;
    if (isIterable(member)) yield* arrayPieces(member);
    else yield indented(member, 2);
    separator = ',';
  }
  yield separator === '' ? '}' : '\n}';
}

function* arrayPieces(values: Iterable<unknown>): Generator<string> {
  let separator = '';
  yield '[';
  for (const value of values) {
    yield `${separator}\n    ${indented(value, 4)}`;
    separator = ',';
  }
  yield separator === '' ? ']' : '\n  ]';
}

function indented(value: unknown, columns: number): string {
  return toJsonText(value).replaceAll('\n', `\n${' '.repeat(columns)}`);
}

/** What `JSON.stringify(value, null, 2)` leaves as it is, and a terminal would obey or not show. Scripts and emoji need the joiners. */
const UNSAFE = /(?![\u200c\u200d])[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;
const PLAIN = /^[\n -~]*$/;

/** A value as `JSON.stringify(value, null, 2)` writes it, with `\u` escapes also for what a terminal would obey. */
export function toJsonText(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  if (PLAIN.test(text)) return text;
  return text.replace(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, at) => escapeUnit(character.charCodeAt(at))).join(''),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
