import * as Args from '@oclif/core/args';
import { BaseCommand } from '../src/cli/base-command.js';
import { EXIT_CODES } from '../src/model/errors.js';
import type { Finding } from '../src/model/finding.js';
import { renderFindings } from '../src/render/findings.js';

export default class Fsck extends BaseCommand {
  static override summary = 'Look whether the store keeps its promises.';
  static override description =
    'Reads every manifest, ref and record, and looks at the extended attributes of every path of every version for what overlayfs would not keep, and compares bases by the 4096 shallowest entries. Reads no files: their bytes, sizes, modes, and whether one is missing in a version, it does not look at. Changes nothing. Ends with exit code 5 where it finds something, and with 1 where that is only an operation that waits.';
  static override examples = ['lxcv fsck', 'lxcv fsck mysql'];
  static override args = { repository: Args.string({ description: 'The repository; all of them without it.' }) };

  async run() {
    const { args, flags } = await this.parse(Fsck);
    const engine = await this.openEngine(flags);
    const found = await engine.fsck(
      args.repository === undefined ? undefined : this.containerArgument(args.repository),
    );
    const findings = found.map((finding) => ({ ...finding, hint: this.pastable(finding.hint) }));
    if (findings.length > 0)
      process.exitCode = EXIT_CODES[findings.every(isPending) ? 'operation-pending' : 'store-damaged'];
    await this.print(renderFindings(findings, this.style));
    return { findings };
  }
}

function isPending({ code }: Finding): boolean {
  return code === 'operation-pending';
}
