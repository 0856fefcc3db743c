/**
 * Raises a signal in the built lxcv before the n-th call by which it changes something, for `node --require`:
 * `LXCV_TEST_SIGNAL="SIGINT 17"`. `LXCV_TEST_SIGNAL="count FILE"` raises none, and writes how many calls there were to a file.
 */

const fs = require('node:fs');
const Module = require('node:module');

const FILE_CALLS = [
  'appendFileSync',
  'chmodSync',
  'fchmodSync',
  'fsyncSync',
  'ftruncateSync',
  'lchownSync',
  'linkSync',
  'mkdirSync',
  'renameSync',
  'rmdirSync',
  'symlinkSync',
  'unlinkSync',
  'writeFileSync',
  'writeSync',
];
const SYSTEM_CALLS = ['bind', 'flock', 'lsetxattr', 'mknod', 'mount', 'renameat2', 'syncfs', 'utimensat'];

const [what = '', at = ''] = (process.env.LXCV_TEST_SIGNAL ?? '').split(' ');
let count = 0;

/** @type {(act: Function) => Function} */
const counted =
  (act) =>
  (/** @type {unknown[]} */ ...args) => {
    if (what !== 'count' && count === Number(at)) process.kill(process.pid, what);
    count += 1;
    return act(...args);
  };

for (const name of FILE_CALLS) Reflect.set(fs, name, counted(Reflect.get(fs, name)));

const load = Module.prototype.require;
Module.prototype.require = Object.assign(
  /** @this {unknown} @param {string} id */
  function (id) {
    const loaded = load.call(/** @type {NodeJS.Module} */ (this), id);
    return /koffi/.test(id) ? watched(loaded) : loaded;
  },
  load,
);

/** @param {import('koffi')} koffi */
function watched(koffi) {
  return {
    errno: () => koffi.errno(),
    address: (/** @type {unknown} */ buffer) => koffi.address(buffer),
    load: (/** @type {string} */ library) => {
      const lib = koffi.load(library);
      return { func: (/** @type {string} */ prototype) => watchedCall(prototype, lib.func(prototype)) };
    },
  };
}

/** @param {string} prototype @param {Function & { async: Function }} call */
function watchedCall(prototype, call) {
  const name = /(\w+)\(/.exec(prototype)?.[1] ?? '';
  if (!SYSTEM_CALLS.includes(name)) return call;
  return Object.assign(counted(call), { async: counted(call.async.bind(call)) });
}

if (what === 'count') process.on('exit', () => fs.appendFileSync(at, `${count}\n`));
