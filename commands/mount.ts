import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { requireText } from '../src/cli/text-argument.js';

export default class Mount extends BaseCommand {
  static override summary = 'Mount a version on a directory, read-only.';
  static override description =
    `Shows exactly what the version holds. Devices and set-user-id programs in it do not work. lxcv umount ends it.`;
  static override examples = ['lxcv mount mysql@2 /mnt'];
  static override args = {
    revision: Args.string({ required: true, description: 'NAME[@REV]' }),
    directory: Args.string({ required: true, description: 'An empty directory.' }),
  };
  static override flags = { 'accept-base': Flags.boolean({ summary: 'Proceed although the base has changed.' }) };

  async run() {
    const { args, flags } = await this.parse(Mount);
    const engine = await this.openEngine(flags);
    const directory = resolve(requireText(args.directory, 'the name of the directory', 'Take another one.'));
    const request = { revision: args.revision, directory, acceptBase: flags['accept-base'] };
    await this.change(
      () => engine.mountVersion(request),
      ({ version, refs }) => ({
        done: `@${version.number} is mounted on ${args.directory}`,
        json: { version: versionToJson(version, refs), directory },
      }),
    );
  }
}
