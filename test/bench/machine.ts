import { cpus, loadavg, totalmem } from "node:os";
import type { BenchPostgres } from "./postgres.ts";

/** What the figures depend on, and nothing that says whose machine it is. */
export async function describeMachine(postgres: BenchPostgres): Promise<string> {
  const all = cpus();
  const load = loadavg().map((value) => value.toFixed(2));
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `- ${all.length} cores, ${all[0]?.model ?? "of an unknown model"}, ${memory} GiB of memory; load at the start ${load.join(", ")}`,
    `- Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    `- ${await postgres.describe()}`,
    "- Postgres, the source and the engine share the machine; the source is a process of its own",
  ].join("\n");
}
