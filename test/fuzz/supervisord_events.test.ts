import fc from "fast-check";
import { expect, test } from "vitest";
import * as alarm from "../../alarms/supervisord_events.ts";
import { parseDetection } from "../../src/core/detection.ts";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import type { Requester } from "../../src/source/requester.ts";
import { type SpoolLine, spoolLineText } from "../../src/spool/spool_line.ts";
import { CLIENT_FACTS } from "../support/client_facts.ts";
import { jsonResponse } from "../support/responses.ts";
import { anyJson, anyText, ONE_LINE } from "./arbitraries.ts";
import { runs } from "./runs.ts";

const NOW = 1_700_000_000;

/** A spool that has one file. */
function spoolOf(lines: readonly SpoolLine[]): Requester {
  const body = Buffer.from(lines.map(spoolLineText).join(""));
  return {
    kind: "spool",
    request: async ({ path, query }) => {
      if (path === "files") return jsonResponse([["a.jsonl", body.length]]);
      if (path !== "lines") return jsonResponse({});
      return { status: 200, body: body.subarray(Number(query.from)), headers: {} };
    },
  };
}

/** One tick; returns the keys that it detects, and what it remembers. */
async function tick(lines: readonly SpoolLine[], memory: string | undefined) {
  const keys: string[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map([["supervisord_events", spoolOf(lines)]]),
    now: NOW,
    positions: { stored: async () => ({}), current: new Map() },
    previous: async () =>
      memory === undefined ? undefined : { at: NOW, value: JSON.parse(memory) },
    onRemember: (text) => {
      memory = text;
    },
    onIncomplete: (reason) => {
      expect(reason).toMatch(ONE_LINE);
      expect(reason.length).toBeLessThan(1_000);
    },
  });
  const params = { quiet_minutes: 30, signals: ["S", "?"] };
  for await (const value of alarm.detect(client, params)) {
    const parsed = parseDetection(value);
    if (!parsed.ok) throw new Error(parsed.error);
    if ("clear" in parsed) expect(parsed.clear.reason).toMatch(ONE_LINE);
    else {
      expect(parsed.detection.subject).toMatch(ONE_LINE);
      keys.push(parsed.detection.dedupeKey);
    }
  }
  expect(memory).toBeDefined();
  return { keys, memory };
}

const part = fc.oneof(
  anyText,
  fc.constantFrom(
    "a",
    "processname:",
    "groupname:",
    "expected:0",
    "pid:x",
    " ",
    "\n",
    ":",
    "ALERT:",
  ),
);
const whole = fc
  .tuple(anyText, fc.constantFrom("ALERT:", "SIGNAL:S:", "ALERT:A:B:", ""), anyText)
  .map(([name, kind, text]) => `processname:${name} groupname:g expected:0 pid:1\n${kind}${text}`);
const event = fc.constantFrom(
  ...["PROCESS_STATE_EXITED", "PROCESS_STATE_FATAL", "PROCESS_STATE_RUNNING", "PROCESS_STATE_"],
  ...["PROCESS_COMMUNICATION_STDOUT", "PROCESS_GROUP_REMOVED", "SUPERVISOR_STATE_CHANGE_RUNNING"],
  ...["TICK_60", "__proto__"],
);
const at = fc.oneof(
  fc.integer({ min: NOW - 4000, max: NOW }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const line: fc.Arbitrary<SpoolLine> = fc.record({
  origin: anyText.map((text) => `${text || "x"}:1`),
  serial: fc.nat(50),
  pool: fc.constant("swf"),
  poolserial: fc.nat(50),
  event: fc.oneof({ weight: 9, arbitrary: event }, { weight: 1, arbitrary: anyText }),
  at,
  payload: fc.oneof(
    whole,
    fc.array(part).map((parts) => parts.join("")),
  ),
});

/** Of another run than the other lines. */
const FATAL: SpoolLine = {
  origin: "daq:fatal",
  serial: 0,
  pool: "swf",
  poolserial: 0,
  event: "PROCESS_STATE_FATAL",
  at: NOW,
  payload: "processname:daq groupname:daq from_state:BACKOFF",
};

test("events of supervisord, whatever is in them: detections that can be stored, and a program that is FATAL", async () => {
  const lines = fc.array(line, { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(lines, lines, lines, anyJson, async (before, after, later, other) => {
      const first = await tick([...before, FATAL, ...after], JSON.stringify(other));
      expect(first.keys).toContain("daq:daq:daq");
      const second = await tick(later, first.memory);
      expect(second.keys).toContain("daq:daq:daq");
      await tick([], second.memory);
    }),
    runs(3),
  );
});
