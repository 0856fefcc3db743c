/** What a path of a tree can be. */

/** The types of POSIX; `char` and `block` are device nodes. */
export type EntryType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';
