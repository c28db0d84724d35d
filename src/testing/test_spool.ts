import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpoolSource } from "../source/spool/spool_source.ts";
import { SILENT_AFTER } from "../source/spool.ts";
import { parseSpoolLine } from "../spool/parse_spool_line.ts";
import { spoolFileName } from "../spool/spool_file.ts";
import { spoolLineText } from "../spool/spool_line.ts";
import { quote } from "../text/describe.ts";
import { isSpool, type TestResponses } from "./test_responses.ts";

/** An event that the listener does not keep shows that it lives, whatever the times of the others. */
const LIFE = { event: "TICK_60", origin: "test:1", skipped: true };
const EXAMPLE =
  '{ event: "PROCESS_STATE_FATAL", payload: "processname:x groupname:x from_state:BACKOFF" }';

/** The texts of the spools among the responses of a test, by the name of the source. Throws for a line that is none. */
export function spoolTexts(responses: TestResponses, now: number): ReadonlyMap<string, string> {
  const spools = Object.entries(responses).flatMap(([name, given]) => {
    if (name.includes("/") || !isSpool(given)) return [];
    const counts = new Map<unknown, number>();
    const lines = [...given, LIFE].map((line, index) => {
      const { origin = "supervisor:1", ...own } = Object(line);
      const serial = counts.get(origin) ?? 0;
      counts.set(origin, serial + 1);
      const made = { serial, pool: "listener", poolserial: serial, at: now, payload: "" };
      const parsed = parseSpoolLine(JSON.stringify({ ...made, origin, ...own }));
      if (parsed !== undefined) return spoolLineText(parsed);
      const found = `${name}[${index}] is ${quote(line)}`;
      throw new Error(`responses: ${found}, not a line of a spool, such as ${EXAMPLE}`);
    });
    return [[name, lines.join("")] as const];
  });
  return new Map(spools);
}

/** A spool of a test: a real one, in a folder that `close` removes. */
export async function openTestSpool(name: string, text: string) {
  const path = await mkdtemp(join(tmpdir(), "swf-alarms-spool-"));
  const file = spoolFileName({ identifier: "test", pool: "listener", start: 0, pid: 1 });
  await writeFile(join(path, file), text);
  const source = new SpoolSource({ name, path, silentAfter: SILENT_AFTER });
  return { name, source, close: () => rm(path, { recursive: true }) };
}
