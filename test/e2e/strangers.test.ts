import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandSocketName } from '../../src/host/monitor.js';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
import { AS_CONTAINER_ROOT, AS_NOBODY, LISTEN, OVERFULL, type Squat, squat } from '../support/squatter.js';

describe('a stranger', () => {
  let lxc: TestLxc;
  const socket = () => commandSocketName(lxc.lxcpath, 'mysql');

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    lxc.quieten('mysql');
    await lxc.commit('mysql', 'first');
  });
  afterAll(() => lxc[Symbol.dispose]());

  const squats: [string, Squat, string][] = [
    ['a user who listens and never answers', { by: AS_NOBODY, script: LISTEN }, 'of user 65534'],
    ['a user who does not listen', { by: AS_NOBODY }, 'of user 65534'],
    ['a user whose queue is full', { by: AS_NOBODY, script: OVERFULL }, 'of user 65534'],
    ['root of a container on the network of the host', { by: AS_CONTAINER_ROOT, script: LISTEN }, 'of user 0'],
  ];
  it.each(squats)(
    'who has taken the name of a command socket holds up nothing, and is told: %s',
    async (_, how, who) => {
      await using squatter = await squat(socket(), how);
      expect((await lxc.json<{ state: string }>('status', 'mysql')).state).toBe('stopped');
      const commit = await lxc.lxcv('commit', '--allow-empty', '-m', 'again', 'mysql');
      expect(commit).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`${who} has taken the name`) });
      expect(commit.stderr.match(/has taken/g)).toHaveLength(1);
      if (how.by === AS_NOBODY) expect(commit.stderr).toContain(`kill ${squatter.pid}`);
      const checkout = await lxc.lxcv('checkout', 'mysql@0');
      expect(checkout).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('has taken the name') });
    },
  );

  it('who has another name of the lxcpath holds up nothing', async () => {
    await using _ = await squat(`/proc/self/root${socket()}`, { by: AS_NOBODY, script: LISTEN });
    const commit = await lxc.lxcv('commit', '--allow-empty', '-m', 'again', 'mysql');
    expect(commit).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('taken') });
  });

  it('who has sockets of other types, or forges a line of the table, does not hide a container that runs', async () => {
    await lxc.start('mysql');
    await using _datagrams = await squat(socket(), { by: AS_NOBODY, type: 'SOCK_DGRAM' });
    await using _forger = await squat(`x\n0: 00000002 00000000 00000000 0002 01 1 @${socket()}`, { by: AS_NOBODY });
    expect((await lxc.json<{ state: string }>('status', 'mysql')).state).toBe('running');
    appendFileSync(join(lxc.rootfs('mysql').upper, 'new'), 'x');
    expect(await lxc.lxcv('checkout', 'mysql@0')).toMatchObject({ exitCode: 3 });
    expect(await lxc.lxcv('commit', '-m', 'while it runs', 'mysql')).toMatchObject({ exitCode: 0 });
    await lxc.stop('mysql');
  });
});
