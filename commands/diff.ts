import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { changeToJson } from '../src/cli/json.js';
import { screenRows } from '../src/cli/terminal.js';
import { parseTreePath } from '../src/model/revision.js';
import { renderDiff, renderNameStatus } from '../src/render/diff.js';
import { renderPatch } from '../src/render/patch.js';

/** The ways to tell a difference: each without the others. */
const FORMS = ['name-status', 'patch'];
const othersThan = (form: string) => FORMS.filter((other) => other !== form);

export default class Diff extends BaseCommand {
  static override summary = 'Show what differs between two versions, or a version and what a container holds now.';
  static override usage = '<%= command.id %> REVISION [REVISION] [-- PATH...]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> mysql',
    '<%= config.bin %> <%= command.id %> mysql@1 mysql@2',
    '<%= config.bin %> <%= command.id %> mysql@1 -p -- /etc',
  ];
  static override args = {
    from: Args.string({ required: true, description: 'NAME[@REV]: a version; NAME@WORK, NAME@BASE.' }),
    to: Args.string({ description: 'The same (default: what the container holds now).' }),
  };
  static override flags = {
    'name-status': Flags.boolean({
      exclusive: othersThan('name-status'),
      summary: 'Show every path, with a letter: A added, M modified, D removed, R moved, m metadata only.',
    }),
    patch: Flags.boolean({
      char: 'p',
      exclusive: othersThan('patch'),
      summary: 'Show what differs in texts, as git does.',
    }),
    unified: Flags.integer({ char: 'U', min: 0, helpValue: 'N', dependsOn: ['patch'], summary: 'Lines of context.' }),
  };

  async run() {
    const { own, paths } = this.splitPaths();
    const { args, flags } = await this.parse(Diff, own);
    const engine = await this.openEngine(flags);
    const request = {
      from: args.from,
      ...(args.to === undefined ? {} : { to: args.to }),
      paths: paths.map(parseTreePath),
    };
    if (flags.patch) {
      const context = flags.unified === undefined ? {} : { context: flags.unified };
      const patch = await engine.patch({ ...request, ...context });
      await this.pageBytes(renderPatch(patch, this.style));
      return { patch: patch.toString('utf8') };
    }
    const diff = await engine.diff(request);
    await this.page(
      flags['name-status'] ? renderNameStatus(diff.changes, this.style) : renderDiff(diff, this.style, screenRows()),
    );
    const { from, to, changes, config } = diff;
    return { from: from.name, to: to.name, changes: changes.map(changeToJson), config };
  }
}
