// Writes a line without end into the pipe to the engine.
import { writeSync } from "node:fs";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  for (;;) writeSync(3, "x".repeat(100_000));
}
