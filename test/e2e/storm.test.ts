import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { ChangeRecord } from '../../src/model/changes.js';
import { parseContainerName } from '../../src/model/names.js';
import { pathOf as pathOfPlace } from '../../src/model/place.js';
import { changesBetween } from '../support/changes.js';
import { mountDisk } from '../support/disk.js';
import { setXattr } from '../support/libc.js';
import type { ChangeJson, CheckoutJson, CommitJson, StatusJson, TestLxc } from '../support/lxc.js';
import { LXCV, temporaryLxc } from '../support/lxc.js';
import { storm } from '../support/storm.js';
import { expectSameTree, type Tree } from '../support/tree.js';

/** How many operations a storm has. */
const STEPS = 45;

describe('a storm over versions and branches', () => {
  it('leaves every version of a container on an overlay as it was', async () => {
    using lxc = temporaryLxc();
    await createClone(lxc);
    lxc.quieten('mysql');
    const history = new StormyHistory(lxc, 1000);

    history.storm('mysql', 'home');
    await history.commit('mysql');
    await lxc.start('mysql');
    for (let version = 0; version < 3; version += 1) {
      await history.stormInside('mysql', 'home');
      await history.commitByItself('mysql');
    }
    await lxc.stop('mysql');

    // More than four in a row, so that a keyframe is made, however much changes, and stands in for them from then on.
    for (let version = 0; version < 10; version += 1) {
      history.storm('mysql');
      if (version === 4) await history.expectTrueStatus('mysql');
      await history.commit('mysql');
    }
    expect(lxc.rootfs('mysql').lowers.some((layer) => /keyframe/.test(layer))).toBe(true);

    await history.checkout('mysql@3', 'left');
    await history.checkout('mysql@9', 'right');
    for (let version = 0; version < 4; version += 1) {
      for (const name of ['left', 'right']) {
        history.storm(name);
        await history.commit(name);
      }
    }
    history.storm('right');
    await history.expectTrueStatus('right');

    history.storm('mysql');
    await history.switchInPlace('mysql@2');
    history.storm('mysql', 'home');
    await history.switchInPlace('mysql@right~1');
    await history.switchInPlace('mysql@3');
    await lxc.start('mysql');
    await history.stormInside('mysql', 'home');
    await history.expectTrueStatus('mysql');
    await history.commitByItself('mysql');
    await lxc.stop('mysql');

    expect(history.size).toBe(25);
    await history.expectEveryDiff();
    await history.expectEveryVersion((revision, name) => history.checkout(revision, name));
    history.stormAll();
    await history.expectEveryVersion((revision, name) => lxc.json('checkout', revision, name, '--detach'));
  });

  it('leaves every version of a container on a plain directory as it was, on a file system that shares blocks', async () => {
    using disk = mountDisk('xfs');
    using lxc = temporaryLxc(disk.path);
    lxc.createBase('mysql');
    lxc.quieten('mysql');
    const history = new StormyHistory(lxc, 2000);
    history.storm('mysql', 'home');
    await history.commit('mysql');
    await lxc.start('mysql');
    for (let version = 0; version < 3; version += 1) {
      await history.stormInside('mysql', 'home');
      await history.commitByItself('mysql');
    }
    await lxc.stop('mysql');
    for (let version = 0; version < 9; version += 1) {
      history.storm('mysql');
      await history.commit('mysql');
    }
    expect(lxc.rootfs('mysql').lowers.some((layer) => /keyframe/.test(layer))).toBe(true);

    await history.checkout('mysql@0', 'fork');
    history.storm('fork');
    await history.expectTrueStatus('fork');
    await history.commit('fork');
    history.storm('mysql');
    await history.switchInPlace('mysql@8');
    await history.expectEveryVersion((revision, name) => lxc.json('checkout', revision, name));
  });
});

describe('the root directory of a container', () => {
  it('is brought back with its mode, owner, time and attributes, from every kind of layer', async () => {
    using lxc = temporaryLxc();
    await createClone(lxc);
    lxc.quieten('mysql');
    const trees: Tree[] = [];
    for (let version = 0; version < 9; version += 1) {
      {
        using mount = lxc.mount('mysql');
        chmodSync(mount.path, 0o700 + version);
        chownSync(mount.path, version, 1000 + version);
        execFileSync('setfacl', ['-m', `u:${1000 + version}:rx`, '-d', '-m', 'g:7:rwx', mount.path]);
        setXattr(Buffer.from(mount.path), 'trusted.\xe9', Buffer.from([version, 0, 255]));
        utimesSync(mount.path, 1, 1_000_000 + version + 0.25);
      }
      trees.push(lxc.tree('mysql'));
      await lxc.commit('mysql', `Version ${version}`);
    }
    await lxc.start('mysql');
    const { pid } = await lxc.info('mysql');
    chmodSync(`/proc/${pid}/root`, 0o711);
    trees.push(lxc.tree('mysql'));
    await lxc.json('commit', '-m', 'While it runs', 'mysql');
    await lxc.stop('mysql');
    expectSameTree(lxc.tree('mysql'), trees[9] as Tree);
    for (const [version, tree] of trees.entries()) {
      await lxc.checkout(`mysql@${version}`, `root-${version}`);
      expectSameTree(lxc.tree(`root-${version}`), tree);
    }
  });
});

