import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { ContainerName } from '../../src/model/version.js';
import { mountDisk } from '../support/disk.js';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
import { lengthenHistory } from '../support/many.js';
import { populate } from '../support/populous.js';
import { interleaved, lxcv, median, type Program, took, tookWhenQuiet } from './measure.js';
import { type Row, reportRows, under } from './report.js';
import {
  commitFile,
  FILE_BYTES,
  FILES,
  fillDelta,
  IS_QUICK,
  isInstalled,
  MIB,
  SIZE,
  tookToCommit,
  tookToCommitCopy,
  versioned,
  writeInto,
} from './work.js';

const ROUNDS = IS_QUICK ? 3 : 7;
const VERSIONS = 10_000;
const [REPOSITORIES, CONTAINERS] = [200, 500];
/** Room for the delta and its copies. */
const DISK_BYTES = 8 * 2 ** 30;
const NODE: Program = [process.execPath, '-e', '0'];

const rows: Row[] = [];
afterAll(() => reportRows('peers', rows));

it('starts', async () => {
  using lxc = await versioned('web');
  for (let version = 1; version < 10; version += 1) await commitFile(lxc, 'web', `${version}`);
  writeInto(lxc, 'web', (root) => writeFileSync(join(root, 'home/new'), 'new'));
  const medians = await interleaved(ROUNDS * 3, {
    node: () => took(NODE),
    version: () => took([process.execPath, lxcv('', '')[1] as string, '--version']),
    log: () => took(lxcv(lxc.lxcpath, 'log', 'web')),
    status: () => took(lxcv(lxc.lxcpath, 'status', 'web')),
  });
  const peer = { peer: '`node -e 0`', peerTook: medians.node, bar: 'under 2.4', reached: under(2.4) };
  rows.push({ what: '`lxcv --version`', lxcv: medians.version, ...peer });
  rows.push({ what: '`lxcv log`, 10 versions', lxcv: medians.log, ...peer });
  rows.push({ what: '`lxcv status`, a small delta', lxcv: medians.status, ...peer });
});

it('looks at all of a store', async () => {
  using lxc = temporaryLxc();
  populate(lxc.lxcpath, REPOSITORIES, CONTAINERS);
  const medians = await interleaved(ROUNDS, {
    node: () => took(NODE),
    list: () => took(lxcv(lxc.lxcpath, 'list')),
    fsck: () => took(lxcv(lxc.lxcpath, 'fsck')),
    status: () => took(lxcv(lxc.lxcpath, 'status', '--all')),
  });
  const store = `${REPOSITORIES} repositories, ${CONTAINERS} containers`;
  const peer = { peer: '`node -e 0`', peerTook: medians.node };
  const bar = { bar: 'at most 6', reached: under(6) };
  rows.push({ what: `\`lxcv list\`, ${store}`, lxcv: medians.list, ...peer, ...bar });
  rows.push({ what: `\`lxcv fsck\`, ${store}`, lxcv: medians.fsck, ...peer, ...bar });
  rows.push({ what: `\`lxcv status --all\`, ${store}`, lxcv: medians.status, ...peer });
});

it('reads long histories', async () => {
  using short = await versioned('mysql');
  for (let version = 1; version < 10; version += 1) await commitFile(short, 'mysql', `${version}`);
  using long = await versioned('mysql');
  lengthenHistory(long, VERSIONS);
  took(lxcv(long.lxcpath, 'checkout', 'mysql@mysql'));
  const repository = gitHistory(long);
  const medians = await interleaved(ROUNDS, {
    node: () => took(NODE),
    few: () => took(lxcv(short.lxcpath, 'log', 'mysql')),
    newest: () => took(lxcv(long.lxcpath, 'log', '-n', '20', 'mysql')),
    all: () => took(lxcv(long.lxcpath, 'log', 'mysql')),
    git: () => took(['git', '-C', repository, 'log']),
    gitVersion: () => took(['git', '--version']),
  });
  rows.push({
    ...{
      what: '`log -n 20`, 10,000 versions',
      lxcv: medians.newest,
      peer: '`log`, 10 versions',
      peerTook: medians.few,
    },
    ...{ bar: 'under 1.3', reached: under(1.3) },
  });
  rows.push({
    ...{ what: '`log`, 10,000 versions, without the start', lxcv: medians.all - medians.few },
    ...{ peer: '`git log`, as many commits', peerTook: medians.git - medians.gitVersion },
    ...{ bar: 'under 3', reached: under(3) },
  });
});

