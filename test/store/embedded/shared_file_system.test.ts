import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharedFileSystem } from "../../../src/store/embedded/shared_file_system.ts";

/** Numbers of linux/magic.h and of statfs(2). */
const rows: readonly (readonly [name: string, type: number, shared: boolean])[] = [
  ["nfs", 0x6969, true],
  ["smb", 0x517b, true],
  ["cifs", 0xff534d42, true],
  ["cifs, as 32 bits with a sign", 0xff534d42 | 0, true],
  ["smb2", 0xfe534d42, true],
  ["9p", 0x01021997, true],
  ["fuse, virtiofs, GlusterFS", 0x65735546, true],
  ["ceph", 0x00c36400, true],
  ["gfs2", 0x01161970, true],
  ["ocfs2", 0x7461636f, true],
  ["lustre", 0x0bd00bd0, true],
  ["afs", 0x5346414f, true],
  ["vboxsf", 0x786f4256, true],
  ["vmhgfs", 0xbacbacbc, true],
  ["gpfs", 0x47504653, true],
  ["ext4", 0xef53, false],
  ["xfs", 0x58465342, false],
  ["btrfs", 0x9123683e, false],
  ["zfs", 0x2fc12fc1, false],
  ["tmpfs", 0x01021994, false],
  ["overlayfs", 0x794c7630, false],
  ["f2fs", 0xf2f52010, false],
  ["bcachefs", 0xca451a4e, false],
  ["unknown", 0, false],
  ["unknown, with the digits of a shared one in it", 0x17b, false],
];
test.runIf(process.platform === "linux").each(rows)("%s", (name, type, shared) => {
  expect(sharedFileSystem("unused", type) !== undefined).toBe(shared);
  if (/^\w+$/.test(name) && shared) expect(sharedFileSystem("unused", type)).toBe(name);
});

test("the folders of this machine are local", () => {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-statfs-"));
  expect(sharedFileSystem(folder)).toBeUndefined();
  rmSync(folder, { recursive: true });
});
