import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { changeRootfs, mergeConcurrentEdit, stageConfig } from '../../src/store/config-file.js';
import { temporaryDirectory } from '../support/overlay.js';

const OLD = 'lxc.rootfs.path = overlay:/l:/old\nlxc.tty.max = 4\n';
const NEW = OLD.replace('/old', '/new');

describe('a config that is exchanged', () => {
  it('takes over the owner and the mode of the one that was there', () => {
    using place = new Place(OLD);
    files.chown(place.config, 7, 8);
    files.chmod(place.config, 0o604);
    place.stage(NEW);
    const { uid, gid, mode } = statSync(place.staged);
    expect([uid, gid, mode & 0o777]).toEqual([7, 8, 0o604]);
  });

  it('leaves nothing beside it where nobody edited it', () => {
    using place = new Place(OLD);
    place.exchange(NEW);
    mergeConcurrentEdit(files, place.config, place.staged, Buffer.from(OLD));
    expect(place.show()).toEqual({ config: NEW });
  });

  it('holds an edit that was made in the last moment', () => {
    using place = new Place(`${OLD}lxc.environment = A=1\n`);
    place.exchange(NEW);
    mergeConcurrentEdit(files, place.config, place.staged, Buffer.from(OLD));
    expect(place.show()).toEqual({ config: `${NEW}lxc.environment = A=1\n` });
  });

  it('holds each edit of somebody who does not stop', () => {
    using place = new Place(`${OLD}# edit 0\n`);
    place.exchange(NEW);
    mergeConcurrentEdit(editedBefore(place, 'exchange', 5), place.config, place.staged, Buffer.from(OLD));
    expect(place.edits()).toEqual(['# edit 0', '# edit 1', '# edit 2', '# edit 3', '# edit 4', '# edit 5']);
    expect(Object.keys(place.show())).toEqual(['config']);
    expect(place.show().config).toContain('/new');
  });

  it('is settled once, whatever happens to it later', () => {
    using place = new Place(OLD);
    place.exchange(NEW);
    mergeConcurrentEdit(files, place.config, place.staged, Buffer.from(OLD));
    writeFileSync(place.config, 'lxc.tty.max = 1\n');
    mergeConcurrentEdit(files, place.config, place.staged, Buffer.from(OLD));
    expect(place.show()).toEqual({ config: 'lxc.tty.max = 1\n' });
  });

  it('is not made again for a container that was destroyed', () => {
    using place = new Place(OLD);
    place.exchange(NEW);
    files.unlink(place.config);
    mergeConcurrentEdit(files, place.config, place.staged, Buffer.from(OLD));
    changeRootfs(files, place.config, place.staged, 'overlay:/l:/new', 'overlay:/m:/new');
    expect(place.show()).toEqual({});
  });
});

describe('changeRootfs', () => {
  it('changes the root file system alone, and holds each edit that is made meanwhile', () => {
    using place = new Place(OLD);
    changeRootfs(editedBefore(place, 'exchange', 3), place.config, place.staged, 'overlay:/l:/old', 'overlay:/l:/new');
    expect(place.show().config?.replaceAll(/# edit \d\n/g, '')).toBe(NEW);
    expect(place.edits()).toEqual(['# edit 1', '# edit 2', '# edit 3']);
  });

  it('leaves one that somebody else set', () => {
    using place = new Place(OLD.replace('/old', '/mine'));
    changeRootfs(files, place.config, place.staged, 'overlay:/l:/old', 'overlay:/l:/new');
    expect(place.show()).toEqual({ config: OLD.replace('/old', '/mine') });
  });

  it.each(['create', 'exchange', 'unlink', 'chmod'] as const)('can be run again after a crash before %s', (call) => {
    using place = new Place(OLD);
    const run = (with_: Files) => changeRootfs(with_, place.config, place.staged, 'overlay:/l:/old', 'overlay:/l:/new');
    const dying = { ...files, [call]: () => Promise.reject.call(null) };
    expect(() => run(dying)).toThrow();
    run(files);
    expect(place.show()).toEqual({ config: NEW });
  });
});

describe('what takes the place of a config', () => {
  it('is on disk before it does, be it an edit that is carried over', () => {
    using place = new Place(OLD);
    const synced = new Set<string>();
    const taken: string[] = [];
    const watched: Files = {
      ...editedBefore(place, 'exchange', 2),
      create: (path, data, mode) => {
        synced.delete(`${path}`);
        files.create(path, data, mode);
      },
      sync: (path) => void synced.add(`${path}`),
    };
    const exchange = watched.exchange;
    watched.exchange = (staged, config) => {
      taken.push(synced.has(`${staged}`) ? 'synced' : `${staged} was not synced`);
      exchange(staged, config);
    };
    changeRootfs(watched, place.config, place.staged, 'overlay:/l:/old', 'overlay:/l:/new');
    expect(place.edits()).toHaveLength(2);
    expect(taken).toEqual(['synced', 'synced', 'synced']);
  });
});

class Place implements Disposable {
  private readonly directory = temporaryDirectory();
  readonly config = join(this.directory.path, 'config');
  readonly staged = join(this.directory.path, '.config.lxcv');

  constructor(content: string) {
    writeFileSync(this.config, content);
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }

  stage(content: string): void {
    stageConfig(files, this.config, this.staged, Buffer.from(content));
  }

  exchange(content: string): void {
    this.stage(content);
    files.exchange(this.staged, this.config);
  }

  show(): Record<string, string> {
    const names = readdirSync(this.directory.path);
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(this.directory.path, name), 'utf8')]));
  }

  edits(): string[] {
    return (this.show().config ?? '').match(/^# edit .*$/gm) ?? [];
  }
}

/** The machine's files, with somebody who appends a line to the config just before a call, the first few times. */
function editedBefore(place: Place, call: 'exchange', times: number): Files {
  let count = 0;
  return {
    ...files,
    [call]: (a: string, b: string) => {
      count += 1;
      if (count <= times && existsSync(place.config)) {
        writeFileSync(place.config, `# edit ${count}\n`, { flag: 'a' });
      }
      files[call](a, b);
    },
  };
}
