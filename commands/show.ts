import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { meantByNumber } from '../src/cli/bare-numbers.js';
import { BaseCommand } from '../src/cli/base-command.js';
import { forTerminal, writeBytes } from '../src/cli/bytes.js';
import { changeToJson, packageToJson, pathInfoToJson, pathToJson, versionToJson } from '../src/cli/json.js';
import { each } from '../src/cli/json-text.js';
import type { Engine } from '../src/engine.js';
import { type FileRevision, parseFileRevision } from '../src/model/revision.js';
import { renderListing, renderTarget } from '../src/render/listing.js';
import { versionLines } from '../src/render/show.js';

export default class Show extends BaseCommand {
  static override summary = 'Show a version, or a file or directory in one.';
  static override description =
    `Like git show. Of a version, it shows author, date, message, and which paths it changed. Of a file it prints the bytes; of a directory it
lists what it holds; of a symbolic link it shows where it leads. No link is followed. NAME@WORK:PATH is what a container holds now, and
NAME@BASE:PATH is what lies below all its versions.`;
  static override examples = [
    'lxcv show mysql@2',
    'lxcv show mysql@2:/etc/mysql/my.cnf',
    'lxcv show mysql@tuning~1:/etc',
  ];
  static override args = {
    what: Args.string({ required: true, description: 'NAME[@REV], NAME[@REV]:PATH or NAME[@REV] PATH.' }),
  };
  static override flags = { verbose: Flags.boolean({ char: 'v', summary: 'Show every path.' }) };

  async run() {
    const { own, paths } = this.splitFile();
    const operands = this.operandsOf(own);
    const meant = paths.length === 0 ? meantByNumber(operands) : undefined;
    if (meant !== undefined) throw this.usageError(`lxcv show does not take ${JSON.stringify(operands[1])}`, meant);
    const { args, flags } = await this.parse(Show, own);
    const [path, ...others] = paths;
    if (others.length > 0) throw this.usageError(`lxcv show takes one path: ${JSON.stringify(others[0])} is too many`);
    const what = parseFileRevision(path === undefined ? args.what : `${args.what}:${path}`);
    const engine = await this.openEngine(flags);
    if ('path' in what) return this.showPath(engine, what);
    const shown = await engine.showVersion(args.what);
    await this.pageLines(versionLines(shown, this.style, { verbose: flags.verbose }));
    if (!this.jsonEnabled()) return;
    return {
      version: versionToJson(shown.version, [...shown.branches, ...shown.tags]),
      changes: each(shown.changes, changeToJson),
      packages: shown.packages.map(packageToJson),
    };
  }

  private async showPath(engine: Engine, { revision, path }: FileRevision) {
    using shown = await engine.showPath({ revision, path, content: this.jsonEnabled() ? 'digest' : 'bytes' });
    const { info, entries, bytes, digest } = shown;
    if (bytes !== undefined) await (this.style.human ? this.pagePieces(forTerminal(bytes())) : writeBytes(bytes()));
    else if (entries !== undefined) await this.page(renderListing(entries, this.style));
    else if (info.target !== undefined) await this.print(renderTarget(info.target));
    else await this.print(renderListing([{ name: path, ...info }], this.style));
    return {
      ...pathToJson(path),
      ...pathInfoToJson(info),
      sha256: digest,
      entries: entries?.map((entry) => ({ ...pathToJson(entry.name, 'name'), ...pathInfoToJson(entry) })),
    };
  }
}
