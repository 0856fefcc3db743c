import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { parseBranchName, parseContainerName } from '../src/model/names.js';
import type { CheckoutOutcome } from '../src/operations/checkout-request.js';
import { renderCheckout } from '../src/render/outcome.js';

export default class Checkout extends BaseCommand {
  static override summary = 'Make a container from a version, or switch one to it in place.';
  static override description =
    `With NEW, a container of that name is made, on a branch of its own. Without it, the container that REVISION names is switched
in place: it must be stopped, keeps its name and addresses, and what was not committed is kept as a version first.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> mysql@2 mysql_tmp',
    '<%= config.bin %> <%= command.id %> mysql@3',
    '<%= config.bin %> <%= command.id %> mysql@1 mysql_try --branch experiment',
  ];
  static override args = {
    revision: Args.string({ required: true, description: 'NAME[@REV]: a version of a container or repository.' }),
    new: Args.string({ description: 'The container to make.' }),
  };
  static override flags = {
    branch: Flags.string({
      char: 'b',
      helpValue: 'BRANCH',
      exclusive: ['detach'],
      summary: 'The branch to be on, made where it is not there.',
    }),
    detach: Flags.boolean({ summary: 'Be on no branch.' }),
    restart: Flags.boolean({ summary: 'Stop a running container for the switch, and start it again.' }),
    'accept-base': Flags.boolean({ summary: 'Take a base that was changed as it is now.' }),
  };

  async run() {
    const { args, flags } = await this.parse(Checkout);
    const engine = await this.openEngine(flags);
    const request = {
      revision: args.revision,
      ...(args.new === undefined ? {} : { container: parseContainerName(args.new) }),
      ...(flags.branch === undefined ? {} : { branch: parseBranchName(flags.branch) }),
      ...{ detach: flags.detach, restart: flags.restart, acceptBase: flags['accept-base'] },
    };
    const outcome = await this.change(
      () => engine.checkout(request),
      (made) => ({ done: inOneLine(made), text: renderCheckout(made, this.style), json: toJson(made) }),
    );
    if (outcome.saved !== undefined) await this.afterwards(() => engine.seal(outcome.repository));
  }
}

function toJson({ container, version, refs, branch, saved }: CheckoutOutcome) {
  return {
    container,
    version: versionToJson(version, refs),
    branch,
    ...(saved === undefined ? {} : { saved: versionToJson(saved, [saved.branch]) }),
  };
}

function inOneLine({ container, version, saved }: CheckoutOutcome): string {
  const kept = saved === undefined ? '' : `, and what was not committed is kept as @${saved.number} ${saved.id}`;
  return `${container} is at @${version.number}${kept}`;
}
