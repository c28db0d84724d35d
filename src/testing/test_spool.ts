import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpoolSource } from "../source/spool/spool_source.ts";
import { parseSpoolLine } from "../spool/parse_spool_line.ts";
import { spoolFileName } from "../spool/spool_file.ts";
import { spoolLineText } from "../spool/spool_line.ts";
import { quote } from "../text/describe.ts";
import { isSpool, type TestResponses } from "./test_responses.ts";

/** The texts of the spools among the responses of a test, by the name of the source. Throws for a line that is none. */
export function spoolTexts(responses: TestResponses, now: number): ReadonlyMap<string, string> {
  const spools = Object.entries(responses).flatMap(([name, given]) => {
    if (name.includes("/") || !isSpool(given)) return [];
    const lines = given.map((line, index) => lineText(name, line, index, now));
    return [[name, lines.join("")] as const];
  });
  return new Map(spools);
}

/** A spool of a test, without signs of life: a real one, in a folder that `close` removes. */
export async function openTestSpool(name: string, text: string) {
  const path = await mkdtemp(join(tmpdir(), "swf-alarms-spool-"));
  const file = spoolFileName({ identifier: "test", pool: "listener", start: 0, pid: 1 });
  await writeFile(join(path, file), text);
  const source = new SpoolSource({ name, path, silentAfter: Number.POSITIVE_INFINITY });
  return { name, source, close: () => rm(path, { recursive: true }) };
}

function lineText(name: string, given: unknown, index: number, now: number): string {
  const made = { origin: "supervisor:1", serial: index, pool: "listener", poolserial: index };
  const line = parseSpoolLine(JSON.stringify({ ...made, at: now, payload: "", ...Object(given) }));
  if (line !== undefined) return spoolLineText(line);
  throw new Error(
    `responses: ${name}[${index}] is ${quote(given)}, not a line of a spool, such as { event: "PROCESS_STATE_FATAL", payload: "processname:x groupname:x from_state:BACKOFF" }`,
  );
}
