import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { writeText } from '../src/cli/bytes.js';
import { matchesToJson, unsearchedToJson } from '../src/cli/json.js';
import { jsonArrayText, mapEach } from '../src/cli/json-text.js';
import { quoteForShell } from '../src/cli/paste.js';
import { requireText } from '../src/cli/text-argument.js';
import { machine } from '../src/host/host.js';
import { LxcvError } from '../src/model/errors.js';
import type { Match, Unsearched } from '../src/model/results.js';
import { parseTreePath } from '../src/model/revision.js';
import { renderFiles, renderMatches } from '../src/render/matches.js';

/** How grep is told to read the pattern. */
const OPTIONS = { 'ignore-case': '-i', word: '-w', extended: '-E', fixed: '-F', perl: '-P' } as const;

export default class Grep extends BaseCommand {
  static override summary = 'Show the lines of the texts in versions that match a pattern.';
  static override description =
    'By GNU grep, with its patterns; files that are no text are passed over. Ends with 1 where nothing matches, and where a file could not be searched to its end, which is told.';
  static override takesPaths = true;
  static override examples = ['lxcv grep max_connections mysql@1 mysql@2 -- /etc', 'lxcv grep -i password mysql@WORK'];
  static override strict = false;
  static override args = {
    pattern: Args.string({ required: true, description: 'What to look for.' }),
    revision: Args.string({ required: true, description: 'NAME[@REV]; NAME@WORK, NAME@BASE. More may follow.' }),
  };
  static override flags = {
    'ignore-case': Flags.boolean({ char: 'i', summary: 'Upper and lower case are the same.' }),
    word: Flags.boolean({ char: 'w', summary: 'Match whole words alone.' }),
    extended: Flags.boolean({ char: 'E', exclusive: ['fixed', 'perl'], summary: 'An extended regular expression.' }),
    fixed: Flags.boolean({ char: 'F', exclusive: ['extended', 'perl'], summary: 'A text as it stands.' }),
    perl: Flags.boolean({ exclusive: ['extended', 'fixed'], summary: "An expression of Perl's." }),
    'files-with-matches': Flags.boolean({ char: 'l', summary: 'Show only the names of the files.' }),
  };

  async run() {
    const { own, paths } = this.splitPaths();
    const { argv, flags } = await this.parse(Grep, own);
    const [pattern = '', ...revisions] = argv as string[];
    const engine = await this.openEngine(flags);
    const options = Object.entries(OPTIONS).flatMap(([name, option]) => (flags[name as 'word'] ? [option] : []));
    // JSON has the lines all the same.
    const isNames = flags['files-with-matches'] && !this.jsonEnabled();
    const found = engine.grep({
      pattern: requireText(pattern, 'the pattern', "--perl takes a byte as '\\xe9'."),
      revisions,
      paths: paths.map(parseTreePath),
      options: isNames ? [...options, '-m1'] : options,
    });
    const unsearched: Unsearched[] = [];
    let count = 0;
    const matches = async function* (): AsyncGenerator<Match[]> {
      for await (const some of found) {
        const told: Match[] = [];
        for (const one of some) {
          if ('reason' in one) unsearched.push(one);
          else told.push(one);
        }
        count += told.length;
        if (told.length > 0) yield told;
      }
    };
    if (this.jsonEnabled()) {
      const rest = () =>
        this.withChangedBases(unsearched.length === 0 ? {} : { unsearched: unsearched.map(unsearchedToJson) });
      await writeText(jsonArrayText('matches', mapEach(matches(), matchesToJson()), rest));
    } else {
      const render = flags['files-with-matches'] ? renderFiles(this.style) : renderMatches(this.style);
      await this.pagePieces(mapEach(matches(), render));
    }
    if (count === 0 || unsearched.length > 0) process.exitCode = 1;
  }

  /** GNU grep's -P is the lxcpath here: what stands behind it and is no directory was meant as the pattern. */
  protected override explain(error: unknown): unknown {
    const isOfLine = error instanceof LxcvError && ['bad-usage', 'lxcpath-not-found'].includes(error.code);
    const given = this.argv.flatMap((arg, at) =>
      arg === '-P' ? [this.argv[at + 1] ?? ''] : (/^-P(.+)/s.exec(arg)?.slice(1) ?? []),
    );
    const isDirectory = (path: string) => machine.files.statTarget(resolve(path))?.type === 'directory';
    const pattern = given.find((path) => path !== '' && !isDirectory(path));
    if (!isOfLine || pattern === undefined) return error;
    const lxcpath = given.filter(isDirectory).flatMap((path) => ['-P', path]);
    const line = ['lxcv', 'grep', ...lxcpath, '--perl', pattern, ...this.operandsOf(this.argv)]
      .map(quoteForShell)
      .join(' ');
    // What is no usage line would get the lxcpath that was given: the pattern.
    const usage = lxcpath.length > 0 ? line : `Usage: ${line}`;
    return new LxcvError('bad-usage', error.message, `-P is the lxcpath; Perl's syntax is --perl alone. ${usage}`);
  }
}
