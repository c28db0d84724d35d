// Leaves a thread that loops for ever.
import { Worker } from "node:worker_threads";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  new Worker("for (;;);", { eval: true });
}
