/** What the file system says of a file or folder. */
export interface Rights {
  /** With or without the bits of the file's kind. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;
const OTHERS_READ = 0o004;
const STICKY = 0o1000;

/**
 * Whether anybody but the owner (and root) may write. A group with the owner's own number is private
 * to the owner: Debian and Ubuntu give everybody one, and make files writable for it.
 */
export function writableByOthers({ mode, uid, gid }: Rights): boolean {
  return (mode & OTHERS_WRITE) !== 0 || ((mode & GROUP_WRITES) !== 0 && gid !== uid);
}

/** Whether everybody on the machine may read. A group may: `root:swf-alarms` with 640 is good practice. */
export function readableByAll({ mode }: Rights): boolean {
  return (mode & OTHERS_READ) !== 0;
}

/** Whether others may put another file in the place of one in this folder; not so in `/tmp` and its like. */
export function replaceableByOthers(folder: Rights): boolean {
  return writableByOthers(folder) && (folder.mode & STICKY) === 0;
}
