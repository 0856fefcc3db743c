import * as Args from '@oclif/core/args';
import { BaseCommand } from '../src/cli/base-command.js';
import { EXIT_CODES } from '../src/model/errors.js';
import type { Finding } from '../src/model/finding.js';
import { renderFindings } from '../src/render/findings.js';

export default class Fsck extends BaseCommand {
  static override summary = 'Verify the store.';
  static override description =
    `Like git fsck, but it does not read the bytes of files. It reads every manifest, ref and record, checks the extended attributes of every
path of every version for what overlayfs would not keep, and compares each base by its 4096 shallowest entries. It does not notice that a
file of a version is missing, or that its bytes, size or mode have changed. It changes nothing.`;
  static override exitCodes = '5 where something was found, 1 where that is only a pending operation.';
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
