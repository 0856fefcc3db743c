/** POSIX ACLs as the kernel keeps them in `system.posix_acl_access` and `system.posix_acl_default`: linux/posix_acl_xattr.h. */

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;

const TAGS = new Map([
  [0x01, 'u'],
  [0x02, 'u'],
  [0x04, 'g'],
  [0x08, 'g'],
  [0x10, 'm'],
  [0x20, 'o'],
]);
/** The tags of a user and of a group that have an id. */
const NAMED_TAGS = [0x02, 0x08];

/** The short text of acl(5), with numbers for names: `u::rw-,u:1000:r-x,g::r--,m::r-x,o::---`; undefined for bytes that are no ACL. */
export function formatAcl(bytes: Buffer): string | undefined {
  const entries = (bytes.length - HEADER_BYTES) / ENTRY_BYTES;
  if (!Number.isInteger(entries) || entries < 0 || bytes.readUInt32LE(0) !== VERSION) return undefined;
  const texts: string[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    const tag = bytes.readUInt16LE(at);
    const permissions = bytes.readUInt16LE(at + 2);
    const letter = TAGS.get(tag);
    if (letter === undefined) return undefined;
    const id = NAMED_TAGS.includes(tag) ? bytes.readUInt32LE(at + 4) : '';
    texts.push(`${letter}:${id}:${formatPermissions(permissions)}`);
  }
  return texts.join(',');
}

function formatPermissions(bits: number): string {
  return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
}
