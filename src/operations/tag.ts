/** tag: lists, creates and deletes tags. */

import { LxcvError } from '../model/errors.js';
import type { NamedTag, Tags } from '../model/results.js';
import { encodeTag, type Tag } from '../model/tag.js';
import type { Author, ContainerName, TagName } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { refuseIdPrefix } from '../plumbing/find-revision.js';
import { checkReadable, findByName, type Repository, readRepository, refsAt } from '../plumbing/lookup.js';
import { changeRef } from '../plumbing/ref-change.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { suggest } from '../plumbing/suggestion.js';
import { lockRepository } from '../store/store.js';
import { findOwn } from './branch.js';

export interface TagRequest {
  /** The container or repository. */
  readonly name: ContainerName;
  readonly tag: TagName;
  /** `NAME[@REV]`, in the repository of `name`. */
  readonly revision: string;
  /** Makes an annotated tag. */
  readonly message?: string | undefined;
  /** Who sets it; git's or the system's idea of that where it is left out. */
  readonly author?: Author;
}

export function listTags(context: Context, name: ContainerName): Tags {
  const { repository } = findByName(context, name);
  return { repository: repository.name, tags: [...repository.tags].map((tag) => namedTag(repository, tag)) };
}

/** @throws LxcvError `tag-exists`, `branch-exists` where a branch has the name, `bad-usage`. */
export async function createTag(context: Context, { name, tag, revision, ...request }: TagRequest): Promise<NamedTag> {
  const { version, repository: found } = await findOwn(context, name, revision);
  using layout = await lockRepository(context.host, context.lxcpath, found.name, `tag ${tag}`);
  const repository = readRepository(context, layout);
  refuseTaken(repository, tag);
  const content: Tag = { version: version.id, ...(await annotate(context, request)) };
  await changeRef(context, repository, {
    command: 'tag',
    subject: tag,
    path: layout.tag(tag),
    stage: (staged) => context.host.files.create(staged, encodeTag(content), 0o600),
    point: (staged) => ({ from: staged, to: layout.tag(tag) }),
  });
  return namedTag(readRepository(context, layout), [tag, content]);
}

/** @throws LxcvError `tag-not-found`. */
export async function deleteTag(context: Context, name: ContainerName, tag: TagName): Promise<NamedTag> {
  const { repository: found } = await retryUntilStable(context, (reading) => findByName(reading, name), 'ignored');
  using layout = await lockRepository(context.host, context.lxcpath, found.name, `tag ${tag}`);
  const repository = readRepository(context, layout);
  checkReadable(repository, tag);
  const content = repository.tags.get(tag);
  if (content === undefined) {
    const { hint, data } = suggest(tag, repository.tags.keys(), `lxcv tag ${repository.name} lists its tags.`, { tag });
    throw new LxcvError('tag-not-found', `${repository.name} has no tag ${tag}`, hint, { data });
  }
  await changeRef(context, repository, {
    command: 'tag',
    subject: tag,
    path: layout.tag(tag),
    point: (staged) => ({ from: layout.tag(tag), to: staged }),
  });
  return namedTag(readRepository(context, layout), [tag, content]);
}

async function annotate(
  { host }: Context,
  { message, author }: Pick<TagRequest, 'message' | 'author'>,
): Promise<Pick<Tag, 'annotation'>> {
  if (message === undefined) return {};
  return { annotation: { message, author: author ?? (await host.author()), time: host.now().toISOString() } };
}

function namedTag(repository: Repository, [name, tag]: readonly [TagName, Tag]): NamedTag {
  const version = repository.history.get(tag.version);
  return { name, version, refs: refsAt(repository, version.id), annotation: tag.annotation };
}

/** A revision names a branch before a tag, so one name must not be both. */
function refuseTaken(repository: Repository, tag: TagName): void {
  checkReadable(repository, tag);
  const { tags, branches, history, name } = repository;
  refuseIdPrefix(history, 'tag', tag);
  const present = tags.get(tag);
  if (present !== undefined) {
    throw new LxcvError(
      'tag-exists',
      `there is a tag ${tag} already, on @${history.get(present.version).number}`,
      `Choose another name, or delete that one first: lxcv tag ${name} -d ${tag}`,
    );
  }
  if (![...branches.keys()].some((branch) => branch.toString() === tag)) return;
  throw new LxcvError(
    'branch-exists',
    `there is a branch ${tag}: a revision would not know which is meant`,
    'Choose another name.',
  );
}
