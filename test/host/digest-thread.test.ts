import { createHash } from 'node:crypto';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startDigestThread } from '../../src/host/digest-thread.js';
import { temporaryDirectory } from '../support/overlay.js';

const PATIENCE_MS = 10_000;

describe('the digest thread', () => {
  it('takes the digests of what is begun, in that order', () => {
    using place = temporaryDirectory();
    using thread = startDigestThread();
    const texts = ['', 'one', 'x'.repeat(3_000_000)];
    const paths = texts.map((text, index) => {
      const path = join(place.path, `${index}`);
      writeFileSync(path, text);
      return path;
    });
    expect(thread.take(0)).toBeUndefined();
    thread.begin(paths);
    thread.begin([...paths].reverse());
    thread.begin([]);
    const digests = texts.map(sha256);
    expect(thread.take(PATIENCE_MS)).toEqual(digests);
    expect(thread.take(PATIENCE_MS)).toEqual([...digests].reverse());
    expect(thread.take(PATIENCE_MS)).toEqual([]);
    expect(thread.take(0)).toBeUndefined();
  });

  it('takes paths that are no text', () => {
    using place = temporaryDirectory();
    using thread = startDigestThread();
    const path = Buffer.concat([Buffer.from(`${place.path}/`), Buffer.from([0xff, 0xe9])]);
    writeFileSync(path, 'bytes');
    thread.begin([path]);
    expect(thread.take(PATIENCE_MS)).toEqual([sha256('bytes')]);
  });

  it('throws what keeps a file from being read, follows no link, and goes on', () => {
    using place = temporaryDirectory();
    using thread = startDigestThread();
    const file = join(place.path, 'file');
    writeFileSync(file, 'there');
    symlinkSync(file, join(place.path, 'link'));
    thread.begin([join(place.path, 'none')]);
    thread.begin([join(place.path, 'link')]);
    thread.begin([file]);
    expect(() => thread.take(PATIENCE_MS)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => thread.take(PATIENCE_MS)).toThrow(expect.objectContaining({ code: 'ELOOP' }));
    expect(thread.take(PATIENCE_MS)).toEqual([sha256('there')]);
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
