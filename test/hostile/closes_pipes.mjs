// Closes the pipes to the engine.
import { closeSync } from "node:fs";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  closeSync(3);
  closeSync(4);
  await new Promise(() => {});
}
