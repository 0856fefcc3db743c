import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { changeToJson, packageToJson, versionToJson } from '../src/cli/json.js';
import { each } from '../src/cli/json-text.js';
import { parseContainerName } from '../src/model/names.js';
import { statusLines } from '../src/render/status.js';

export default class Status extends BaseCommand {
  static override summary = 'Show what changed in a container since its last version.';
  static override examples = ['lxcv status mysql'];
  static override args = { container: Args.string({ required: true, description: 'The container.' }) };
  static override flags = { verbose: Flags.boolean({ char: 'v', summary: 'Show every path.' }) };

  async run() {
    const { args, flags } = await this.parse(Status);
    const engine = await this.openEngine(flags);
    const status = await engine.status(parseContainerName(args.container));
    await this.printLines(statusLines(status, this.style, { verbose: flags.verbose }));
    if (!this.jsonEnabled()) return;
    const { version, refs, changes, packages, ...rest } = status;
    return {
      ...rest,
      version: version && versionToJson(version, refs),
      changes: each(changes, changeToJson),
      packages: packages.map(packageToJson),
    };
  }
}
