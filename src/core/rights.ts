/** What the file system says about a file or folder. */
export interface Rights {
  /** With or without the bits for the kind of file. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;
const OTHERS_READ = 0o004;
const STICKY = 0o1000;

/**
 * Whether users other than the owner and root may write. A group with the owner's own number is private
 * to the owner: Debian and Ubuntu create one for each user, and let it write by default.
 */
export function writableByOthers({ mode, uid, gid }: Rights): boolean {
  // Neither a file nor a folder: what is written to a device or a pipe is not kept.
  if (![0, 0o040000, 0o100000].includes(mode & 0o170000)) return false;
  return (mode & OTHERS_WRITE) !== 0 || ((mode & GROUP_WRITES) !== 0 && gid !== uid);
}

/** Whether every user may read. A group may: `root:swf-alarms` with 640 is good practice. */
export function readableByAll({ mode }: Rights): boolean {
  return (mode & OTHERS_READ) !== 0;
}

/** Whether other users may replace files in this folder; the sticky bit of `/tmp` prevents that. */
export function replaceableByOthers(folder: Rights): boolean {
  return writableByOthers(folder) && (folder.mode & STICKY) === 0;
}

/** A path as a word of a shell command. */
export function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
