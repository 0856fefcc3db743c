import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { quoteForShell } from '../src/cli/paste.js';
import { requireText } from '../src/cli/text-argument.js';
import { LxcvError } from '../src/model/errors.js';

export default class Export extends BaseCommand {
  static override summary = 'Write the whole root file system of a version to a tarball.';
  static override description =
    `Like git archive. Owners are numeric; extended attributes, ACLs and capabilities are kept. The name of the file says how it is compressed:
.tar, .tar.gz (.tgz), .tar.xz (.txz), .tar.zst (.tzst), .tar.bz2 (.tbz2); one without an ending is not compressed.`;
  static override examples = ['lxcv export mysql@2 -o mysql_ship.tar.gz'];
  static override args = {
    revision: Args.string({ required: true, description: 'NAME[@REV]' }),
    file: Args.string({ description: 'The same as --output.' }),
  };
  static override flags = {
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      summary: 'The file to write; - is standard output.',
    }),
    'accept-base': Flags.boolean({ summary: 'Proceed although the base has changed.' }),
  };

  async run() {
    const { args, flags } = await this.parse(Export);
    if ((flags.output === undefined) === (args.file === undefined)) {
      throw this.usageError(
        flags.output === undefined
          ? 'lxcv export needs --output FILE'
          : `lxcv export does not take ${JSON.stringify(args.file)}`,
        flags.output === undefined && !process.stdout.isTTY
          ? `To a file: ${this.lineTo(args.revision, `${args.revision.replace(/[@~^].*$/s, '')}.tar.gz`)}; to standard output: ${this.lineTo(args.revision, '-')}`
          : undefined,
      );
    }
    const file = flags.output ?? (args.file as string);
    const toStdout = file === '-';
    if (toStdout && (process.stdout.isTTY || this.jsonEnabled())) {
      throw new LxcvError(
        'bad-usage',
        'a tarball cannot go to a terminal or, with --json, to standard output',
        `Name a file: ${this.lineTo(args.revision, `${args.revision.replace(/[@~^].*$/s, '')}.tar.gz`)}`,
      );
    }
    const engine = await this.openEngine(flags);
    const name = requireText(
      file,
      'the name of the file',
      `Take another name; or standard output: ${this.lineTo(args.revision, '-')}`,
    );
    const output = toStdout ? undefined : resolve(name);
    const request = { revision: args.revision, output, acceptBase: flags['accept-base'] };
    await this.change(
      () => engine.exportVersion(request),
      ({ version, refs }) => ({
        done: `wrote @${version.number} to ${file}`,
        text: toStdout ? '' : undefined,
        json: { version: versionToJson(version, refs), output: output ?? null },
      }),
    );
  }

  private lineTo(revision: string, file: string): string {
    return ['lxcv', 'export', revision, '-o', file].map(quoteForShell).join(' ');
  }
}
