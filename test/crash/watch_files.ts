import { watch } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Moments } from "./moments.ts";

/** Notes `wrote` whenever the embedded database in the folder has written to its log of changes. */
export function watchFiles(state: string, moments: Moments): void {
  const watcher = watch(join(state, "pg_wal"), () => moments.note("wrote"));
  onTestFinished(() => watcher.close());
}
