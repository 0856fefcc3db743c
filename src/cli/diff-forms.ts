/** The forms in which a difference is shown: the flags that ask for one, and the lines of each. */

import * as Flags from '@oclif/core/flags';
import type { Diff } from '../operations/diff.js';
import { behind, configLines, diffLines, nameLines, nameStatusLines } from '../render/diff.js';
import { metadataLines } from '../render/diff-metadata.js';
import { statLines } from '../render/diff-stat.js';
import { packageLines } from '../render/packages.js';
import type { Style } from '../render/style.js';

const FORMS = ['name-only', 'name-status', 'stat', 'metadata', 'packages', 'patch'] as const;

type Form = (typeof FORMS)[number];

/** A flag for each form, which excludes the others. */
export const formFlags = {
  'name-only': Flags.boolean({ exclusive: without('name-only'), summary: 'Show every path, and nothing else.' }),
  'name-status': Flags.boolean({
    exclusive: without('name-status'),
    summary:
      'Show every path with a letter: A added, M modified, D removed, R moved, T of another type, m metadata only.',
  }),
  stat: Flags.boolean({ exclusive: without('stat'), summary: 'Show the size that each path had and has.' }),
  metadata: Flags.boolean({
    exclusive: without('metadata'),
    summary: 'Show what changed of modes, owners, times, ACLs, capabilities and other extended attributes.',
  }),
  packages: Flags.boolean({
    exclusive: without('packages'),
    summary: 'Show which packages of dpkg, apk and rpm were installed, removed and upgraded.',
  }),
  patch: Flags.boolean({
    char: 'p',
    exclusive: without('patch'),
    summary: 'Show what differs in texts and in modes of files, as git does.',
  }),
};

/**
 * The lines of a difference in the form that is asked for, each made when it is read.
 * @param rows of the terminal, where it is one: without a form, what is longer is counted by directories.
 */
export function* linesOfForm(
  diff: Diff,
  forms: Readonly<Record<Exclude<Form, 'patch'>, boolean>>,
  style: Style,
  rows: number | undefined,
): Generator<string> {
  const { changes, config, packages = [] } = diff;
  if (forms['name-only']) yield* nameLines(changes);
  else if (forms['name-status']) yield* nameStatusLines(changes, style);
  else if (forms.stat) yield* statLines(diff, style);
  else if (forms.metadata) yield* behind(metadataLines(changes, style), configLines(config, style));
  else if (forms.packages) yield* packageLines(packages, style);
  else yield* diffLines(diff, style, rows);
}

/** A flag that excluded itself could not be given at all. */
function without(form: Form): string[] {
  return FORMS.filter((other) => other !== form);
}
