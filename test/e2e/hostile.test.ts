import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { readAll } from '../../src/model/bytes.js';
import { LxcvError } from '../../src/model/errors.js';
import { type FileRevision, parseFileRevision } from '../../src/model/revision.js';
import type { ContainerName } from '../../src/model/version.js';
import { temporaryLxc } from '../support/lxc.js';

const SECRET = 'of the host alone';
const FILE = 'home/place/file' as BytePath;
const MYSQL = 'mysql' as ContainerName;
const WORK = 'mysql@WORK';
/** Rounds of looking, and at most how many until everything has told two things. */
const ROUNDS = 40;
const MOST_ROUNDS = 200;

/** All that looks at what a running container holds, with what it told, as text. */
const LOOKS: Readonly<Record<string, (engine: Engine) => Promise<string>>> = {
  status: async (engine) => print(await engine.status(MYSQL)),
  diff: async (engine) => print(await engine.diff({ from: 'mysql', detail: 'attributes', packages: true })),
  'diff -p': async (engine) => {
    using patch = await engine.patch({ from: 'mysql' });
    return readAll(patch).toString('latin1');
  },
  blame: async (engine) =>
    print((await engine.blame({ revision: WORK, path: FILE })).lines.map(({ text }) => `${text}`)),
  grep: async (engine) => {
    const request = {
      pattern: 'plain|host',
      revisions: [WORK],
      paths: ['home' as BytePath],
      syntax: 'extended' as const,
    };
    const found: string[] = [];
    for await (const some of engine.grep(request))
      found.push(...some.map((one) => ('text' in one ? `${one.text}` : one.reason)));
    return print(found);
  },
  'show of a file': async (engine) => {
    using shown = await engine.showPath({ ...file(`${WORK}:${FILE}`), content: 'bytes' });
    return print([shown.info, ...(shown.bytes === undefined ? [] : [...shown.bytes()].map(String))]);
  },
  'show of a directory': async (engine) => {
    using shown = await engine.showPath({ ...file(`${WORK}:home/place`), content: 'digest' });
    return print([shown.info, shown.entries]);
  },
};

describe('a container that puts links and pipes in the way, again and again', () => {
  it('has lxcv read nothing outside of it, wait for nothing and end with no failure', async () => {
    using lxc = temporaryLxc();
    const outside = join(lxc.directory, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), `${SECRET}\n`);
    lxc.createBase(MYSQL);
    {
      using root = lxc.mount(MYSQL);
      mkdirSync(join(root.path, 'home/place'));
      writeFileSync(join(root.path, FILE), 'plain\n');
    }
    await lxc.commit(MYSQL, 'First');
    await lxc.start(MYSQL);
    const steps = [
      `rm -rf place; ln -s ${outside} place`,
      'rm place; mkdir place; echo plain text >place/file',
      'rm place/file; mkfifo place/file',
      `rm place/file; ln -s ${outside}/file place/file`,
      'rm place/file; mkdir place/file',
      // At times it stays for a while, or what opens it twice would hardly ever have found it.
      'rmdir place/file; echo other plain text >place/file; n=$((n + 1)); [ $((n % 5)) != 0 ] || sleep 0.01',
    ];
    await lxc.attach(MYSQL, `cd /home && (while :; do ${steps.join('; ')}; done) >/dev/null 2>&1 &`);

    const engine = await openEngine({ lxcpath: lxc.lxcpath });
    const told = new Map<string, Set<string>>();
    const unchanged = () => Object.keys(LOOKS).filter((name) => (told.get(name)?.size ?? 0) < 2);
    for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && unchanged().length > 0); round += 1) {
      for (const [name, look] of Object.entries(LOOKS)) {
        const text = await look(engine).catch(codeOf);
        expect([name, text]).toEqual([name, expect.not.stringContaining(SECRET)]);
        told.set(name, (told.get(name) ?? new Set()).add(text));
      }
    }
    await lxc.commit(MYSQL, 'While all that goes on');
    await lxc.stop(MYSQL);
    // What was looked at did change all the while.
    expect(unchanged()).toEqual([]);
    using shown = await engine.patch({ from: 'mysql@0', to: 'mysql@1' });
    expect(readAll(shown).toString()).not.toContain(SECRET);
  });
});

function file(text: string): FileRevision {
  return parseFileRevision(text) as FileRevision;
}

/** What lxcv says of what is not there any more, or no text. */
function codeOf(error: unknown): string {
  if (error instanceof LxcvError && ['path-not-found', 'not-text'].includes(error.code)) return error.code;
  throw error;
}

function print(told: unknown): string {
  return JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
}
