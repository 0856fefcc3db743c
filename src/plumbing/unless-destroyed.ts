/** Operations on a container that is destroyed meanwhile: they fail in many ways, and end with one error. */

import { LxcvError } from '../model/errors.js';
import type { Container } from '../store/containers.js';
import type { Context } from './context.js';

/**
 * Acts on a container. An error that comes of its being destroyed is replaced by one that says so, unless the operation is done.
 * @throws LxcvError `container-not-found`.
 */
export async function unlessDestroyed<T>(context: Context, container: Container, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const isDone = error instanceof LxcvError && error.code === 'operation-pending';
    if (isDone || context.host.files.stat(container.layout.config) !== undefined) throw error;
    throw destroyedMeanwhile(container, error);
  }
}

export function destroyedMeanwhile({ name }: Container, cause?: unknown): LxcvError {
  return new LxcvError(
    'container-not-found',
    `the container ${name} was destroyed or renamed while lxcv was at work`,
    'Its versions are kept: lxcv list shows them.',
    { cause },
  );
}
