// Says in the engine's own words that it has ended well.
import { writeSync } from "node:fs";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  writeSync(
    3,
    `${JSON.stringify({ said: "end", error: null, changed: [], clean: true, job: "" })}\n`,
  );
  await new Promise(() => {});
}
