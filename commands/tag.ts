import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.js';
import { tagToJson } from '../src/cli/json.js';
import { requireText } from '../src/cli/text-argument.js';
import { parseTagName } from '../src/model/names.js';
import { renderTags } from '../src/render/tag.js';

export default class Tag extends BaseCommand {
  static override summary = 'List, create or delete tags.';
  static override description =
    `Like git tag. A tag is a name that stays on one version. With -m it also records who set it, when and why.`;
  static override examples = [
    'lxcv tag mysql',
    'lxcv tag mysql v1.0 -m "As shipped"',
    'lxcv tag mysql before-upgrade mysql@2',
    'lxcv tag mysql --delete v1.0',
  ];
  static override args = {
    name: Args.string({ required: true, description: 'The container or repository.' }),
    tag: Args.string({ description: 'The tag to create or delete.' }),
    revision: Args.string({ description: 'NAME[@REV]: the version that it is on (default: HEAD).' }),
  };
  static override flags = {
    message: Flags.string({ char: 'm', helpValue: 'TEXT', exclusive: ['delete'], summary: 'Annotate the tag.' }),
    annotate: Flags.boolean({
      char: 'a',
      dependsOn: ['message'],
      exclusive: ['delete'],
      summary: 'As in git; --message alone does the same.',
    }),
    delete: Flags.boolean({ char: 'd', summary: 'Delete the tag; the version stays.' }),
  };

  async run() {
    const { args, flags } = await this.parse(Tag);
    const name = this.containerArgument(
      args.name,
      args.tag !== undefined && args.revision === undefined && !flags.delete,
    );
    const engine = await this.openEngine(flags);
    if (args.tag === undefined) {
      if (flags.delete || flags.message !== undefined) throw this.usageError('lxcv tag needs a TAG');
      const { tags } = await engine.listTags(name);
      await this.print(renderTags(tags, this.style));
      return { tags: tags.map(tagToJson) };
    }
    if (flags.delete && args.revision !== undefined) {
      throw this.usageError(`lxcv tag deletes one tag at a time, and does not take ${JSON.stringify(args.revision)}`);
    }
    const tag = parseTagName(args.tag);
    const message = flags.message === undefined ? undefined : requireText(flags.message, 'the message');
    await this.change(
      () =>
        flags.delete
          ? engine.deleteTag(name, tag)
          : engine.createTag({ name, tag, revision: args.revision ?? args.name, message }),
      (changed) => ({
        done: `${flags.delete ? 'deleted' : 'created'} tag ${tag} on @${changed.version.number}`,
        json: { tags: [tagToJson(changed)] },
      }),
    );
  }
}
