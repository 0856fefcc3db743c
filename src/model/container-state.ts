/** The states of LXC, as lxc-info prints them, in lower case, in the order of src/lxc/state.h: LXC's own number of each is its index. */
export const CONTAINER_STATES = [
  'stopped',
  'starting',
  'running',
  'stopping',
  'aborting',
  'freezing',
  'frozen',
  'thawed',
] as const;

/** `unknown` where LXC's monitor of it does not answer. */
export type ContainerState = (typeof CONTAINER_STATES)[number] | 'unknown';