describe('a container that never rests', () => {
  it('is looked at and committed all the same, whatever comes and goes meanwhile', async () => {
    using lxc = temporaryLxc();
    await createClone(lxc);
    await lxc.commit('mysql', 'First');
    await lxc.start('mysql');
    const step = 'i=$(((i + 1) % 60)); mkdir -p d$((i % 9))/e; echo $i >d$((i % 9))/e/f$i; rm -rf d$(((i + 4) % 9))';
    await lxc.attach('mysql', `cd /home && (while :; do ${step}; done) >/dev/null 2>&1 &`);
    const engine = await openEngine({ lxcpath: lxc.lxcpath });
    for (let look = 0; look < 150; look += 1) {
      const { changes } = await engine.status(parseContainerName('mysql'));
      expect(changes.length).toBeGreaterThan(0);
    }
    for (let version = 1; version < 6; version += 1) {
      expect((await lxc.commit('mysql', `Version ${version}`)).number).toBe(version);
      expect((await lxc.lxcv('list')).exitCode).toBe(0);
    }
    expect((await lxc.info('mysql')).state).toBe('RUNNING');
  });
});

describe('names that mean something to a terminal', () => {
  const NAMES = ['line\nbreak', '\x1b[31mred\x1b[0m', 'bell\x07 back\b', 'not \xff\xfe UTF-8', '\xc2\x9b31m', 'plain'];

  it('come from status and log without a raw control character, and from its JSON as the bytes that they are', async () => {
    using lxc = temporaryLxc();
    await createClone(lxc);
    await lxc.commit('mysql', 'Red \x1b[31malert\x07');
    {
      using mount = lxc.mount('mysql');
      for (const name of NAMES) writeFileSync(Buffer.from(`${mount.path}/${name}`, 'latin1'), name);
      mkdirSync(Buffer.from(`${mount.path}/\x1b]0;title\x07`));
    }
    const { changes } = await lxc.json<StatusJson>('status', 'mysql');
    expect(changes.map(pathOf).sort()).toEqual([...NAMES, '\x1b]0;title\x07'].sort());

    for (const args of [
      ['status', 'mysql'],
      ['status', '-v', 'mysql'],
      ['log', 'mysql'],
      ['log', '--oneline', 'mysql'],
    ]) {
      const piped = await lxc.lxcv(...args);
      expect([args, piped.exitCode, controlsIn(piped.stdout)]).toEqual([args, 0, []]);
      const shown = await onTerminal(lxc, args);
      expect([args, controlsIn(shown)]).toEqual([args, []]);
      expect(shown.split('\n').length).toBeGreaterThan(1);
    }
  });
});

/** A history that is made in a storm, and what each of its versions has to hold. */
class StormyHistory {
  readonly #trees = new Map<number, Tree>();
  /** The version that each container was made from or last committed. */
  readonly #heads = new Map<string, number>();
  #storms: number;
  #rounds = 0;

  /** @param storms the seed of the first storm; each that follows takes the next. */
  constructor(
    private readonly lxc: TestLxc,
    storms: number,
  ) {
    this.#storms = storms;
  }

  get size(): number {
    return this.#trees.size;
  }

