/** A change of a branch or a tag: its commit point is the rename of the ref's file. */

import { newId } from '../model/ids.js';
import type { RefName } from '../model/version.js';
import { stagedRef } from '../store/layout.js';
import type { Step } from '../store/steps.js';
import { transact } from '../store/transaction.js';
import type { Context } from './context.js';
import type { Repository } from './lookup.js';
import { checkSpace } from './space.js';

export interface RefChange {
  readonly command: 'branch' | 'tag';
  readonly subject: RefName;
  /** The file that is made, renamed or removed. */
  readonly path: string;
  /** Makes what the commit point needs, where that is not there yet. */
  readonly stage?: (staged: string) => void;
  /** @param staged a free path beside the ref. */
  readonly point: (staged: string) => { from: string; to: string };
  readonly forward?: readonly Step[];
  readonly back?: readonly Step[];
}

export async function changeRef(context: Context, { layout }: Repository, change: RefChange): Promise<void> {
  checkSpace(context, `the change of the ${change.command} ${change.subject}`);
  const staged = stagedRef(change.path);
  await transact(context.host, layout.operations, {
    operation: newId(context.host.randomBytes),
    time: context.host.now().toISOString(),
    command: change.command,
    subject: change.subject,
    point: change.point(staged),
    stage: () => change.stage?.(staged),
    forward: [...(change.forward ?? []), { do: 'unlink', path: staged }],
    back: [...(change.back ?? []), { do: 'unlink', path: staged }],
  });
}
