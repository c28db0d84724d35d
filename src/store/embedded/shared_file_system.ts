import { statfsSync } from "node:fs";

/**
 * File systems that several hosts or virtual machines can have at once, by the number that `statfs` returns
 * on Linux. A socket in them is heard on one machine only. `fuse` is also virtiofs, GlusterFS and sshfs. What
 * is not listed counts as local.
 */
const SHARED = `6969 nfs, 517b smb, ff534d42 cifs, fe534d42 smb2, 1021997 9p, 65735546 fuse, c36400 ceph,
  1161970 gfs2, 7461636f ocfs2, bd00bd0 lustre, 5346414f afs, 6b414653 afs, 73757245 coda, 564c ncp,
  786f4256 vboxsf, bacbacbc vmhgfs, 7c7c6673 prl_fs, 47504653 gpfs, 19830326 beegfs, 20030528 orangefs,
  aad7aaea panfs, 61636673 acfs, 13111a8 ibrix, beefdead snfs`;

/** The name of the folder's file system if several machines can share it. */
export function sharedFileSystem(
  folder: string,
  type = statfsSync(folder).type,
): string | undefined {
  if (process.platform !== "linux") return undefined;
  // 32 bits, which some systems extend with their sign.
  const number = (type >>> 0).toString(16);
  return new RegExp(`\\b${number} (\\w+)`).exec(SHARED)?.[1];
}
