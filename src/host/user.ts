/** Who runs lxcv, as far as a version's author goes. */

import { closeSync, existsSync, openSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { simpleGit } from 'simple-git';
import type { Author } from '../model/version.js';

/**
 * The author of what is committed now: git's (`GIT_AUTHOR_NAME`, `GIT_AUTHOR_EMAIL`, then `user.name` and `user.email` of its
 * configuration); what git does not know is the user behind sudo, or else the one who runs lxcv, at this host.
 * @throws the system's error where git could not be started.
 */
export async function author(): Promise<Author> {
  const { GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, SUDO_USER } = process.env;
  const login = SUDO_USER || userInfo().username;
  const settings = GIT_AUTHOR_NAME && GIT_AUTHOR_EMAIL ? new Map<string, string>() : await gitUser();
  return {
    name: GIT_AUTHOR_NAME || settings.get('user.name') || login,
    email: GIT_AUTHOR_EMAIL || settings.get('user.email') || `${login}@${hostname()}`,
  };
}

/** The user of git's configuration, by key; empty where it has none or git is not installed. */
async function gitUser(): Promise<ReadonlyMap<string, string>> {
  // To ask git takes as long as the rest of a small commit.
  if (!globalConfigs().some((path) => existsSync(path))) return new Map();
  checkDescriptors();
  try {
    const told = await simpleGit().raw('config', '--global', '--null', '--get-regexp', '^user\\.(name|email)$');
    const settings = told.split('\0').slice(0, -1);
    // A key stands in the first line, its value in all others; of several values the last one counts.
    return new Map(settings.map((setting) => setting.split(/\n(.*)/s) as [string, string]));
  } catch {
    return new Map();
  }
}

/** Pipes for a program, both ends, and some to spare. */
const DESCRIPTORS = 12;

/** simple-git cannot tell of a program for which there are no file descriptors: so that is tried. @throws EMFILE, ENFILE. */
function checkDescriptors(): void {
  const open: number[] = [];
  try {
    for (let count = 0; count < DESCRIPTORS; count += 1) open.push(openSync('/dev/null', 'r'));
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

/** Where git looks for the configuration of a user: git-config(1), FILES. */
function globalConfigs(): string[] {
  const { GIT_CONFIG_GLOBAL, HOME, XDG_CONFIG_HOME } = process.env;
  if (GIT_CONFIG_GLOBAL !== undefined) return [GIT_CONFIG_GLOBAL];
  return [`${HOME}/.gitconfig`, `${XDG_CONFIG_HOME || `${HOME}/.config`}/git/config`];
}