  /** Changes a stopped container, in all of its tree or below a directory. */
  storm(name: string, below = '.'): void {
    using mount = this.lxc.mount(name);
    storm(join(mount.path, below), { seed: this.#nextSeed(), steps: STEPS });
  }

  /** Changes a running container below a directory. */
  async stormInside(name: string, below: string): Promise<void> {
    const { pid } = await this.lxc.info(name);
    storm(`/proc/${pid}/root/${below}`, { seed: this.#nextSeed(), steps: STEPS });
  }

  /** Commits in this process. */
  async commit(name: string): Promise<void> {
    const tree = this.lxc.tree(name);
    const { number } = await this.lxc.commit(name, `After storm ${this.#storms}`);
    this.#record(name, number, tree);
  }

  /** Commits in a process of its own. */
  async commitByItself(name: string): Promise<void> {
    const tree = this.lxc.tree(name);
    const { version } = await this.lxc.json<CommitJson>('commit', '-m', `After storm ${this.#storms}`, name);
    this.#record(name, version.number, tree);
  }

  /** Makes a container, in this process. */
  async checkout(revision: string, name: string): Promise<void> {
    const { number } = await this.lxc.checkout(revision, name);
    this.#heads.set(name, number);
    this.#expectHead(name);
  }

  /** What the container holds that no version does becomes one. */
  async switchInPlace(revision: string): Promise<void> {
    const [name = ''] = revision.split('@');
    const tree = this.lxc.tree(name);
    const { saved, version } = await this.lxc.json<CheckoutJson>('checkout', revision);
    if (saved !== undefined) this.#record(name, saved.number, tree);
    this.#heads.set(name, version.number);
    this.#expectHead(name);
  }

  /** Compares what status says with what two mounts show. */
  async expectTrueStatus(name: string): Promise<void> {
    const head = this.#trees.get(this.#heads.get(name) as number) as Tree;
    const { changes } = await this.lxc.json<StatusJson>('status', name);
    const told = changes.map((change) => `${change.kind} ${change.type} ${JSON.stringify(pathOf(change))}`);
    const seen = changesBetween(head, this.lxc.tree(name));
    expect(told.sort()).toEqual(seen.sort());
    expect(seen.length).toBeGreaterThan(20);
  }

  /** Makes a container of each version, and looks at it. */
  async expectEveryVersion(make: (revision: string, name: string) => Promise<unknown>): Promise<void> {
    this.#rounds += 1;
    for (const [version, tree] of this.#trees) {
      const name = `round${this.#rounds}-${version}`;
      await make(`mysql@${version}`, name);
      expectSameTree(this.lxc.tree(name), tree);
    }
  }

  /** Applies the difference of any two versions to the first of them. */
  async expectEveryDiff(): Promise<void> {
    const engine = await openEngine({ lxcpath: this.lxc.lxcpath });
    for (const [from, before] of this.#trees) {
      for (const [to, after] of this.#trees) {
        const request = { from: `mysql@${from}`, to: `mysql@${to}`, detail: 'attributes' } as const;
        const changes = [...(await engine.diff(request)).changes];
        const told = changes.map(({ kind, type, path }) => `${kind} ${type} ${JSON.stringify(path)}`);
        expect([from, to, told.sort()]).toEqual([from, to, changesBetween(before, after).sort()]);
        expectSameTree(applied(changes, before, after), after, { ignore: followsFromTheRest(after) });
      }
    }
  }

  /** Does to every container all the harm that it can do to itself. */
  stormAll(): void {
    for (const name of this.#heads.keys()) this.storm(name);
  }

  #record(name: string, version: number, tree: Tree): void {
    expect(version).toBe(this.#trees.size);
    this.#trees.set(version, tree);
    this.#heads.set(name, version);
  }

  #expectHead(name: string): void {
    expectSameTree(this.lxc.tree(name), this.#trees.get(this.#heads.get(name) as number) as Tree);
  }

  #nextSeed(): number {
    this.#storms += 1;
    return this.#storms;
  }
}

/** A tree with changes made to it: what they do not tell of contents is taken from `contents`, and nothing else is. */
function applied(changes: readonly ChangeRecord[], tree: Tree, contents: Tree): Tree {
  const made = new Map(tree);
  for (const { path, kind, movedFrom, after } of changes) {
    if (after === undefined) made.delete(path);
    else {
      const source =
        movedFrom !== undefined ? tree.get(pathOfPlace(movedFrom)) : (kind === 'metadata' ? tree : contents).get(path);
      const linkedAs = contents.get(path)?.linkedAs;
      made.set(path, { ...(source as NonNullable<typeof source>), ...after, linkedAs });
    }
  }
  return made;
}

/** The time of a directory is that of the last change in it; which names a file has, each name tells; holes are no content. */
function followsFromTheRest(tree: Tree) {
  return (path: string, attribute: string) =>
    ['hard link', 'sparse'].includes(attribute) || (attribute === 'mtime' && tree.get(path)?.type === 'directory');
}

async function createClone(lxc: TestLxc): Promise<void> {
  lxc.createBase();
  await lxc.clone('base', 'mysql');
}

/** The bytes of a path, each a character. */
function pathOf({ path, pathBytes }: ChangeJson): string {
  return (pathBytes === undefined ? Buffer.from(path, 'utf8') : Buffer.from(pathBytes, 'base64')).toString('latin1');
}

function controlsIn(text: string): string[] {
  return text.match(/(?!\n)\p{Cc}/gu) ?? [];
}

/** What a command prints to a terminal that shows no colours. */
async function onTerminal(lxc: TestLxc, args: string[]): Promise<string> {
  const command = [process.execPath, LXCV, ...args, '-P', lxc.lxcpath].map((word) => `'${word}'`).join(' ');
  const { stdout } = await lxc.program('script', ['-qefc', command, '/dev/null'], {
    env: { NO_COLOR: '1', TERM: 'xterm' },
  });
  return stdout.replaceAll('\r\n', '\n');
}
