/** The state of a container, as lxc-info prints it, in lower case. */
export type ContainerState =
  | 'stopped'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'aborting'
  | 'freezing'
  | 'frozen'
  | 'thawed';
