import { expect, it } from 'vitest';
import { parseMountInfo } from '../../src/host/mount-table.js';

const TABLE = String.raw`36 35 98:0 /mnt1 /mnt2\040and\040- rw,noatime master:1 - ext3 /dev/root rw,errors=continue
40 35 0:30 / /sys/fs/cgroup/freezer rw shared:9 master:2 - cgroup none rw,freezer
`;

it('a mount table is read whatever its optional fields are', () => {
  expect(parseMountInfo(TABLE)).toEqual([
    {
      id: 36,
      parent: 35,
      device: '98:0',
      root: '/mnt1',
      place: '/mnt2 and -',
      type: 'ext3',
      options: 'rw,errors=continue',
    },
    {
      id: 40,
      parent: 35,
      device: '0:30',
      root: '/',
      place: '/sys/fs/cgroup/freezer',
      type: 'cgroup',
      options: 'rw,freezer',
    },
  ]);
  expect(parseMountInfo(TABLE, '0:30').map(({ id }) => id)).toEqual([40]);
});
