/** What an oclif command wants to know of the program around it, without what oclif would look for on the machine. */

import { Config } from '@oclif/core/config';

/** No plugins, hooks and themes: lxcv has none, and to look for them takes longer than a short command. */
export class MinimalConfig extends Config {
  /** @param commandNames the commands that there are. */
  constructor(
    root: string,
    readonly commandNames: readonly string[],
  ) {
    super({ root });
    this.bin = 'lxcv';
    this.pjson = { name: 'lxcv', version: '', oclif: {} };
  }

  override runHook: Config['runHook'] = async () => ({ successes: [], failures: [] });
}
