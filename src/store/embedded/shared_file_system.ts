import { statfsSync } from "node:fs";

/**
 * File systems that several hosts or virtual machines can have at once, by the number that `statfs` returns
 * on Linux. A socket in them is heard on one machine only, so it cannot lock a folder. `fuse` is also that of
 * virtiofs, GlusterFS and sshfs. What is not listed is taken for a local one.
 */
const SHARED: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0x517b, "smb"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x01021997, "9p"],
  [0x65735546, "fuse"],
  [0x00c36400, "ceph"],
  [0x01161970, "gfs2"],
  [0x7461636f, "ocfs2"],
  [0x0bd00bd0, "lustre"],
  [0x5346414f, "afs"],
  [0x6b414653, "afs"],
  [0x73757245, "coda"],
  [0x564c, "ncp"],
  [0x786f4256, "vboxsf"],
  [0xbacbacbc, "vmhgfs"],
  [0x7c7c6673, "prl_fs"],
  [0x47504653, "gpfs"],
  [0x19830326, "beegfs"],
  [0x20030528, "orangefs"],
  [0xaad7aaea, "panfs"],
  [0x61636673, "acfs"],
  [0x013111a8, "ibrix"],
  [0xbeefdead, "snfs"],
]);

/** The name of the folder's file system if several machines can share it. */
export function sharedFileSystem(
  folder: string,
  type = statfsSync(folder).type,
): string | undefined {
  // A number of 32 bits, which some systems extend with its sign.
  return process.platform === "linux" ? SHARED.get(type >>> 0) : undefined;
}
