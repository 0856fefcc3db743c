/** What fsck finds: a value, and no error. */

/** What can be wrong. */
export type FindingCode =
  | 'manifest-damaged'
  | 'history-forged'
  | 'number-repeated'
  | 'layer-missing'
  | 'delta-open'
  | 'delta-not-keepable'
  | 'base-changed'
  | 'base-missing'
  | 'base-unprotected'
  | 'ref-damaged'
  | 'container-damaged'
  | 'container-edited'
  | 'operation-pending'
  | 'repository-unreadable'
  | 'unknown-file';

export interface Finding {
  readonly code: FindingCode;
  /** The file or directory that it is about. */
  readonly where: string;
  /** All its bytes, in base64, where `where` is not UTF-8 and lost some. */
  readonly whereBytes?: string;
  readonly message: string;
  readonly hint: string;
}

export const RESTORE = 'Restore it from a backup of the store.';

export function finding(code: FindingCode, where: string, message: string, hint: string): Finding {
  return { code, where, message, hint };
}
