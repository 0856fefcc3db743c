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
    `Like git commit -a: there is no index, and everything that changed is committed. It takes the place of lxc-snap NAME. A stopped
container can start again after milliseconds, whatever its size: nothing is copied. A running one is copied while it runs, and
is frozen only while lxcv copies what changed meanwhile.

The first commit moves the container's root file system into the store. For that the container must be stopped, or be stopped and started
again by --restart, which waits up to a minute for it to stop (lxc.signal.halt), and then kills it.

Without -m and -F, an editor asks for the message.`;
  static override exitCodes =
    'With --restart, 1 also where the version was made and the container could not be started again.';
  static override examples = ['lxcv commit -m "Initial customisation" mysql', 'lxcv commit -F /tmp/comment mysql'];
  static override args = { container: Args.string({ required: true, description: 'The container.' }) };
  static override flags = {
    message: Flags.string({
      char: 'm',
      helpValue: 'TEXT',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'The message; given twice, two paragraphs.',
    }),
    file: Flags.string({
      char: 'F',
      helpValue: 'FILE',
      exclusive: ['message'],
      summary: 'Take the message from a file; - is standard input.',
    }),
    author: Flags.string({ helpValue: '"NAME <EMAIL>"', summary: 'The author, if it is not you.' }),
    restart: Flags.boolean({ summary: 'Stop a running container for its first commit, and start it again.' }),
    'allow-empty': Flags.boolean({ summary: 'Make a version even if nothing changed.' }),
    'allow-empty-message': Flags.boolean({ summary: 'Make a version even without a message.' }),
    'accept-base': Flags.boolean({ summary: 'Proceed although the base has changed, and record its new state.' }),
    'max-pause': Flags.string({
      helpValue: 'SECONDS',
      summary: 'For how long a running container may be frozen (default: 10).',
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
