import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Reaches the folder in the variable FOLDER by another path. */
const BOUND =
  'mkdir -p "$FOLDER.bound" && mount --bind "$FOLDER" "$FOLDER.bound" && FOLDER="$FOLDER.bound" exec "$0" "$@"';

const WAYS: readonly (readonly [string, readonly string[]])[] = [
  ["in another network namespace", ["unshare", "-n"]],
  ["by a bind mount in another network namespace", ["unshare", "-nm", "sh", "-c", BOUND]],
  [
    "in the namespaces of a container",
    ["unshare", "-nmuipf", "--kill-child", "sh", "-c", `hostname elsewhere && ${BOUND}`],
  ],
];

/** Ways to run a command apart from this process; none where this machine does not allow that. */
export const APART = WAYS.filter(([way, via]) => {
  const [program = "", ...args] = [...via, "true"];
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-apart-"));
  mkdirSync(join(folder, "f"));
  const { status, stderr, error } = spawnSync(program, args, {
    env: { PATH: process.env.PATH, FOLDER: join(folder, "f") },
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true });
  if (status !== 0) console.warn(`skipped: a process ${way}: ${error?.message ?? stderr}`);
  return status === 0;
});
