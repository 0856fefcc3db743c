import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { tellTroubles } from '../src/cli/troubles.js';
import { renderList } from '../src/render/list.js';

export default class List extends BaseCommand {
  static override summary = 'Show which containers have versions.';
  static override examples = ['lxcv list'];

  async run() {
    const { flags } = await this.parse(List);
    const engine = await this.openEngine(flags);
    const { troubles, ...listing } = await engine.list();
    await this.print(renderList({ ...listing, troubles }, this.style));
    const errors = tellTroubles(troubles, (hint) => this.pastable(hint));
    const containers = listing.containers.map(({ refs, version, ...row }) => ({
      ...row,
      version: version && versionToJson(version, refs),
    }));
    return { ...listing, containers, errors };
  }
}
