/** Projects of files and directories, by which quotas count them: ext4 and xfs have them. linux/fs.h, struct fsxattr. */

import { check, errorName, libc } from './libc.js';

const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const BYTES = 28;
const FLAGS_AT = 0;
const PROJECT_AT = 12;
const PROJINHERIT = 0x200;

export interface Project {
  /** 0 where it has none. */
  readonly project: number;
  /** True of a directory that hands its own on, and takes in no other. */
  readonly inherits: boolean;
}

/** Of an open file or directory; a file system without projects has none. */
export function readProject(fd: number): Project {
  const attributes = read(fd);
  return {
    project: attributes?.readUInt32LE(PROJECT_AT) ?? 0,
    inherits: ((attributes?.readUInt32LE(FLAGS_AT) ?? 0) & PROJINHERIT) !== 0,
  };
}

/** Makes an open file or directory one of the project of another. */
export function copyProject(from: number, to: number): void {
  const { project } = readProject(from);
  const attributes = read(to);
  if (attributes === undefined || attributes.readUInt32LE(PROJECT_AT) === project) return;
  attributes.writeUInt32LE(project, PROJECT_AT);
  write(to, attributes);
}

/** Has an open directory hand its project on no more. @returns whether it did until now. */
export function stopInheriting(fd: number): boolean {
  const attributes = read(fd);
  const flags = attributes?.readUInt32LE(FLAGS_AT) ?? 0;
  if (attributes === undefined || (flags & PROJINHERIT) === 0) return false;
  attributes.writeUInt32LE((flags & ~PROJINHERIT) >>> 0, FLAGS_AT);
  write(fd, attributes);
  return true;
}

function read(fd: number): Buffer | undefined {
  const attributes = Buffer.alloc(BYTES);
  if (libc().ioctlOn(fd, FS_IOC_FSGETXATTR, attributes) === 0) return attributes;
  const code = errorName();
  if (code !== 'ENOTTY' && code !== 'ENOTSUP' && code !== 'EINVAL' && code !== 'ENOSYS') check(-1, 'ioctl');
  return undefined;
}

function write(fd: number, attributes: Buffer): void {
  check(libc().ioctlOn(fd, FS_IOC_FSSETXATTR, attributes), 'ioctl');
}