it('commits and checks out, whatever the size', async () => {
  using lxc = await versioned('web');
  const delta = join(lxc.directory, 'delta');
  fillDelta(delta, FILES, MIB);
  const small = join(lxc.directory, 'small');
  fillDelta(small, FILES / 100, MIB / 100);
  await lxc.clone('base', 'peer');
  cpSync(delta, lxc.rootfs('peer').upper, { recursive: true });
  let made = 0;
  const said: number[] = [];
  const commit = async (source: string) => {
    const { free, said: outcome } = await tookToCommitCopy(lxc, 'web', source);
    if (source === delta) said.push(outcome);
    return free;
  };
  const medians = await interleaved(IS_QUICK ? 1 : 5, {
    small: () => commit(small),
    large: () => commit(delta),
    snapshot: () => took(['lxc-snapshot', '-P', lxc.lxcpath, '-n', 'peer']),
    checkout: () => took(lxcv(lxc.lxcpath, 'checkout', 'web', `new-${made++}`)),
    restore: () => took(['lxc-snapshot', '-P', lxc.lxcpath, '-n', 'peer', '-r', 'snap0', '-N', `restored-${made}`]),
  });
  rows.push({
    ...{ what: `commit, stopped, ${SIZE}, until the container may start again`, lxcv: medians.large },
    ...{ peer: '`lxc-snapshot`', peerTook: medians.snapshot, bar: 'at most 1/25', reached: under(1 / 25) },
  });
  rows.push({
    ...{ what: 'the same, until it has counted what changed, and says so', lxcv: median(said) },
    ...{ peer: '`lxc-snapshot`', peerTook: medians.snapshot },
  });
  rows.push({
    ...{ what: `commit, stopped, ${SIZE}, until the container may start again`, lxcv: medians.large },
    ...{ peer: 'commit of a hundredth of it', peerTook: medians.small, bar: 'within 10 %', reached: under(1.1) },
  });
  rows.push({
    ...{ what: `checkout to a new name, ${SIZE}`, lxcv: medians.checkout },
    ...{ peer: '`lxc-snapshot -r`', peerTook: medians.restore, bar: 'at most 1/25', reached: under(1 / 25) },
  });
});

it('commits ten gigabytes as ten megabytes', async () => {
  using lxc = await versioned('web');
  const commitFileOf = async (mib: number) => {
    const file = join(lxc.rootfs('web').upper, 'large');
    // Past the page cache: what it throws out for so much is what the next process, whatever it is, begins with.
    const options = ['bs=1M', `count=${mib}`, 'iflag=fullblock', 'oflag=direct', 'status=none'];
    execFileSync('dd', ['if=/dev/urandom', `of=${file}`, ...options]);
    execFileSync('sync', ['-f', lxc.directory]);
    return (await tookToCommit(lxc, 'web')).free;
  };
  const large = IS_QUICK ? 200 : 10_000;
  const medians = await interleaved(IS_QUICK ? 2 : 5, {
    small: () => commitFileOf(10),
    large: () => commitFileOf(large),
  });
  rows.push({
    ...{ what: `commit, stopped, one file of ${large / 1_000} GB`, lxcv: medians.large },
    ...{ peer: 'commit of one of 10 MB', peerTook: medians.small, bar: 'within 10 %', reached: under(1.1) },
  });
});

it('looks at deltas', async () => {
  using lxc = await versioned('web');
  await lxc.checkout('web@0', 'unchanged');
  const { upper } = lxc.rootfs('web');
  fillDelta(upper, FILES, 1);
  const find: Program = ['find', upper, '-printf', '%y %m %U %G %s %T@ %p\n'];
  const status = await interleaved(ROUNDS * 3, {
    start: () => took(lxcv(lxc.lxcpath, 'status', 'unchanged')),
    find: () => took(find),
    status: () => took(lxcv(lxc.lxcpath, 'status', 'web')),
  });
  rows.push({
    ...{ what: `\`status\`, ${FILES.toLocaleString('en')} files in the delta`, lxcv: status.status },
    ...{ peer: '`find -printf` and the start of `status`', peerTook: status.find + status.start },
    ...{ bar: 'at most 1', reached: under(1) },
  });
  await lxc.commit('web', 'Many files');
  writeInto(lxc, 'web', (root) => {
    for (let file = 0; file < 10; file += 1) appendFileSync(join(root, `bench/d${file}/f${file}`), 'changed');
  });
  await lxc.commit('web', 'Ten files');
  const diff = await interleaved(ROUNDS, {
    start: () => took(lxcv(lxc.lxcpath, 'log', '-n', '1', 'web')),
    diff: () => took(lxcv(lxc.lxcpath, 'diff', 'web@1', 'web@2')),
  });
  rows.push({
    ...{ what: `\`diff\`, 10 of ${FILES.toLocaleString('en')} files changed`, lxcv: diff.diff },
    ...{ peer: '`log -n 1`', peerTook: diff.start, bar: 'under 1.5', reached: under(1.5) },
  });
});

