import * as Args from '@oclif/core/args';
import { BaseCommand } from '../src/cli/base-command.js';
import { textToJson, versionToJson } from '../src/cli/json.js';
import { parseTreePath } from '../src/model/revision.js';
import { renderBlame } from '../src/render/blame.js';

export default class Blame extends BaseCommand {
  static override summary = 'Show which version introduced each line of a text.';
  static override description =
    `Like git blame. A renamed file begins anew. Of NAME@WORK, lines that are not committed yet are shown too.`;
  static override examples = ['lxcv blame mysql /etc/mysql/my.cnf', 'lxcv blame mysql@WORK /etc/hosts'];
  static override args = {
    revision: Args.string({ required: true, description: 'NAME[@REV]: where to begin.' }),
    path: Args.string({ required: true, description: 'The file, from the root of the container.' }),
  };

  async run() {
    const { own, paths } = this.splitFile();
    const { args, flags } = await this.parse(Blame, paths.length === 0 ? own : [...own, '--', ...paths]);
    const engine = await this.openEngine(flags);
    const { name, lines } = await engine.blame({ revision: args.revision, path: parseTreePath(args.path) });
    await this.pageBytes(renderBlame(lines, this.style));
    return {
      revision: name,
      lines: lines.map(({ number, text, version, refs }) => ({
        number,
        ...textToJson(text),
        version: version === undefined ? null : versionToJson(version, refs),
      })),
    };
  }
}
