import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { versionToJson } from '../src/cli/json.js';
import { explainLongPause } from '../src/cli/long-pause.js';
import { keepTyped, messageTemplate, readMessage, summarize } from '../src/cli/message.js';
import { restartOutcome } from '../src/cli/restarted.js';
import { requireText } from '../src/cli/text-argument.js';
import { parseAuthor } from '../src/model/author.js';
import { parseSeconds } from '../src/model/duration.js';
import { renderCommit } from '../src/render/outcome.js';

export default class Commit extends BaseCommand {
  static override summary = 'Make a version of what a container holds.';
  static override description =
    `A stopped container is committed in milliseconds, whatever its size: nothing is copied. A running one is copied
while it runs, and stands still for what changed meanwhile. The first commit takes a container over: it must be stopped
for that, or be stopped and started again by --restart, which waits up to a minute until it has stopped by lxc.signal.halt. Without -m and -F the message is asked for in an editor.`;
  static override examples = ['lxcv commit -m "Initial customisation" mysql', 'lxcv commit -F /tmp/comment mysql'];
  static override args = { container: Args.string({ required: true, description: 'The container.' }) };
  static override flags = {
    message: Flags.string({
      char: 'm',
      helpValue: 'TEXT',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'What this version is; given twice, two paragraphs.',
    }),
    file: Flags.string({
      char: 'F',
      helpValue: 'FILE',
      exclusive: ['message'],
      summary: 'Take the message from a file; - is standard input.',
    }),
    author: Flags.string({ helpValue: '"NAME <EMAIL>"', summary: 'Commit in the name of somebody else.' }),
    restart: Flags.boolean({ summary: 'Stop a running container for its first commit, and start it again.' }),
    'allow-empty': Flags.boolean({ summary: 'Make a version also where nothing changed.' }),
    'allow-empty-message': Flags.boolean({ summary: 'Make a version also without a message.' }),
    'accept-base': Flags.boolean({ summary: 'Take a base that was changed as it is now.' }),
    'max-pause': Flags.string({
      helpValue: 'SECONDS',
      summary: 'For how long a running container may stand still (default: 10).',
    }),
  };

  async run() {
    const { args, flags } = await this.parse(Commit);
    const container = this.containerArgument(args.container);
    const { author, 'max-pause': maxPause } = flags;
    const options = {
      author: author === undefined ? undefined : parseAuthor(requireText(author, 'the author')),
      maxPauseMs: maxPause === undefined ? undefined : parseSeconds('--max-pause', maxPause),
      restart: flags.restart,
      allowEmpty: flags['allow-empty'],
      acceptBase: flags['accept-base'],
    };
    const engine = await this.openEngine(flags);
    const { message, isTyped } = await readMessage(flags, async () =>
      messageTemplate(container, await summarize(engine, container, this.style)),
    );
    const line = this.lineWith((operand) => operand);
    const { version } = await this.change(
      async () => {
        const made = await engine.commit({ container, message, ...options }).catch((error) => {
          throw isTyped
            ? keepTyped(this.explain(error), message, () => engine.keepMessage(container, message), line)
            : error;
        });
        return { version: made, restarted: await restartOutcome(engine, container, flags.restart) };
      },
      ({ version: made, restarted }) => ({
        done: `the version was made: ${container} @${made.number} ${made.id}`,
        text: renderCommit(made, this.style),
        json: { version: versionToJson(made, [made.branch]), ...restarted },
      }),
    );
    if (flags.file !== undefined) engine.dropMessage(container, flags.file);
    await this.afterwards(() => engine.seal(version.repository));
  }

  protected override explain(error: unknown): unknown {
    return explainLongPause(error, this.argv, Commit);
  }
}
