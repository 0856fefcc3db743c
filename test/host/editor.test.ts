import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { edit, readText } from '../../src/host/editor.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('edit', () => {
  it('gives back what was saved, without comments and blank ends', async () => {
    using place = withEditor('printf "\\n# no\\ntitle\\n\\n body # yes\\n#no\\n\\n" >');
    expect(await edit('template')).toBe('title\n\n body # yes');
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('shows the template', async () => {
    using place = withEditor('cp "$1" "$SEEN" #');
    vi.stubEnv('SEEN', join(place.path, 'seen'));
    expect(await edit('text\n# template')).toBe('text');
    expect(readFileSync(join(place.path, 'seen'), 'utf8')).toBe('text\n# template');
  });

  it('gives nothing back where the editor fails', async () => {
    using place = withEditor('exit 1;');
    expect(await edit('template')).toBeUndefined();
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('takes the editor that git would take', async () => {
    using _ = withEditor('');
    vi.stubEnv('EDITOR', 'echo EDITOR >');
    expect(await edit('')).toBe('EDITOR');
    vi.stubEnv('VISUAL', 'echo VISUAL >');
    expect(await edit('')).toBe('VISUAL');
    vi.stubEnv('GIT_EDITOR', 'echo GIT_EDITOR >');
    expect(await edit('')).toBe('GIT_EDITOR');
  });
});

describe('readText', () => {
  it('reads a file', () => {
    using place = temporaryDirectory();
    plant(place.path, { message: 'ü\n' });
    expect(readText(join(place.path, 'message'))).toBe('ü\n');
    expect(() => readText(join(place.path, 'missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

/** Temporary files lie in the directory that is returned; the editor is a line of sh(1) with the file behind it. */
function withEditor(editor: string): DisposablePath {
  const place = temporaryDirectory();
  vi.stubEnv('TMPDIR', place.path);
  for (const name of ['VISUAL', 'EDITOR']) vi.stubEnv(name, undefined);
  vi.stubEnv('GIT_EDITOR', editor === '' ? undefined : editor);
  return place;
}
