import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { writeText } from '../src/cli/bytes.js';
import { GrepLines } from '../src/cli/grep-lines.js';
import { matchesToJson, unsearchedToJson } from '../src/cli/json.js';
import { jsonArrayText, mapEach } from '../src/cli/json-text.js';
import { explainPerlPattern } from '../src/cli/perl-pattern.js';
import { requireText } from '../src/cli/text-argument.js';
import { parseTreePath } from '../src/model/revision.js';
import { renderFiles, renderMatches } from '../src/render/matches.js';

export default class Grep extends BaseCommand {
  static override summary = 'Show the lines of the texts in versions that match a pattern.';
  static override description =
    `Like git grep, with the patterns of GNU grep. Binary files are skipped. A file that could not be searched to its end is reported.`;
  static override takesPaths = true;
  static override exitCodes = '1 also where nothing matches, or where a file could not be searched to its end.';
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
    // JSON has the lines all the same.
    const isNames = flags['files-with-matches'] && !this.jsonEnabled();
    const lines = new GrepLines(
      engine.grep({
        pattern: requireText(pattern, 'the pattern', "--perl takes a byte as '\\xe9'."),
        revisions,
        paths: paths.map(parseTreePath),
        syntax: flags.extended ? 'extended' : flags.fixed ? 'fixed' : flags.perl ? 'perl' : undefined,
        ignoresCase: flags['ignore-case'],
        wholeWords: flags.word,
        firstLines: isNames,
      }),
    );
    if (this.jsonEnabled()) {
      const { unsearched } = lines;
      const rest = () =>
        this.withChangedBases(unsearched.length === 0 ? {} : { unsearched: unsearched.map(unsearchedToJson) });
      await writeText(jsonArrayText('matches', mapEach(lines.matches(), matchesToJson()), rest));
    } else {
      const render = isNames ? renderFiles(this.style) : renderMatches(this.style);
      await this.pagePieces(mapEach(lines.matches(), render));
    }
    if (lines.isLacking) process.exitCode = 1;
  }

  protected override explain(error: unknown): unknown {
    return explainPerlPattern(error, this.argv, this.operandsOf(this.argv));
  }
}
