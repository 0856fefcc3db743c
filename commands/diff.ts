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
import { parseRange, parseTreePath } from '../src/model/revision.js';
import { behind, configLines, diffLines, nameLines, nameStatusLines } from '../src/render/diff.js';
import { metadataLines } from '../src/render/diff-metadata.js';
import { statLines } from '../src/render/diff-stat.js';
import { renderPackages } from '../src/render/packages.js';
import { renderPatch } from '../src/render/patch.js';
import type { Style } from '../src/render/style.js';

/** The ways to tell a difference: each without the others. */
const FORMS = ['name-only', 'name-status', 'stat', 'metadata', 'packages', 'patch'];

export default class Diff extends BaseCommand {
  static override summary = 'Show what differs between two versions, or a version and what a container holds now.';
  static override description =
    `Without PATH, what changed in the LXC config is told behind the paths, but by --name-only, --name-status, --packages and -p. Where nothing else
changed there is nothing to commit: a version keeps the config that its container has when it is made.`;
  static override takesPaths = true;
  static override examples = [
    'lxcv diff mysql',
    'lxcv diff mysql@1 mysql@2',
    'lxcv diff mysql@1..2',
    'lxcv diff mysql@1 -p -- /etc',
    'lxcv diff --packages mysql@1 mysql',
  ];
  static override args = {
    from: Args.string({
      required: true,
      description: 'NAME[@REV]: a version; NAME@WORK, NAME@BASE; or both: NAME@A..B.',
    }),
    to: Args.string({ description: 'The same (default: what the container holds now).' }),
  };
  static override flags = {
    'name-only': Flags.boolean({ exclusive: without('name-only'), summary: 'Show every path, and nothing else.' }),
    'name-status': Flags.boolean({
      exclusive: without('name-status'),
      summary:
        'Show every path with a letter: A added, M modified, D removed, R moved, T of another type, m metadata only.',
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
      summary: 'Show what differs in texts and in modes of files, as git does.',
    }),
    'exit-code': Flags.boolean({ summary: 'End with 1 where anything differs, and with 0 where nothing does.' }),
    quiet: Flags.boolean({ char: 'q', summary: 'Show nothing, and end as with --exit-code.' }),
    unified: Flags.integer({ char: 'U', min: 0, helpValue: 'N', dependsOn: ['patch'], summary: 'Lines of context.' }),
  };

  async run() {
    const { own, paths } = this.splitPaths();
    this.refuseNumbers(own);
    const { args, flags } = await this.parse(Diff, own);
    const [first, second] = args.to === undefined ? parseRange(args.from) : [args.from, args.to];
    if (flags.packages && paths.length > 0) {
      throw new LxcvError('bad-usage', '--packages takes no paths', 'Packages are those of the whole system.');
    }
    const engine = await this.openEngine(flags);
    const request = {
      from: first,
      ...(second === undefined ? {} : { to: second }),
      paths: paths.map(parseTreePath),
    };
    const tells = flags['exit-code'] || flags.quiet;
    if (flags.patch && !flags.quiet) {
      const context = flags.unified === undefined ? {} : { context: flags.unified };
      using patch = await engine.patch({ ...request, ...context });
      if (tells && patch.size > 0) process.exitCode = 1;
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
    if (tells && (diff.changes.length > 0 || diff.config.removed.length + diff.config.added.length > 0))
      process.exitCode = 1;
    if (!flags.quiet) await this.pageLines(linesOf(diff, flags, this.style));
    if (!this.jsonEnabled()) return;
    const { from, to, changes, config, packages } = diff;
    return {
      from: from.name,
      to: to.name,
      changes: each(changes, changeToJson),
      config,
      ...(packages === undefined ? {} : { packages }),
    };
  }

  /** `diff web 0 1`, as of a tool whose versions are numbers. */
  private refuseNumbers(own: readonly string[]): void {
    const [name = '', ...others] = this.operandsOf(own);
    const [first, second] = others;
    if (first === undefined || !others.every((each) => /^\d+$/.test(each)) || name.includes('@')) return;
    const revisions = second === undefined ? [`${name}@${first}`, name] : others.map((each) => `${name}@${each}`);
    throw this.usageError(
      `lxcv diff does not take ${JSON.stringify(first)}`,
      `Versions: lxcv diff ${revisions.join(' ')}`,
    );
  }
}

/** A flag that excluded itself could not be given at all. */
function without(form: string): string[] {
  return FORMS.filter((other) => other !== form);
}

type Forms = Readonly<Record<'name-only' | 'name-status' | 'stat' | 'metadata' | 'packages', boolean>>;

/** Made when they are asked for. */
function* linesOf(diff: Awaited<ReturnType<Engine['diff']>>, forms: Forms, style: Style): Generator<string> {
  const { changes, packages = [] } = diff;
  if (forms['name-only']) yield* nameLines(changes);
  else if (forms['name-status']) yield* nameStatusLines(changes, style);
  else if (forms.stat) yield* statLines(diff, style);
  else if (forms.metadata) yield* behind(metadataLines(changes, style), configLines(diff.config, style));
  else if (forms.packages) yield* textLines(renderPackages(packages, style));
  else yield* diffLines(diff, style, screenRows());
}

function textLines(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}
