/** Hints that can be pasted: the commands in them work on the lxcpath that was given. */

import { resolve } from 'node:path';

/** LXC's tools that take -P. */
const LXC_TOOLS =
  'attach|autostart|cgroup|console|copy|create|destroy|execute|freeze|info|ls|snapshot|start|stop|unfreeze';

/** The lxcpath as it was typed: what stands behind -P or --lxcpath, before any `--`. */
export function givenLxcpath(argv: readonly string[]): string | undefined {
  for (const [at, arg] of argv.entries()) {
    if (arg === '--') return undefined;
    if (arg === '-P' || arg === '--lxcpath') return argv[at + 1];
    const joined = /^(?:-P|--lxcpath=)(.+)$/s.exec(arg)?.[1];
    if (joined !== undefined) return joined;
  }
  return undefined;
}

/** A command line without the flags of all commands. */
export function withoutCommonFlags(argv: readonly string[]): string[] {
  const isValue = (at: number) => argv[at - 1] === '-P' || argv[at - 1] === '--lxcpath';
  return argv.filter((arg, at) => !isValue(at) && !/^(-P|--lxcpath$|--lxcpath=|--json$)/.test(arg));
}

/**
 * The hint with `-P LXCPATH` behind each command of lxcv and of LXC in it. LXC takes no relative one.
 * A line of usage stays as it is.
 * @param commands of lxcv: other words behind `lxcv` are no commands.
 */
export function withLxcpath(hint: string, lxcpath: string | undefined, commands: readonly string[]): string {
  if (lxcpath === undefined || lxcpath === '') return hint;
  const names = new RegExp(
    `(?<!Usage: )\\b(lxcv (?:${commands.join('|')})|lxc-(?:${LXC_TOOLS}))(?![\\w-])(?! -P)`,
    'g',
  );
  return hint.replace(names, (command) => {
    const path = command.startsWith('lxc-') ? resolve(lxcpath) : lxcpath;
    return `${command} -P ${quoteForShell(path)}`;
  });
}

/** An argument as sh(1) takes it. */
export function quoteForShell(text: string): string {
  return /^[\w./:@%+,=-][\w./:@%+,=~^-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
