import { hostname, userInfo } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { author } from '../../src/host/user.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';

const GIT_CONFIG = '[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('author', () => {
  it("is the one of git's configuration", async () => {
    using _ = atHome({ '.gitconfig': GIT_CONFIG });
    expect(await author()).toEqual({ name: 'Ada Lovelace', email: 'ada@example.org' });
  });

  it('is found wherever git looks for it', async () => {
    const other = GIT_CONFIG.replace('Ada', 'Eda');
    using home = atHome({ '.config/git/config': GIT_CONFIG, 'other/git/config': other });
    expect((await author()).name).toBe('Ada Lovelace');
    vi.stubEnv('XDG_CONFIG_HOME', `${home.path}/other`);
    expect((await author()).name).toBe('Eda Lovelace');
    vi.stubEnv('GIT_CONFIG_GLOBAL', `${home.path}/.config/git/config`);
    expect((await author()).name).toBe('Ada Lovelace');
  });

  it('is the one of the environment before that', async () => {
    using _ = atHome({ '.gitconfig': GIT_CONFIG });
    vi.stubEnv('GIT_AUTHOR_NAME', 'Grace');
    expect(await author()).toEqual({ name: 'Grace', email: 'ada@example.org' });
    vi.stubEnv('GIT_AUTHOR_EMAIL', 'grace@example.org');
    expect(await author()).toEqual({ name: 'Grace', email: 'grace@example.org' });
  });

  it('is of several settings the last, and a name may have any characters', async () => {
    const name = 'Ada\\n \\"Countess\\" = Lovelace';
    using _ = atHome({
      '.gitconfig': `[user]\n\tname = First\n\tname = "${name}"\n[other]\n\temail = no@example.org\n`,
    });
    const { username } = userInfo();
    expect(await author()).toEqual({ name: 'Ada\n "Countess" = Lovelace', email: `${username}@${hostname()}` });
  });

  it('is found with an editor and a pager in the environment', async () => {
    using _ = atHome({ '.gitconfig': GIT_CONFIG });
    for (const name of ['EDITOR', 'GIT_EDITOR', 'PAGER', 'GIT_PAGER', 'GIT_SSH_COMMAND']) vi.stubEnv(name, 'true');
    expect(await author()).toEqual({ name: 'Ada Lovelace', email: 'ada@example.org' });
  });

  it('is the user behind sudo, or the one who runs lxcv, where git knows nobody', async () => {
    using _ = atHome({});
    const { username } = userInfo();
    expect(await author()).toEqual({ name: username, email: `${username}@${hostname()}` });
    vi.stubEnv('SUDO_USER', 'ada');
    expect(await author()).toEqual({ name: 'ada', email: `ada@${hostname()}` });
  });

  it('is the same where there is no git', async () => {
    using home = atHome({ '.gitconfig': GIT_CONFIG });
    vi.stubEnv('SUDO_USER', 'ada');
    const path = process.env.PATH;
    vi.stubEnv('PATH', home.path);
    const found = await author();
    vi.stubEnv('PATH', path);
    expect(found).toEqual({ name: 'ada', email: `ada@${hostname()}` });
  });
});

/** A home directory with these files, and an environment that says no more of a user. */
function atHome(entries: Record<string, string>): DisposablePath {
  const home = temporaryDirectory();
  plant(home.path, entries);
  vi.stubEnv('HOME', home.path);
  for (const name of ['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_CONFIG_GLOBAL', 'XDG_CONFIG_HOME', 'SUDO_USER']) {
    vi.stubEnv(name, undefined);
  }
  return home;
}
