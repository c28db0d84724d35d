import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { docPage } from "./doc_examples.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The compiler settings that docs/alarms.md gives, for the engine in this checkout. */
export const AUTHOR_SETTINGS = (
  /```json\n(.*?)```/su.exec(docPage("alarms.md"))?.[1] ?? ""
).replaceAll("/opt/swf-alarms", ROOT);

/** Rejects with what the compiler finds in the folder. */
export async function checkTypes(folder: string): Promise<void> {
  const tsc = join(ROOT, "node_modules", "typescript-dev", "bin", "tsc");
  try {
    await promisify(execFile)(process.execPath, [tsc, "-p", folder]);
  } catch (error) {
    throw new Error(String(Reflect.get(Object(error), "stdout")));
  }
}
