import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TestLxc } from '../support/lxc.js';
import { temporaryLxc } from '../support/lxc.js';
import { createDebian, DEBIAN_STEPS } from './debian.js';
import { lxcv, median, type Program, took } from './measure.js';
import { type HistoryStep, reportHistory } from './report.js';
import { diskOf, IS_QUICK, isInstalled, tookToCommit } from './work.js';

/** A quick one is of a step that needs no other. */
const STEPS = DEBIAN_STEPS.filter(({ name }) => !IS_QUICK || name === 'install sqlite3');

/** Another way to keep the states of a root file system. */
interface Keeper {
  readonly name: string;
  /** What it keeps them in. */
  readonly place: string;
  /** The container that it keeps the states of. */
  readonly container: string;
  /** @param root where the container's root is mounted. */
  readonly keep: (root: string, step: number) => Program;
}

it('keeps the history of a Debian', async () => {
  using lxc = temporaryLxc();
  createDebian(lxc, 'base');
  for (const name of ['web', 'peer']) await lxc.clone('base', name);
  await lxc.commit('web', 'A Debian');
  const keepers = keepersIn(lxc);
  const steps: HistoryStep[] = [];
  for (const [index, { name, change }] of STEPS.entries()) {
    for (const container of ['web', 'peer']) {
      using root = lxc.mount(container);
      change(root.path);
    }
    const { free, said } = await whenQuiet(lxc, () => tookToCommit(lxc, 'web'));
    const { version } = await lxc.json<{ version: HistoryStep['version'] }>('show', 'web');
    const peers: Record<string, number> = {};
    for (const { name: peer, container, keep } of keepers) {
      using root = lxc.mount(container);
      peers[peer] = await whenQuiet(lxc, () => took(keep(root.path, index)));
    }
    steps.push({ name, version, free, said, peers });
  }
  expect(steps.length).toBe(STEPS.length);
  const restored = STEPS.map((_, index) => [
    took(lxcv(lxc.lxcpath, 'checkout', `web@${index + 1}`, `new-${index}`)),
    took(['lxc-snapshot', '-P', lxc.lxcpath, '-n', 'peer', '-r', `snap${index}`, '-N', `old-${index}`]),
  ]);
  reportHistory({
    steps,
    kept: Object.fromEntries([
      // The delta that the container writes to is the container's own.
      ['lxcv', diskOf(lxc.store) - diskOf(join(lxc.rootfs('web').upper))],
      ...keepers.map(({ name, place }) => [name, diskOf(place)]),
    ]),
    checkout: median(restored.map(([ours]) => ours as number)),
    restore: median(restored.map(([, theirs]) => theirs as number)),
  });
});

function keepersIn({ lxcpath, directory }: TestLxc): Keeper[] {
  const place = (name: string) => {
    const path = join(directory, 'keepers', name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const [copies, ostree, restic] = [place('rsync'), place('ostree'), place('restic')];
  const repository = `--repo=${ostree}`;
  const backups = ['--repo', restic, '--no-cache', '--quiet', '--password-command', 'echo bench'];
  const keepers: Keeper[] = [
    {
      name: '`lxc-snapshot`',
      place: join(lxcpath, 'peer/snaps'),
      container: 'peer',
      keep: () => ['lxc-snapshot', '-P', lxcpath, '-n', 'peer'],
    },
    {
      name: '`rsync --link-dest`',
      place: copies,
      container: 'web',
      keep: (root, step) => [
        ...(['rsync', '-aHAX', `--link-dest=${copies}/${step - 1}`] as const),
        ...[`${root}/`, `${copies}/${step}/`],
      ],
    },
  ];
  if (isInstalled('ostree')) {
    took(['ostree', 'init', repository, '--mode=bare']);
    keepers.push({
      ...{ name: '`ostree commit`', place: ostree, container: 'web' },
      keep: (root) => ['ostree', 'commit', repository, '--branch=web', `--tree=dir=${root}`],
    });
  }
  if (isInstalled('restic')) {
    took(['restic', ...backups, 'init']);
    keepers.push({
      ...{ name: '`restic backup`', place: restic, container: 'web' },
      keep: (root) => ['restic', ...backups, 'backup', root],
    });
  }
  return keepers;
}

/** Acts with nothing left to be written to the disk. */
async function whenQuiet<T>({ directory }: TestLxc, act: () => T | Promise<T>): Promise<T> {
  execFileSync('sync', ['-f', directory]);
  return await act();
}
