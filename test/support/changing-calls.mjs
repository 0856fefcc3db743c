/** The calls of a machine that change something, counted alike by tests in this process and by processes of their own. */

/** The calls that change something. Whatever is not here must be known not to: see the test of this list. */
export const CHANGING = {
  files: [
    'append',
    'chmod',
    'chown',
    'copyBytes',
    'copyContent',
    'copyFlags',
    'copyProject',
    'create',
    'createNameless',
    'exchange',
    'link',
    'makeNode',
    'mkdir',
    'rename',
    'removeXattr',
    'renameNew',
    'rmdir',
    'setMtime',
    'setXattr',
    'stopInheriting',
    'symlink',
    'sync',
    'syncFileSystem',
    'syncFileSystemAside',
    'truncate',
    'unlink',
    'updateContent',
  ],
  lxc: ['start', 'startNow', 'stop', 'freeze', 'thaw'],
};

/** @typedef {(name: string, args: readonly unknown[], act: () => unknown) => unknown} Call */

/**
 * A machine of which every call that changes something is made by `change`, and any other by `look`. The end of a freeze is a
 * change too.
 * @param {import('../../src/host/host.js').Host} host
 * @param {Call} change
 * @param {Call} look
 * @returns {import('../../src/host/host.js').Host}
 */
export function intercept(host, change, look = (_name, _args, act) => act()) {
  return {
    ...host,
    files: watch(host.files, CHANGING.files, change, look),
    lxc: watch(host.lxc, CHANGING.lxc, change, look),
  };
}

/**
 * @template {object} T
 * @param {T} target
 * @param {readonly string[]} changing
 * @param {Call} change
 * @param {Call} look
 * @returns {T}
 */
function watch(target, changing, change, look) {
  return new Proxy(target, {
    get(_, key) {
      const name = String(key);
      const method = /** @type {Function} */ (Reflect.get(target, name));
      const call = changing.includes(name) ? change : look;
      return (/** @type {unknown[]} */ ...args) => {
        const result = call(name, args, () => method.apply(target, args));
        return name === 'freeze' ? endingBy(change, result) : result;
      };
    },
  });
}

/**
 * @param {Call} change
 * @param {unknown} freezing
 * @returns {Promise<import('../../src/host/freeze.js').Freeze>}
 */
async function endingBy(change, freezing) {
  const freeze = /** @type {import('../../src/host/freeze.js').Freeze} */ (await freezing);
  const end = () => freeze[Symbol.asyncDispose]();
  return {
    since: freeze.since,
    look: (how) => freeze.look(how),
    [Symbol.asyncDispose]: async () => void (await change('end of freeze', [], end)),
  };
}
