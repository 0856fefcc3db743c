/**
 * Runs one operation of the built lxcv, and is killed at the n-th call that changes something:
 * `node kill-at.mjs LXCPATH N CHANGING VERB ARGS`, the last and CHANGING being JSON.
 */

// By a name that is worked out, so that nobody looks for the types of what is built.
const built = (/** @type {string} */ name) => import(new URL(`../../dist/src/${name}`, import.meta.url).href);
const { openEngine } = await built('engine.js');
const { machine } = await built('host/host.js');

const [lxcpath = '', at = '', changing = '', verb = '', args = ''] = process.argv.slice(2);
const calls = JSON.parse(changing);
let count = 0;

/**
 * @param {Record<string, Function>} target
 * @param {readonly string[]} names
 */
function watch(target, names) {
  return new Proxy(target, {
    get(_, name) {
      const method = Reflect.get(target, name);
      if (!names.includes(String(name))) return method;
      return (/** @type {unknown[]} */ ...given) => {
        if (count === Number(at)) process.kill(process.pid, 'SIGKILL');
        count += 1;
        return method.apply(target, given);
      };
    },
  });
}

const host = { ...machine, files: watch(machine.files, calls.files), lxc: watch(machine.lxc, calls.lxc) };
const engine = await openEngine({ lxcpath, host });
await engine[verb](...JSON.parse(args));
