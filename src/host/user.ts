/** Who runs lxcv, as far as a version's author goes. */

import { hostname, userInfo } from 'node:os';
import { simpleGit } from 'simple-git';
import type { Author } from '../model/version.js';

/**
 * The author of what is committed now: git's (`GIT_AUTHOR_NAME`, `GIT_AUTHOR_EMAIL`, then `user.name` and `user.email` of its
 * configuration); what git does not know is the user behind sudo, or else the one who runs lxcv, at this host.
 */
export async function author(): Promise<Author> {
  const { GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, SUDO_USER } = process.env;
  const login = SUDO_USER || userInfo().username;
  return {
    name: GIT_AUTHOR_NAME || (await gitSetting('user.name')) || login,
    email: GIT_AUTHOR_EMAIL || (await gitSetting('user.email')) || `${login}@${hostname()}`,
  };
}

/** A setting of git's configuration, or undefined where it is not set or git is not installed. */
async function gitSetting(key: string): Promise<string | undefined> {
  try {
    return (await simpleGit().getConfig(key, 'global')).value ?? undefined;
  } catch {
    return undefined;
  }
}
