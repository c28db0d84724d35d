import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpoolSource } from "../source/spool/spool_source.ts";
import { parseSpoolLine } from "../spool/parse_spool_line.ts";
import { spoolFileName } from "../spool/spool_file.ts";
import { type SpoolLine, spoolLineText } from "../spool/spool_line.ts";
import { quote } from "../text/describe.ts";

/** A line of a test; what is left out is as a listener writes the events of one run of a supervisor, one after the other, now. */
export type TestSpoolLine = Pick<SpoolLine, "event"> & Partial<SpoolLine>;

/** A spool of a test, without signs of life: a real one, in a folder that `close` removes. */
export async function openTestSpool(name: string, given: readonly unknown[], now: number) {
  const lines = given.map((line, index) => lineText(name, line, index, now));
  const path = await mkdtemp(join(tmpdir(), "swf-alarms-spool-"));
  const file = spoolFileName({ identifier: "test", pool: "listener", start: 0, pid: 1 });
  await writeFile(join(path, file), lines.join(""));
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
