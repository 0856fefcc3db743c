import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { parseBranchName, parseContainerName } from '../src/model/names.js';
import type { Branch as BranchValue } from '../src/model/results.js';
import type { BranchName } from '../src/model/version.js';
import { renderBranches } from '../src/render/branch.js';

export default class Branch extends BaseCommand {
  static override summary = 'List, create, rename or delete branches.';
  static override description =
    `Like git branch. The branch that a container is on moves to each new version of it. To put a container on another branch, see
lxcv checkout. Deleting a branch deletes no version.`;
  static override examples = [
    'lxcv branch mysql',
    'lxcv branch mysql tuning mysql@1',
    'lxcv branch mysql --move tuning fast',
    'lxcv branch mysql --delete tuning',
  ];
  static override args = {
    name: Args.string({ required: true, description: 'The container or repository.' }),
    branch: Args.string({ description: 'The branch to create, rename or delete.' }),
    where: Args.string({
      description: 'Where the branch begins, NAME[@REV] (default: HEAD); with --move, its new name.',
    }),
  };
  static override flags = {
    move: Flags.boolean({ char: 'm', exclusive: ['delete', 'force-delete'], summary: 'Rename a branch.' }),
    delete: Flags.boolean({
      char: 'd',
      exclusive: ['move', 'force-delete'],
      summary: 'Delete a branch, unless it alone leads to some version.',
    }),
    'force-delete': Flags.boolean({
      char: 'D',
      exclusive: ['move', 'delete'],
      summary: 'Delete a branch, even if it alone leads to some version.',
    }),
  };

  async run() {
    const { args, flags } = await this.parse(Branch);
    const name = this.containerArgument(
      args.name,
      args.branch !== undefined && args.where === undefined && !flags.delete && !flags['force-delete'],
    );
    const engine = await this.openEngine(flags);
    if (args.branch === undefined) {
      if (flags.move || flags.delete || flags['force-delete']) throw this.usageError('lxcv branch needs a BRANCH');
      const listing = await engine.listBranches(name);
      await this.print(renderBranches(listing, this.style));
      return { branches: listing.branches.map(toJson) };
    }
    if (flags.move && args.where === undefined)
      throw this.usageError('lxcv branch --move needs the new name of the branch');
    if ((flags.delete || flags['force-delete']) && args.where !== undefined) {
      throw this.usageError(
        `lxcv branch deletes one branch at a time, and does not take ${JSON.stringify(args.where)}`,
      );
    }
    const isNew = !(flags.move || flags.delete || flags['force-delete']);
    // One that is there may have a name that none gets today.
    const branch = isNew ? parseBranchName(args.branch) : (parseContainerName(args.branch) as string as BranchName);
    const { verb, act } = flags.move
      ? { verb: 'renamed', act: () => engine.renameBranch(name, branch, parseBranchName(args.where ?? '')) }
      : flags.delete || flags['force-delete']
        ? { verb: 'deleted', act: () => engine.deleteBranch(name, branch, flags['force-delete']) }
        : { verb: 'created', act: () => engine.createBranch(name, branch, args.where ?? args.name) };
    await this.change(act, (changed) => ({
      done: `${verb} branch ${flags.move ? `${branch} to ` : ''}${changed.name} at @${changed.version.number}`,
      json: { branches: [toJson(changed)] },
    }));
  }
}

/** `container` is the first of them: mostly there is one, or none. */
function toJson({ name, version, refs, containers }: BranchValue) {
  return { name, version: versionToJson(version, refs), container: containers[0] ?? null, containers };
}
