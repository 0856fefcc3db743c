import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { meantByNumbers } from '../src/cli/bare-numbers.js';
import { BaseCommand } from '../src/cli/base-command.js';
import { writeBytes } from '../src/cli/bytes.js';
import { formFlags, linesOfForm } from '../src/cli/diff-forms.js';
import { changeToJson, patchToJson } from '../src/cli/json.js';
import { each } from '../src/cli/json-text.js';
import { screenRows } from '../src/cli/terminal.js';
import type { Engine } from '../src/engine.js';
import { portionsOf, readAll } from '../src/model/bytes.js';
import { LxcvError } from '../src/model/errors.js';
import { parseRange, parseTreePath } from '../src/model/revision.js';
import type { PatchRequest } from '../src/operations/patch.js';
import { renderPatch } from '../src/render/patch.js';

export default class Diff extends BaseCommand {
  static override summary = 'Show what differs between two versions, or a version and what a container holds now.';
  static override description = `Like git diff; a letter and a path a line, as git diff --name-status shows it.

Without PATH, changes of the LXC config follow under a heading, but not with --name-only, --name-status, --packages and -p. Where nothing
else changed, there is nothing to commit: a version keeps the config that its container has when it is made.`;
  static override takesPaths = true;
  static override exitCodes = 'With --exit-code or --quiet, 1 also where anything differs.';
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
    ...formFlags,
    'exit-code': Flags.boolean({ summary: 'End with 1 where anything differs, and with 0 where nothing does.' }),
    quiet: Flags.boolean({ char: 'q', summary: 'Show nothing, and end as with --exit-code.' }),
    unified: Flags.integer({ char: 'U', min: 0, helpValue: 'N', dependsOn: ['patch'], summary: 'Lines of context.' }),
  };

  async run() {
    const { own, paths } = this.splitPaths();
    const operands = this.operandsOf(own);
    const meant = meantByNumbers(operands);
    if (meant !== undefined) throw this.usageError(`lxcv diff does not take ${JSON.stringify(operands[1])}`, meant);
    const { args, flags } = await this.parse(Diff, own);
    const [first, second] = args.to === undefined ? parseRange(args.from) : [args.from, args.to];
    if (flags.packages && paths.length > 0) {
      throw new LxcvError('bad-usage', '--packages takes no paths', 'Packages are those of the whole system.');
    }
    const engine = await this.openEngine(flags);
    const request = { from: first, to: second, paths: paths.map(parseTreePath) };
    const setsExitCode = flags['exit-code'] || flags.quiet;
    if (flags.patch && !flags.quiet)
      return this.showPatch(engine, { ...request, context: flags.unified }, setsExitCode);
    const diff = await engine.diff({
      ...request,
      detail: flags.metadata ? 'attributes' : flags.stat ? 'sizes' : 'names',
      packages: flags.packages,
    });
    if (setsExitCode && (diff.changes.length > 0 || diff.config.removed.length + diff.config.added.length > 0))
      process.exitCode = 1;
    if (!flags.quiet) await this.pageLines(linesOfForm(diff, flags, this.style, screenRows()));
    if (!this.jsonEnabled()) return;
    const { from, to, changes, config, packages } = diff;
    return { from: from.name, to: to.name, changes: each(changes, changeToJson), config, packages };
  }

  private async showPatch(engine: Engine, request: PatchRequest, setsExitCode: boolean) {
    using patch = await engine.patch(request);
    if (setsExitCode && patch.size > 0) process.exitCode = 1;
    if (this.jsonEnabled()) return patchToJson(readAll(patch));
    if (this.style.human) await this.page(renderPatch(readAll(patch), this.style));
    else await writeBytes(portionsOf(patch));
    return;
  }
}
