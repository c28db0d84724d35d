// Writes garbage into the pipe to the engine.
import { writeSync } from "node:fs";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  writeSync(3, "garbage\n\u0000\u001b[31m\n");
  await new Promise(() => {});
}
