import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { parseNew, refusePaths } from '../src/cli/checkout-operands.js';
import { checkoutToJson } from '../src/cli/json.js';
import { restartOutcome } from '../src/cli/restarted.js';
import { parseBranchName } from '../src/model/names.js';
import type { CheckoutOutcome } from '../src/model/results.js';
import { describeCheckout, renderCheckout } from '../src/render/outcome.js';

export default class Checkout extends BaseCommand {
  static override summary = 'Make a container from a version, or switch one to it in place.';
  static override description =
    `With NEW, a container of that name is made, on a branch of its own. Without it, the container that REVISION names is switched
in place: it must be stopped, or be restarted by --restart, keeps its name and addresses, and what was not committed is kept as a
version first, on the branch that it is on, also with --branch; how to go back to that is told. To take it along to a new branch, rename
the present one and make that again: lxcv branch mysql -m mysql tuning, lxcv branch mysql mysql. --restart waits up to a minute
until the container has stopped by lxc.signal.halt, and then kills it.`;
  static override examples = [
    'lxcv checkout mysql@2 mysql_tmp',
    'lxcv checkout mysql@3',
    'lxcv checkout mysql --branch tuning',
    'lxcv checkout mysql@1 mysql_try --branch experiment',
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
    detach: Flags.boolean({ exclusive: ['branch'], summary: 'Be on no branch.' }),
    restart: Flags.boolean({ summary: 'Stop a running container for the switch, and start it again.' }),
    'accept-base': Flags.boolean({ summary: 'Take a base that was changed as it is now.' }),
  };

  async run() {
    const { own, paths } = this.splitPaths();
    refusePaths(this.operandsOf(own), paths);
    const { args, flags } = await this.parse(Checkout, own);
    const engine = await this.openEngine(flags);
    const request = {
      revision: args.revision,
      container: args.new === undefined ? undefined : parseNew(args.new, this.line()),
      branch: flags.branch === undefined ? undefined : parseBranchName(flags.branch),
      detach: flags.detach,
      restart: flags.restart,
      acceptBase: flags['accept-base'],
    };
    const { outcome } = await this.change(
      async () => {
        const made = await engine.checkout(request);
        return { outcome: made, restarted: await restartOutcome(engine, made.container, flags.restart) };
      },
      ({ outcome: made, restarted }) => ({
        done: describeCheckout(made),
        text: renderCheckout(made, this.style, this.wayBack(made, flags.restart)),
        json: { ...checkoutToJson(made), ...restarted },
      }),
    );
    if (outcome.saved !== undefined) await this.afterwards(() => engine.seal(outcome.repository));
  }

  /** The command that goes back to what was not committed: onto its branch, whose newest version it is. */
  private wayBack({ container, saved }: CheckoutOutcome, restart: boolean): string | undefined {
    if (saved === undefined) return undefined;
    // Of a container that is called so, a branch may be called like a number.
    const place = /^\d+$/.test(saved.branch) ? saved.number : saved.branch;
    return this.pastable(`lxcv checkout ${restart ? '--restart ' : ''}${container}@${place}`);
  }
}
