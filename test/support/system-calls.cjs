/** Puts something around calls of the built lxcv, by their names, for files that `node --require` loads. */

const fs = require('node:fs');
const Module = require('node:module');

/**
 * @param {readonly string[]} fileCalls of node:fs.
 * @param {readonly string[]} systemCalls of libc, as lxcv declares them.
 * @param {(act: Function, name: string) => Function} around makes of a call what is called in its place.
 */
exports.wrapCalls = (fileCalls, systemCalls, around) => {
  for (const name of fileCalls) Reflect.set(fs, name, around(Reflect.get(fs, name), name));

  const load = Module.prototype.require;
  Module.prototype.require = Object.assign(
    /** @this {unknown} @param {string} id */
    function (id) {
      const loaded = load.call(/** @type {NodeJS.Module} */ (this), id);
      return /koffi/.test(id) ? wrapped(loaded) : loaded;
    },
    load,
  );

  /** @param {import('koffi')} koffi */
  const wrapped = (koffi) => ({
    errno: () => koffi.errno(),
    address: (/** @type {unknown} */ buffer) => koffi.address(buffer),
    load: (/** @type {string} */ library) => {
      const lib = koffi.load(library);
      return { func: (/** @type {string} */ prototype) => wrappedCall(prototype, lib.func(prototype)) };
    },
  });

  /** @param {string} prototype @param {Function & { async: Function }} call */
  const wrappedCall = (prototype, call) => {
    const name = /(\w+)\(/.exec(prototype)?.[1] ?? '';
    if (!systemCalls.includes(name)) return call;
    return Object.assign(around(call, name), { async: around(call.async.bind(call), name) });
  };
};
