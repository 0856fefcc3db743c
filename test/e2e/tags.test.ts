import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ErrorJson,
  type ListJson,
  type LogJson,
  type StatusJson,
  type TestLxc,
  temporaryLxc,
} from '../support/lxc.js';

interface TagJson {
  readonly tags: readonly {
    readonly name: string;
    readonly version: { readonly number: number; readonly refs: readonly string[] };
    readonly message: string | null;
    readonly author: { readonly name: string } | null;
    readonly time: string | null;
  }[];
}

describe('tags', () => {
  let lxc: TestLxc;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    for (const name of ['zero', 'one', 'two']) {
      addFile(lxc, name);
      await lxc.commit('mysql', name);
    }
  });
  afterAll(() => lxc[Symbol.dispose]());

  it('name a version, and say why where they are annotated', async () => {
    const plain = await lxc.json<TagJson>('tag', 'mysql', 'first', 'mysql@0');
    expect(plain.tags).toMatchObject([
      { name: 'first', version: { number: 0, refs: ['first'] }, message: null, time: null },
    ]);
    const { tags } = await lxc.json<TagJson>('tag', 'mysql', 'v1.0', 'mysql@1', '-m', 'As shipped');
    expect(tags).toMatchObject([
      { name: 'v1.0', version: { number: 1 }, message: 'As shipped', author: { name: expect.any(String) } },
    ]);
    expect((await lxc.json<TagJson>('tag', 'mysql')).tags.map(({ name }) => name)).toEqual(['first', 'v1.0']);
    expect((await lxc.lxcv('tag', 'mysql')).stdout).toMatch(
      /^first +@0 +\w{7} .* zero\nv1.0 +@1 +\w{7} .* As shipped\n$/,
    );
  });

  it('stand in revisions, in the log, and in what status and list call a version', async () => {
    const { versions } = await lxc.json<LogJson>('log', 'mysql@v1.0');
    expect(versions.map(({ number, refs }) => [number, refs])).toEqual([
      [1, ['v1.0']],
      [0, ['first']],
    ]);
    expect((await lxc.json<LogJson>('log', 'mysql@v1.0~1')).versions).toHaveLength(1);
    expect((await lxc.lxcv('log', 'mysql', '--oneline')).stdout).toMatch(/@1 \w+ \(tag: v1.0\) one\n/);
    expect(await lxc.json<StatusJson>('status', 'mysql')).toMatchObject({ describe: 'v1.0-1' });
    expect((await lxc.json<ListJson>('list')).containers).toMatchObject([{ name: 'mysql', describe: 'v1.0-1' }]);
    expect((await lxc.lxcv('list')).stdout).toContain('v1.0-1');
    const copy = await lxc.checkout('mysql@first', 'copy');
    expect(copy.number).toBe(0);
    expect(await lxc.json<StatusJson>('status', 'copy')).toMatchObject({ describe: 'first' });
  });

  it('keep what they are on from being left behind with a branch', async () => {
    await lxc.json('branch', 'mysql', 'side', 'mysql@first');
    await lxc.json('branch', 'mysql', '-d', 'side');
  });

  it('are not needed for that where a container on no branch stands there', async () => {
    await lxc.json('checkout', 'mysql@first', 'detached', '--detach');
    addFile(lxc, 'of nobody', 'detached');
    const { number } = await lxc.commit('detached', 'On no branch');
    await lxc.json('checkout', `detached@${number}`, '--detach');
    await lxc.json('branch', 'mysql', '-d', 'detached-v0');
  });

  it.each([
    [['tag', 'mysql', 'first'], 'tag-exists', 3],
    [['tag', 'mysql', 'mysql'], 'branch-exists', 3],
    [['branch', 'mysql', 'v1.0'], 'tag-exists', 3],
    [['tag', 'mysql', '-d', 'nothing'], 'tag-not-found', 4],
    [['tag', 'mysql', 'HEAD'], 'bad-name', 2],
    [['tag', 'mysql', 'WORK'], 'bad-name', 2],
    [['tag', 'mysql', '12'], 'bad-name', 2],
    [['tag', 'mysql', 'a/b'], 'bad-name', 2],
    [['tag', 'mysql', '-d'], 'bad-usage', 2],
    [['tag', 'mysql', 'new', 'mysql@77'], 'revision-not-found', 4],
    [['tag', 'nowhere', 'new'], 'repository-not-found', 4],
  ] as const)('are refused where they would mislead: %j', async (args, code, status) => {
    const { exitCode, stdout } = await lxc.lxcv(...args, '--json');
    expect([exitCode, (JSON.parse(stdout) as ErrorJson).error.code]).toEqual([status, code]);
  });

  it('are deleted without their versions', async () => {
    expect((await lxc.lxcv('tag', 'mysql', '-d', 'first')).stdout).toBe('deleted tag first on @0\n');
    expect((await lxc.json<TagJson>('tag', 'mysql')).tags.map(({ name }) => name)).toEqual(['v1.0']);
    expect((await lxc.json<LogJson>('log', 'mysql')).versions).toHaveLength(3);
    expect((await lxc.lxcv('fsck')).exitCode).toBe(0);
  });
});

function addFile(lxc: TestLxc, name: string, container = 'mysql'): void {
  using root = lxc.mount(container);
  writeFileSync(join(root.path, 'home', name), name);
}
