import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { encodeWorking, readWorking, type Working } from '../../src/store/working.js';
import { temporaryDirectory } from '../support/overlay.js';
import { exampleId } from '../support/version.js';

const WORKING = {
  container: 'mysql_tmp',
  branch: 'main',
  parents: [exampleId(1)],
  lowers: [`versions/${exampleId(1)}/delta`, `versions/${exampleId(0)}/keyframe-2`],
  bases: [{ path: '/var/lib/lxc/base/rootfs', fingerprint: 'sha256:00' }],
} as unknown as Working;

describe('the record of a working delta', () => {
  it.each<[string, Working]>([
    ['as it is', WORKING],
    ['detached', { ...WORKING, branch: null }],
    ['of no parents, on nothing', { ...WORKING, parents: [], lowers: [], bases: [] }],
    ['with a copy of it', { ...WORKING, copied: exampleId(2) }],
    ['mounted on what a keyframe stands for', { ...WORKING, mounted: [...WORKING.lowers, ...WORKING.lowers] }],
  ])('is read as it was written: %s', (_, working) => {
    using place = temporaryDirectory();
    const path = join(place.path, 'working.json');
    writeFileSync(path, encodeWorking(working));
    expect(readWorking(files, path)).toEqual(working);
  });

  it('may be missing', () => {
    expect(readWorking(files, '/nowhere/working.json')).toBeUndefined();
  });

  it.each<[string, string, string]>([
    ['no JSON', 'store-damaged', encodeWorking(WORKING).slice(0, -4)],
    ['nothing', 'store-damaged', ''],
    ['no format', 'store-damaged', '{}'],
    ['a newer format', 'store-newer', '{"format": 2}'],
    ['an unknown key', 'store-damaged', edited('"branch"', '"extra": 1, "branch"')],
    ['a container that leads out', 'store-damaged', edited('"mysql_tmp"', '"../mysql"')],
    ['a branch that is none', 'store-damaged', edited('"main"', '"a b"')],
    ['a parent that is none', 'store-damaged', edited(`"${exampleId(1)}"`, '"main"')],
    ['a layer that leads out', 'store-damaged', edited('/delta', '/../../../etc')],
    ['a base that is relative', 'store-damaged', edited('"/var', '"var')],
  ])('is refused with %s: %s', (_, code, text) => {
    using place = temporaryDirectory();
    const path = join(place.path, 'working.json');
    writeFileSync(path, text);
    expect(() => readWorking(files, path)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(path) }),
    );
  });

  it('is not written with what would not be read', () => {
    expect(() => encodeWorking({ ...WORKING, lowers: ['/etc' as never] })).toThrow();
  });
});

function edited(what: string, by: string): string {
  const text = encodeWorking(WORKING).replace(what, by);
  if (text === encodeWorking(WORKING)) throw new Error(`there is no ${what} in the record`);
  return text;
}
