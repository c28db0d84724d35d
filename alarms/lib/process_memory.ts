import { readdir, readFile } from "node:fs/promises";
import { type ProcessFacts, parseProcess } from "./proc.ts";

/** The processes of this host. Throws where they cannot all be seen. */
export async function readProcesses(): Promise<readonly ProcessFacts[]> {
  const found: ProcessFacts[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const [status, cmdline] = await Promise.all([
      readProcFile(`/proc/${pid}/status`),
      readProcFile(`/proc/${pid}/cmdline`),
    ]);
    const process = parseProcess(status, cmdline);
    if (process !== null) found.push(process);
  }
  if (!found.some(({ pid }) => pid === 1))
    throw new Error(
      "the processes of other users are hidden: /proc is mounted with hidepid; give its group (gid=) to the engine's user",
    );
  return found;
}

/** Empty if the process has ended meanwhile, or is hidden. */
async function readProcFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}

/** Memory of one process, or of it and all that it started. */
export interface ProcessMemory {
  readonly pid: number;
  /** KiB in RAM. Memory that several of them share counts for each. */
  readonly rss: number;
  /** How many processes that is. */
  readonly processes: number;
}

/**
 * Of these processes, the largest first. With children, each has the memory of all that it started too, and those that
 * another of them started are not listed again.
 */
export function memoryOf(
  roots: readonly ProcessFacts[],
  all: readonly ProcessFacts[],
  withChildren: boolean,
): readonly ProcessMemory[] {
  const found = roots.map((root) => ({ root, members: withChildren ? treeOf(root, all) : [root] }));
  const inner = new Set(
    found.flatMap(({ root, members }) => members.filter((each) => each !== root)),
  );
  return found
    .filter(({ root }) => !inner.has(root))
    .map(({ root, members }) => ({
      pid: root.pid,
      rss: members.reduce((sum, each) => sum + each.rss, 0),
      processes: members.length,
    }))
    .sort((a, b) => b.rss - a.rss);
}

/** The process and all below it. */
function treeOf(root: ProcessFacts, all: readonly ProcessFacts[]): readonly ProcessFacts[] {
  const members = new Set([root]);
  // A set yields also what is added on the way.
  for (const { pid } of members) for (const each of all) if (each.parent === pid) members.add(each);
  return [...members];
}
