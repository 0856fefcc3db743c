/** Layers written by hand: what a path is to be, next to its name. */

import { constants, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeNode, setMtime, setXattr } from './libc.js';

/** What to make of a path: a file with this content, or what a function makes; and what is to be done to it then. */
export type Make = First | readonly [First, ...((path: string) => void)[]];
type First = string | ((path: string) => void);

/** The modification time of all that `plant` makes: the same in every layer, as what was not changed would have it. */
const PLANTED_NS = 1_600_000_000_000_000_001n;

/** Makes a directory and these paths in it, those that they lie in included. @returns the directory. */
export function plant(root: string, entries: Readonly<Record<string, Make>>): string {
  mkdirSync(root, { recursive: true });
  for (const [name, make] of Object.entries(entries)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    const [first, ...then] = typeof make === 'object' ? make : [make];
    if (typeof first === 'string') writeFileSync(path, first);
    else first(path);
    setMtime(Buffer.from(path), PLANTED_NS);
    for (const act of then) act(path);
  }
  return root;
}

export function directory(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** A directory under which nothing of the lower layers shows. */
export function opaque(path: string): void {
  directory(path);
  setXattr(Buffer.from(path), 'trusted.overlay.opaque', Buffer.from('y'));
}

/** A directory in which files may stand for whiteouts. */
export function withXattrWhiteouts(path: string): void {
  directory(path);
  setXattr(Buffer.from(path), 'trusted.overlay.opaque', Buffer.from('x'));
}

export function whiteout(path: string): void {
  makeNode(Buffer.from(path), constants.S_IFCHR, { major: 0, minor: 0 });
}

/** A whiteout in a directory `withXattrWhiteouts`; with a content it is none. */
export function xattrWhiteout(path: string, content = ''): void {
  writeFileSync(path, content);
  setXattr(Buffer.from(path), 'trusted.overlay.whiteout', Buffer.from('y'));
}

export function symlinkTo(target: string): (path: string) => void {
  return (path) => symlinkSync(target, path);
}

/** @param name a path that was planted before, relative to the same root as the new one's parent. */
export function linkTo(name: string): (path: string) => void {
  return (path) => linkSync(join(dirname(path), name), path);
}

export function fifo(path: string): void {
  makeNode(Buffer.from(path), constants.S_IFIFO | 0o600, { major: 0, minor: 0 });
}

export function device(major: number, minor: number): (path: string) => void {
  return (path) => makeNode(Buffer.from(path), constants.S_IFCHR | 0o600, { major, minor });
}
