import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Host, machine } from '../../src/host/host.js';
import type { ContainerName, RepositoryName } from '../../src/model/version.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import { clearRestart, failRestart, finishRestarts, markRestart, readNotStarted } from '../../src/store/restarts.js';
import { temporaryDirectory } from '../support/overlay.js';

it('a mark takes the place of another at once, and is on the disk by then', () => {
  using place = temporaryDirectory();
  const layout = new RepositoryLayout(join(place.path, 'lxcv'), 'r' as RepositoryName);
  mkdirSync(layout.root, { recursive: true });
  const name = 'web' as ContainerName;
  const mark = layout.restart(name);
  const calls: string[] = [];
  const { files } = machine;
  const host: Host = {
    ...machine,
    lxc: { ...machine.lxc, monitorOf: () => undefined },
    files: {
      ...files,
      sync: (path) => {
        calls.push(`sync ${path}`);
        files.sync(path);
      },
      unlink: (path) => {
        if (path === mark) calls.push('unlink');
        files.unlink(path);
      },
      rename: (from, to) => {
        calls.push(`rename ${from} ${to}`);
        files.rename(from, to);
      },
    },
  };
  const staged = join(layout.restarting, '.lxcv-staged');
  const replaced = [`sync ${staged}`, `rename ${staged} ${mark}`, `sync ${layout.restarting}/.`];
  markRestart(host, layout, name);
  failRestart(host, layout, name, new Error('no'));
  expect(calls).toEqual([...replaced, `sync ${layout.root}`, ...replaced]);
  expect(readNotStarted(host, layout)).toEqual([{ name, reason: 'no' }]);
  files.create(staged, 'cut sho', 0o600);
  clearRestart(host, layout, name);
  expect(readdirSync(layout.root)).toEqual([]);
});

it('a mark is gone once somebody has started its container, and stays while it may yet stop', () => {
  using place = temporaryDirectory();
  const layout = new RepositoryLayout(join(place.path, 'lxcv'), 'r' as RepositoryName);
  mkdirSync(layout.root, { recursive: true });
  mkdirSync(join(place.path, 'lxc/web'), { recursive: true });
  writeFileSync(join(place.path, 'lxc/web/config'), '');
  const name = 'web' as ContainerName;
  const began = Date.now();
  const on = (monitor: string | undefined, afterMs = 0): Host => {
    const startNow = () => expect.fail('it was started');
    return {
      ...machine,
      now: () => new Date(began + afterMs),
      lxc: { ...machine.lxc, monitorOf: () => monitor, startNow },
    };
  };
  const staysOn = (host: Host) => {
    finishRestarts(host, layout);
    return existsSync(layout.restart(name));
  };
  markRestart(on('one'), layout, name);
  expect(staysOn(on('one', 1000))).toBe(true);
  expect(staysOn(on('other', 1000))).toBe(false);
  markRestart(on('one'), layout, name);
  expect(staysOn(on('one', 600_000))).toBe(false);
  markRestart(on('one'), layout, name);
  failRestart(on(undefined), layout, name, new Error('no'));
  expect(staysOn(on(undefined, 600_000))).toBe(true);
  expect(staysOn(on('other', 600_000))).toBe(false);
  expect(existsSync(layout.restarting)).toBe(false);
});