it('seals', async () => {
  using lxc = await versioned('web');
  const { upper } = lxc.rootfs('web');
  fillDelta(upper, FILES, MIB);
  const { number } = await lxc.commit('web', 'To be sealed');
  const engine = await openEngine({ lxcpath: lxc.lxcpath });
  const { version } = await engine.showVersion(`web@${number}`);
  const delta = join(lxc.store, 'web', version.chain[0] as string);
  const medians = await interleaved(IS_QUICK ? 2 : 5, {
    sha256sum: () => took(['sh', '-c', `find ${delta} -type f -print0 | xargs -0 sha256sum`]),
    seal: async () => {
      rmSync(join(delta, '../entries'), { force: true });
      const started = performance.now();
      await engine.seal('web' as ContainerName as never);
      return performance.now() - started;
    },
  });
  rows.push({
    ...{ what: `sealing, ${(MIB + (FILES * FILE_BYTES) / 2 ** 20).toFixed(0)} MiB, warm`, lxcv: medians.seal },
    ...{ peer: '`sha256sum`', peerTook: medians.sha256sum, bar: 'at most 1/3', reached: under(1 / 3) },
  });
});

it('commits a running container', async () => {
  using lxc = await versioned('web');
  lxc.quieten('web');
  fillDelta(lxc.rootfs('web').upper, FILES, MIB);
  await lxc.start('web');
  took(lxcv(lxc.lxcpath, 'commit', '-m', 'The first while it runs', 'web'));
  const { upper } = lxc.rootfs('web');
  const copies = join(lxc.directory, 'copies');
  mkdirSync(copies);
  execFileSync('rsync', ['-aHAX', `${upper}/`, `${copies}/0/`]);
  let made = 0;
  const change = async () => {
    await lxc.attach('web', 'head -c 10485760 /dev/urandom >/home/changed');
    made += 1;
  };
  const medians = await interleaved(IS_QUICK ? 2 : 5, {
    rsync: async () => {
      await change();
      const [from, to] = [`${copies}/${made - 1}/`, `${copies}/${made}/`];
      const names = `-P ${lxc.lxcpath} -n web`;
      const link = made === 1 ? `${copies}/0/` : from;
      const script = `lxc-freeze ${names}; rsync -aHAX --link-dest=${link} ${upper}/ ${to}; lxc-unfreeze ${names}`;
      return took(['sh', '-c', script]);
    },
    pause: async () => {
      const { version } = await lxc.json<{ version: { pause: number } }>('commit', '-m', 'Running', 'web');
      mkdirSync(`${copies}/${made}`, { recursive: true });
      return version.pause;
    },
  });
  await lxc.stop('web');
  rows.push({
    ...{
      what: `pause of a running container, ${FILES.toLocaleString('en')} files, 10 MB changed`,
      lxcv: medians.pause,
    },
    ...{ peer: '`lxc-freeze; rsync --link-dest; lxc-unfreeze`', peerTook: medians.rsync },
    ...{ bar: 'under 1/10', reached: under(1 / 10) },
  });
});

it.each(['xfs', 'btrfs'] as const)('commits a running container for the first time, on %s', async (kind) => {
  if (!isInstalled(`mkfs.${kind}`)) return;
  const pauses: number[] = [];
  const peers: number[] = [];
  for (let round = 0; round < (IS_QUICK ? 1 : 3); round += 1) {
    using disk = mountDisk(kind, DISK_BYTES);
    using lxc = await versioned('web', disk.path);
    lxc.quieten('web');
    const { upper } = lxc.rootfs('web');
    fillDelta(upper, FILES, MIB);
    await lxc.start('web');
    const names = `-P ${lxc.lxcpath} -n web`;
    const [earlier, copy] = [join(disk.path, 'earlier'), join(disk.path, 'copy')];
    execFileSync('rsync', ['-aHAX', `${upper}/`, `${earlier}/`]);
    await lxc.attach('web', 'head -c 10485760 /dev/urandom >/home/changed');
    const script = `lxc-freeze ${names}; rsync -aHAX --link-dest=${earlier}/ ${upper}/ ${copy}/; lxc-unfreeze ${names}`;
    peers.push(tookWhenQuiet(disk.path, ['sh', '-c', script]));
    const { version } = await lxc.json<{ version: { pause: number } }>('commit', '-m', 'Running', 'web');
    pauses.push(version.pause);
    await lxc.stop('web');
  }
  rows.push({
    ...{ what: `the same on ${kind}, at the first commit`, lxcv: median(pauses) },
    ...{ peer: '`lxc-freeze; rsync --link-dest; lxc-unfreeze`', peerTook: median(peers) },
    ...{ bar: 'under 1/10', reached: under(1 / 10) },
  });
});

/** As many commits as there are versions, with messages as long. */
function gitHistory(lxc: TestLxc): string {
  const repository = join(lxc.directory, 'git');
  execFileSync('git', ['init', '-q', '-b', 'main', repository]);
  const commits = Array.from({ length: VERSIONS }, (_, number) => {
    const message = `Version ${number}\n\nMade for the sake of its number.\n`;
    const who = `Ada <ada@example.org> ${1_700_000_000 + number} +0000`;
    const body = `${number}`;
    return `commit refs/heads/main\ncommitter ${who}\ndata ${message.length}\n${message}\nM 644 inline count\ndata ${body.length}\n${body}\n`;
  });
  execFileSync('git', ['-C', repository, 'fast-import', '--quiet'], { input: commits.join('\n') });
  return repository;
}
