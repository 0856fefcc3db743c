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
    `With NEW, makes a container of that name, on a branch of its own, as lxc-snap -r did and git worktree add does. Without NEW,
switches the container that REVISION names, as git switch does. It keeps its name and addresses, and must be stopped, or be restarted by --restart.

Nothing is lost: what was not committed is first kept as a version, on the branch that the container is on (also with --branch),
and the command that goes back to it is printed. To take it along to a new branch, rename the present branch and create it
again: lxcv branch mysql -m mysql tuning, lxcv branch mysql mysql.

--restart waits up to a minute for the container to stop (lxc.signal.halt), and then kills it.`;
  static override exitCodes =
    'With --restart, 1 also where the checkout was made and the container could not be started again.';
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
      summary: 'The branch to be on; created if it does not exist.',
    }),
    detach: Flags.boolean({ exclusive: ['branch'], summary: 'Be on no branch.' }),
    restart: Flags.boolean({ summary: 'Stop a running container for the switch, and start it again.' }),
    'accept-base': Flags.boolean({ summary: 'Proceed although the base has changed, and record its new state.' }),
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
