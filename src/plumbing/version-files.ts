/** The files of a version beside its delta: written before the commit point, and removed where that is not reached. */

import { encodeDraft } from '../model/manifest.js';
import type { Container } from '../store/containers.js';
import type { RepositoryLayout, VersionLayout } from '../store/layout.js';
import type { Step } from '../store/steps.js';
import type { Context } from './context.js';
import { copyPrivateFiles, privateFilesOf, removePrivateFiles } from './staging.js';
import type { DraftedDelta } from './version-draft.js';

/** How a delta that is in its place becomes a version. @param working the record of the delta that is to lie over its keyframe, if one is. */
export function stagedVersion(
  context: Context,
  repository: RepositoryLayout,
  container: Container,
  { draft, keyframe, before, after }: DraftedDelta,
  working: string | undefined,
): { manifest: string; stage: () => void; forward: Step[]; back: Step[] } {
  const layout = repository.version(draft.id);
  const privates = privateFilesOf(container.config, container.layout);
  return {
    manifest: layout.manifest,
    stage: () => stageVersionFiles(context, layout, container, encodeDraft(draft), privates),
    forward: [
      {
        do: 'publish',
        draft: layout.stagedManifest,
        manifest: layout.manifest,
        before,
        after,
        keyframe: keyframe && { ...keyframe, working },
      },
      { do: 'close-delta', work: layout.work },
      { do: 'unlink', path: layout.working },
    ],
    back: unstageVersionFiles(layout, privates),
  };
}

/** Writes all of a version but its delta, the manifest under its staged name. */
export function stageVersionFiles(
  context: Context,
  layout: VersionLayout,
  container: Container,
  manifest: Buffer,
  privates: readonly string[],
): void {
  context.host.files.create(layout.config, container.configBytes, 0o600);
  copyPrivateFiles(context, privates, container.layout.root, layout.files);
  context.host.files.create(layout.stagedManifest, manifest, 0o400);
}

/** The steps that remove what `stageVersionFiles` wrote. */
export function unstageVersionFiles(layout: VersionLayout, privates: readonly string[]): Step[] {
  return [
    { do: 'unlink', path: layout.stagedManifest },
    { do: 'unlink', path: layout.config },
    ...removePrivateFiles(privates, layout.files),
  ];
}
