/** Operands in git's order, or in its short forms, of a command line that was refused: what was meant by them. */

import type { LxcvError } from '../model/errors.js';

/** A command line, and how to change it. */
export interface Line {
  readonly command: string;
  /** What is typed before any `--`, and is neither a flag nor the value of one. */
  readonly operands: readonly string[];
  readonly takesPaths: boolean;
  /** What was typed, with other operands, and with paths: undefined leaves an operand out. */
  readonly lineWith: (
    change: (operand: string, place: number) => string | undefined,
    paths?: readonly string[],
  ) => string;
}

/** Revisions of git's, which say nothing of whose they are: `HEAD~1`, `@2`, `~`. */
export const OF_NOBODY = /^(?:HEAD|@\w*)?(?:[~^]\d*)*$/;
const REFUSED = ['bad-name', 'bad-revision', 'bad-usage', 'repository-not-found'];
/** What takes a version first, and then something else. */
const VERSION_FIRST = ['blame', 'export', 'log', 'mount', 'show'];

/** True for an error that operands can be meant otherwise for. */
export function mayBeMeant({ code, data }: LxcvError): boolean {
  return REFUSED.includes(code) && data?.suggestion === undefined;
}

/** The hint; undefined where nothing else is known to be meant. @param names all containers and repositories. */
export function meantByOperands(error: LxcvError, line: Line, names: readonly string[]): string | undefined {
  const { command, operands, takesPaths, lineWith } = line;
  const [first = '', second] = operands;
  const isGrep = command === 'grep';
  const isOfRef = command === 'tag' || command === 'branch';
  // In git the name of a branch or a tag comes first.
  if (isOfRef && second !== undefined && error.code === 'repository-not-found' && error.data?.repository === first)
    return `The container comes first: ${swapped(line)}`;
  const isMissing = (operand: string) => nameOf(operand) === error.data?.repository;
  if (isGrep && operands.length === 2 && isMissing(second ?? '') && names.includes(nameOf(first)))
    return `The pattern comes first: ${swapped(line)}`;
  if (VERSION_FIRST.includes(command) && second !== undefined && (first.includes('/') || isMissing(first)))
    return names.includes(nameOf(second)) || first.startsWith('/') || second.includes('@')
      ? `The version comes first: ${swapped(line)}`
      : undefined;
  const nameless = OF_NOBODY.test(first) && error.code !== 'bad-usage';
  if (command === 'checkout' && isMissing(first) && names.includes(second ?? ''))
    return `The container comes first: ${lineWith((_, place) => (place === 0 ? `${second}${asVersion(first)}` : undefined))}`;
  if (command === 'diff' && nameless && names.includes(nameOf(second ?? '')))
    return `The container stands before it: ${lineWith((operand, place) => (place === 0 ? `${nameOf(second ?? '')}${asVersion(operand)}` : operand))}`;
  // Its own hint tells of a version in the place of NEW.
  if (error.code === 'bad-usage' || (command === 'checkout' && !nameless)) return undefined;
  // What stands second there is the name of a ref, and a version behind it.
  if (isOfRef && error.code !== 'repository-not-found') return undefined;
  const [start, ...others] = operands.filter((_, place) => place !== (isOfRef ? 1 : isGrep ? 0 : undefined));
  if (start === undefined || start === '') return undefined;
  if (OF_NOBODY.test(start)) return `The container stands before it. Usage: lxcv ${command} NAME${asVersion(start)}`;
  if (takesPaths && !isGrep && start.includes('/') && !start.includes(':') && others.length === 0)
    return `The container stands before it. Usage: lxcv ${command} NAME -- ${start}`;
  if (takesPaths && [start, ...others].some(holdsPath) && !start.startsWith('/')) return behindDashes(line, isGrep);
  const wrong = others.filter((each) => OF_NOBODY.test(each) || isMissing(each));
  if (wrong.length === 0 || isMissing(start)) return undefined;
  const meant = lineWith((operand) => (wrong.includes(operand) ? `${nameOf(start)}${asVersion(operand)}` : operand));
  return `The container stands before it: ${meant}`;
}

/** NEW of a checkout is a version: what was meant by it. */
export function meantByNew({ operands, lineWith }: Line): string {
  const [revision = '', made = ''] = operands;
  const inPlace = (version: string) => lineWith((_, place) => (place === 0 ? version : undefined));
  if (nameOf(revision) !== revision) return 'The container to make has a name of its own, without "@", "~" and "^".';
  if (OF_NOBODY.test(made)) return inPlace(`${revision}${asVersion(made)}`);
  if (nameOf(made) === revision) return inPlace(made);
  const swap = swapped({ operands, lineWith });
  if (made.includes('@')) return `The version comes first: ${swap}`;
  return `A version of ${revision}: ${inPlace(`${revision}@${made}`)}; a container made of ${made}: ${swap}`;
}

function swapped({ operands: [first, second], lineWith }: Pick<Line, 'operands' | 'lineWith'>): string {
  return lineWith((operand, place) => [second, first][place] ?? operand);
}

/** `web /etc` and `web:/etc` where paths stand behind a `--`. */
function behindDashes({ operands, lineWith }: Line, isGrep: boolean): string {
  const first = isGrep ? 1 : 0;
  const paths = new Set(operands.slice(first).flatMap((operand) => (holdsPath(operand) ? [pathIn(operand)] : [])));
  const kept = (operand: string) => (operand.includes(':') ? operand.replace(/:.*$/s, '') : undefined);
  const meant = lineWith(
    (operand, place) => (place >= first && holdsPath(operand) ? kept(operand) : operand),
    [...paths],
  );
  return `Paths stand behind --: ${meant}`;
}

function holdsPath(operand: string): boolean {
  return operand.includes('/');
}

function pathIn(operand: string): string {
  return operand.replace(/^[^/:]*:/, '');
}

function nameOf(revision: string): string {
  return revision.replace(/[@~^:].*$/s, '');
}

/** `@2` for `2` and `@2`, `@HEAD~1` for `HEAD~1`, `~1` and `@~1`. */
function asVersion(short: string): string {
  return `@${short.replace(/^@/, '').replace(/^(?=[~^]|$)/, 'HEAD')}`;
}
