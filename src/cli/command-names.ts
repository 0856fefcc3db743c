/** What the commands are called, in the order of their names. */

export const COMMAND_NAMES = [
  'blame',
  'branch',
  'checkout',
  'commit',
  'diff',
  'export',
  'fsck',
  'grep',
  'list',
  'log',
  'mount',
  'show',
  'status',
  'tag',
  'umount',
] as const;
