import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { tellTroubles } from '../src/cli/troubles.js';
import { renderList } from '../src/render/list.js';

export default class List extends BaseCommand {
  static override summary = 'Show which containers have versions.';
  static override description =
    `Shows the branch, version and state of each container, and whether it holds changes that are not committed; then the repositories that no
container uses, and what was set aside. lxc-snap -l showed the same of its snapshots.`;
  static override exitCodes =
    'The highest code of what could not be read, where something could not; the rest is shown.';
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
