/** A file's capabilities, as the kernel keeps them in `security.capability`: linux/capability.h. */

const REVISION_MASK = 0xff000000;
const EFFECTIVE = 1;
/** The 32-bit words that follow the first, by revision: pairs of permitted and inheritable, and of the third the root's id. */
const WORDS = new Map([
  [0x01000000, 2],
  [0x02000000, 4],
  [0x03000000, 5],
]);
const BITS = 64;

/** In the order of their numbers. */
const NAMES = [
  ...['chown', 'dac_override', 'dac_read_search', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['linux_immutable', 'net_bind_service', 'net_broadcast', 'net_admin', 'net_raw', 'ipc_lock', 'ipc_owner'],
  ...['sys_module', 'sys_rawio', 'sys_chroot', 'sys_ptrace', 'sys_pacct', 'sys_admin', 'sys_boot', 'sys_nice'],
  ...['sys_resource', 'sys_time', 'sys_tty_config', 'mknod', 'lease', 'audit_write', 'audit_control', 'setfcap'],
  ...['mac_override', 'mac_admin', 'syslog', 'wake_alarm', 'block_suspend', 'audit_read', 'perfmon', 'bpf'],
  'checkpoint_restore',
];

/** Which of its sets a capability is in. */
const FLAGS = [
  ['e', 1],
  ['i', 4],
  ['p', 2],
] as const;

/**
 * getcap(8)'s text: `cap_net_admin,cap_net_raw=ep`, with ` [rootid=100000]` behind it where they count only in the user namespace
 * of that root. Undefined for bytes that are none.
 */
export function formatCapabilities(bytes: Buffer): string | undefined {
  if (bytes.length < 4) return undefined;
  const magic = bytes.readUInt32LE(0);
  const words = WORDS.get((magic & REVISION_MASK) >>> 0);
  if (words === undefined || bytes.length !== 4 * (1 + words)) return undefined;
  const text = formatStates(statesOf(bytes, (magic & EFFECTIVE) !== 0, words >= 4 ? BITS : 32));
  const root = words === 5 ? bytes.readUInt32LE(20) : 0;
  return root === 0 ? text : `${text} [rootid=${root}]`;
}

/** The flags of each capability. */
function statesOf(bytes: Buffer, effective: boolean, bits: number): number[] {
  return Array.from({ length: bits }, (_, capability) => {
    const word = capability >> 5;
    const bit = capability & 31;
    const permitted = (bytes.readUInt32LE(4 + 8 * word) >>> bit) & 1;
    const inheritable = (bytes.readUInt32LE(8 + 8 * word) >>> bit) & 1;
    return (permitted ? 2 : 0) | (inheritable ? 4 : 0) | (effective && (permitted || inheritable) ? 1 : 0);
  });
}

/** As cap_to_text(3) writes it: what most of the capabilities are, and then how the others differ from that. */
function formatStates(states: readonly number[]): string {
  const named = states.slice(0, NAMES.length);
  const frequency = (state: number) => named.filter((one) => one === state).length;
  let most = 7;
  for (let state = 6; state >= 0; state -= 1) if (frequency(state) >= frequency(most)) most = state;
  const parts = most === 0 ? [] : [`=${formatFlags(most)}`];
  for (let state = 7; state >= 0; state -= 1) {
    // What has no name is in no set, unless a newer kernel knows it.
    const members = states.flatMap((one, number) =>
      one === state && state !== (number < NAMES.length ? most : 0) ? [nameOf(number)] : [],
    );
    if (members.length === 0) continue;
    const more = state & ~most;
    const less = most & ~state;
    const raised = more === 0 ? '' : `${parts.length === 0 ? '=' : '+'}${formatFlags(more)}`;
    parts.push(`${members.join(',')}${raised}${less === 0 ? '' : `-${formatFlags(less)}`}`);
  }
  return parts.length === 0 ? '=' : parts.join(' ');
}

function nameOf(number: number): string {
  const name = NAMES[number];
  return name === undefined ? `${number}` : `cap_${name}`;
}

function formatFlags(state: number): string {
  return FLAGS.map(([letter, flag]) => (state & flag ? letter : '')).join('');
}
