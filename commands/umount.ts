import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import { BaseCommand } from '../src/cli/base-command.js';
import { requireText } from '../src/cli/text-argument.js';

export default class Umount extends BaseCommand {
  static override summary = 'Unmount what lxcv mount has mounted.';
  static override examples = ['lxcv umount /mnt'];
  static override args = { directory: Args.string({ required: true, description: 'The directory.' }) };

  async run() {
    const { args, flags } = await this.parse(Umount);
    const engine = await this.openEngine(flags);
    const directory = resolve(requireText(args.directory, 'the name of the directory', 'Take another one.'));
    await this.change(
      () => engine.unmountVersion(directory),
      () => ({ done: `unmounted ${args.directory}`, json: { directory } }),
    );
  }
}
