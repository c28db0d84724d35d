import { existsSync, readdirSync, readFileSync } from "node:fs";

const RECORDED = new URL("../../../shared/data/supervisord/", import.meta.url);

/** The recorded XML of a supervisord; none, with a printed reason, where it is not beside this checkout. */
export function recordedAnswers(): readonly { readonly file: string; readonly body: string }[] {
  if (!existsSync(RECORDED)) {
    console.log("skipped: no recorded answers of a supervisord beside this checkout");
    return [];
  }
  return readdirSync(RECORDED)
    .filter((file) => file.endsWith(".xml"))
    .map((file) => ({ file, body: readFileSync(new URL(file, RECORDED), "utf8") }));
}
