// Changes the modules of Node.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  fs.writeSync = () => 0;
  fs.readFileSync = () => "";
  syncBuiltinESMExports();
}
