import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { writeBytes } from '../src/cli/bytes.js';
import { changeToJson, patchToJson } from '../src/cli/json.js';
import { each } from '../src/cli/json-text.js';
import { screenRows } from '../src/cli/terminal.js';
import type { Engine } from '../src/engine.js';
import { portionsOf, readAll } from '../src/model/bytes.js';
import { LxcvError } from '../src/model/errors.js';
import { parseTreePath } from '../src/model/revision.js';
import { diffLines, nameStatusLines } from '../src/render/diff.js';
import { metadataLines } from '../src/render/diff-metadata.js';
import { statLines } from '../src/render/diff-stat.js';
import { renderPackages } from '../src/render/packages.js';
import { renderPatch } from '../src/render/patch.js';
import type { Style } from '../src/render/style.js';

/** The ways to tell a difference: each without the others. */
const FORMS = ['name-status', 'stat', 'metadata', 'packages', 'patch'];

export default class Diff extends BaseCommand {
  static override summary = 'Show what differs between two versions, or a version and what a container holds now.';
  static override takesPaths = true;
  static override examples = [
    'lxcv diff mysql',
    'lxcv diff mysql@1 mysql@2',
    'lxcv diff mysql@1 -p -- /etc',
    'lxcv diff --packages mysql@1 mysql',
  ];
  static override args = {
    from: Args.string({ required: true, description: 'NAME[@REV]: a version; NAME@WORK, NAME@BASE.' }),
    to: Args.string({ description: 'The same (default: what the container holds now).' }),
  };
  static override flags = {
    'name-status': Flags.boolean({
      exclusive: without('name-status'),
      summary: 'Show every path with a letter: A added, M modified, D removed, R moved, m metadata only.',
    }),
    stat: Flags.boolean({ exclusive: without('stat'), summary: 'Show the size that each path had and has.' }),
    metadata: Flags.boolean({
      exclusive: without('metadata'),
      summary: 'Show what changed of modes, owners, times, ACLs, capabilities and other extended attributes.',
    }),
    packages: Flags.boolean({
      exclusive: without('packages'),
      summary: 'Show which packages of dpkg, apk and rpm were installed, removed and upgraded.',
    }),
    patch: Flags.boolean({
      char: 'p',
      exclusive: without('patch'),
      summary: 'Show what differs in texts, as git does.',
    }),
    unified: Flags.integer({ char: 'U', min: 0, helpValue: 'N', dependsOn: ['patch'], summary: 'Lines of context.' }),
  };

  async run() {
    const { own, paths } = this.splitPaths();
    const { args, flags } = await this.parse(Diff, own);
    if (flags.packages && paths.length > 0) {
      throw new LxcvError('bad-usage', '--packages takes no paths', 'Packages are those of the whole system.');
    }
    const engine = await this.openEngine(flags);
    const request = {
      from: args.from,
      ...(args.to === undefined ? {} : { to: args.to }),
      paths: paths.map(parseTreePath),
    };
    if (flags.patch) {
      const context = flags.unified === undefined ? {} : { context: flags.unified };
      using patch = await engine.patch({ ...request, ...context });
      if (this.jsonEnabled()) return patchToJson(readAll(patch));
      if (this.style.human) await this.page(renderPatch(readAll(patch), this.style));
      else await writeBytes(portionsOf(patch));
      return;
    }
    const diff = await engine.diff({
      ...request,
      attributes: flags.metadata,
      sizes: flags.stat,
      packages: flags.packages,
    });
    await this.pageLines(linesOf(diff, flags, this.style));
    if (!this.jsonEnabled()) return;
    const { from, to, changes, config, packages } = diff;
    return {
      ...{ from: from.name, to: to.name, changes: each(changes, changeToJson), config },
      ...(packages === undefined ? {} : { packages }),
    };
  }
}

/** A flag that excluded itself could not be given at all. */
function without(form: string): string[] {
  return FORMS.filter((other) => other !== form);
}

type Forms = Readonly<Record<'name-status' | 'stat' | 'metadata' | 'packages', boolean>>;

/** Made when they are asked for. */
function* linesOf(diff: Awaited<ReturnType<Engine['diff']>>, forms: Forms, style: Style): Generator<string> {
  const { changes, packages = [] } = diff;
  if (forms['name-status']) yield* nameStatusLines(changes, style);
  else if (forms.stat) yield* statLines(changes, style);
  else if (forms.metadata) yield* metadataLines(changes, style);
  else if (forms.packages) yield* textLines(renderPackages(packages, style));
  else yield* diffLines(diff, style, screenRows());
}

function textLines(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}
