import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { changeToJson, packageToJson, versionToJson } from '../src/cli/json.js';
import { each } from '../src/cli/json-text.js';
import { tellTroubles } from '../src/cli/troubles.js';
import type { Engine } from '../src/engine.js';
import type { Status as ContainerStatus } from '../src/model/results.js';
import { nameStatusLines } from '../src/render/diff.js';
import { statusLines } from '../src/render/status.js';

export default class Status extends BaseCommand {
  static override summary = 'Show what changed in a container since its last version.';
  static override description =
    `Like git status; there is no index. Changes of the LXC config are not shown here, but by lxcv diff: a version keeps the config that its
container has when it is made.`;
  static override exitCodes =
    'With --all, the highest code of what could not be read, where something could not; the rest is shown.';
  static override examples = ['lxcv status mysql', 'lxcv status --all'];
  static override args = { container: Args.string({ description: 'The container.' }) };
  static override flags = {
    all: Flags.boolean({ char: 'a', summary: 'Show this of every container that has versions.' }),
    short: Flags.boolean({
      char: 's',
      exclusive: ['verbose'],
      summary: 'Show a letter and a path a line, and nothing else; with --all CONTAINER:PATH.',
    }),
    verbose: Flags.boolean({ char: 'v', exclusive: ['short'], summary: 'Show every path.' }),
  };

  async run() {
    const { args, flags } = await this.parse(Status);
    if (Boolean(flags.all) === (args.container !== undefined)) {
      if (flags.all) throw this.usageError('lxcv status takes a CONTAINER or --all, and not both');
      throw await this.withNames(this.usageError('lxcv status needs a CONTAINER or --all'));
    }
    const engine = await this.openEngine(flags);
    if (args.container === undefined) return await this.showAll(engine, flags);
    const status = await engine.status(this.containerArgument(args.container));
    const { verbose } = flags;
    const lines = flags.short
      ? nameStatusLines(status.changes, this.style)
      : statusLines(status, this.style, { verbose });
    await this.printLines(lines);
    if (!this.jsonEnabled()) return;
    const { changes, ...rest } = status;
    return { ...toJson(rest), changes: each(changes, changeToJson) };
  }

  private async showAll(engine: Engine, { short, verbose }: { readonly short: boolean; readonly verbose: boolean }) {
    const { containers, troubles } = await engine.statusOfAll();
    for (const [index, status] of containers.entries()) {
      if (index > 0 && !short) await this.print('\n');
      await this.printLines(
        short
          ? nameStatusLines(status.changes, this.style, `${status.container}:`)
          : statusLines(status, this.style, { verbose }),
      );
    }
    const errors = tellTroubles(troubles, (hint) => this.pastable(hint));
    return this.jsonEnabled() ? { containers: each(containers, statusToJson), errors } : undefined;
  }
}

function toJson({ version, refs, packages, ...rest }: Omit<ContainerStatus, 'changes'>) {
  return { ...rest, version: version && versionToJson(version, refs), packages: packages.map(packageToJson) };
}

/** One of many: only an array is written a piece at a time, not what is in it. */
function statusToJson({ changes, ...rest }: ContainerStatus) {
  return { ...toJson(rest), changes: Array.from(changes, changeToJson) };
}
