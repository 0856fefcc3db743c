import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bindAbstractSocket } from '../../src/host/socket-calls.js';
import { boundSockets, findHolder, ownHolders } from '../../src/host/sockets.js';
import { AS_CONTAINER_ROOT, AS_NOBODY, LISTEN, squat } from '../support/squatter.js';

function uniqueName(end = ''): string {
  return `lxcv-test-${randomBytes(6).toString('hex')}${end}`;
}

describe('boundSockets', () => {
  it('knows which names are bound, and at which of them one can connect', async () => {
    const [plain, listening] = [uniqueName('-\xff'), uniqueName()];
    expect(boundSockets().get(plain)).toBeUndefined();
    const fd = bindAbstractSocket(plain) as number;
    await using _ = await squat(listening, { script: LISTEN });
    expect(boundSockets().get(plain)).toMatchObject({ isListening: false });
    expect(boundSockets().get(listening)).toMatchObject({ isListening: true });
    closeSync(fd);
    expect(boundSockets().get(plain)).toBeUndefined();
  });

  it('is misled by no name that looks like another line, and by no socket of another type', async () => {
    const name = uniqueName();
    const forged = `${uniqueName()}\n0000000000000000: 00000002 00000000 00010000 0001 01 1 @${name}`;
    await using _forger = await squat(forged, { script: LISTEN, by: AS_NOBODY });
    await using _other = await squat(name, { type: 'SOCK_DGRAM', by: AS_NOBODY });
    expect(boundSockets().get(name)).toBeUndefined();
    const fd = bindAbstractSocket(name) as number;
    expect(ownHolders(new Set([boundSockets().get(name)?.inode as number])).size).toBe(1);
    closeSync(fd);
  });
});

describe('findHolder', () => {
  it.each([
    { who: 'root of this machine', by: [], isOwn: true, uid: 0 },
    { who: 'a user', by: AS_NOBODY, isOwn: false, uid: 65534 },
    { who: 'root of a container', by: AS_CONTAINER_ROOT, isOwn: false, uid: 0 },
    {
      who: 'root of a container with a map of users',
      by: ['unshare', '--user', '--map-root-user'],
      isOwn: false,
      uid: 0,
    },
  ])('tells who has a socket: $who', async ({ by, isOwn, uid }) => {
    const name = uniqueName();
    await using squatter = await squat(name, { by, script: LISTEN });
    const inode = boundSockets().get(name)?.inode as number;
    const holder = findHolder(inode);
    expect(holder).toMatchObject({ isOwn, uid });
    if (by !== AS_CONTAINER_ROOT) expect(holder?.pid).toBe(squatter.pid);
    expect(ownHolders(new Set([inode])).has(inode)).toBe(isOwn);
  });

  it("is not misled by a user's socket that a program of root's keeps open", async () => {
    const name = uniqueName();
    // As a set-uid program would: root, with what a user made and has left it.
    const made = 'close(S); $> = 65534; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un($name)) or die;';
    await using _ = await squat(name, { script: `${made} $> = 0; ${LISTEN}` });
    const inode = boundSockets().get(name)?.inode as number;
    expect(ownHolders(new Set([inode])).size).toBe(0);
    expect(findHolder(inode)).toMatchObject({ isOwn: false });
  });

  it('finds nobody where no process has the socket open', () => {
    expect(findHolder(1)).toBeUndefined();
  });
});
