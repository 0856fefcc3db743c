import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { each } from '../src/cli/json-text.js';
import { parseTreePath } from '../src/model/revision.js';
import { logLines } from '../src/render/log.js';

export default class Log extends BaseCommand {
  static override summary = 'Show the versions that led to where a container is.';
  static override description =
    `Like git log, and like lxc-snap -l NAME. With PATH, shows only the versions that changed something there in their first parent.`;
  static override takesPaths = true;
  static override examples = [
    'lxcv log mysql',
    'lxcv log mysql --graph --all',
    'lxcv log mysql@tuning -5 --oneline',
    'lxcv log mysql -- /etc/mysql',
  ];
  static override args = { revision: Args.string({ required: true, description: 'NAME[@REV]: where to begin.' }) };
  static override flags = {
    limit: Flags.integer({ char: 'n', min: 0, helpValue: 'N', summary: 'Show no more than the newest N; -3 is -n 3.' }),
    all: Flags.boolean({ char: 'a', summary: 'Show the versions of all branches.' }),
    graph: Flags.boolean({ summary: 'Draw which version came from which.' }),
    oneline: Flags.boolean({ summary: 'Show number, id and the first line of the message.' }),
  };

  async run() {
    const { own, paths } = this.splitFile();
    const { args, flags } = await this.parse(Log, own.map(limitAsFlag));
    const engine = await this.openEngine(flags);
    const log = await engine.log({
      revision: args.revision,
      all: flags.all,
      paths: paths.map(parseTreePath),
      limit: flags.limit,
    });
    const { graph, oneline } = flags;
    if (!this.jsonEnabled())
      return this.pageLines(logLines(log.entries, this.style, { graph, oneline, container: log.container }));
    return {
      repository: log.repository,
      versions: each(log.entries, ({ version, branches, tags }) => versionToJson(version, [...branches, ...tags])),
    };
  }
}

/** `-5` for `-n5`, as git takes both. */
function limitAsFlag(arg: string): string {
  return /^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg;
}
