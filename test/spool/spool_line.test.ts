import { describe, expect, test } from "vitest";
import { MAX_LINE, MAX_PAYLOAD } from "../../src/spool/limits.ts";
import { identifierOf, originOf } from "../../src/spool/origin.ts";
import { parseSpoolLine } from "../../src/spool/parse_spool_line.ts";
import { type SpoolLine, spoolLineText } from "../../src/spool/spool_line.ts";

const LINE: SpoolLine = {
  origin: "supervisor:1234-1764270000",
  serial: 12,
  pool: "listener",
  poolserial: 3,
  event: "PROCESS_STATE_EXITED",
  at: 1764270000.123,
  payload: "processname:x groupname:x from_state:RUNNING expected:0 pid:5",
};

describe("a line", () => {
  test.each([
    ["of plain text", LINE.payload],
    ["of several lines", "processname:x\ncafé µ\r\n\u2028"],
    ["with half a character and a NUL", "\ud800\0"],
    ["without a payload", ""],
  ])("%s is one line, and is read as it was", (_, payload) => {
    const text = spoolLineText({ ...LINE, payload });
    expect(text.indexOf("\n")).toBe(text.length - 1);
    expect(parseSpoolLine(text)).toEqual({ ...LINE, payload });
  });

  test("with the longest payload is within the limit, however it is escaped", () => {
    const text = spoolLineText({ ...LINE, payload: "\u0001".repeat(2 * MAX_PAYLOAD) });
    expect(Buffer.byteLength(text)).toBeLessThan(MAX_LINE);
    expect(parseSpoolLine(text)?.payload).toHaveLength(MAX_PAYLOAD);
  });

  test.each([
    ["half a line", JSON.stringify(LINE).slice(0, 50)],
    ["two lines that a crash joined", JSON.stringify(LINE).slice(0, 50) + JSON.stringify(LINE)],
    ["no object", "[]"],
    ["an origin without a run", JSON.stringify({ ...LINE, origin: "supervisor" })],
    ["an origin with an empty run", JSON.stringify({ ...LINE, origin: "supervisor:" })],
    ["a serial that is a text", JSON.stringify({ ...LINE, serial: "12" })],
    ["a serial that is no whole number", JSON.stringify({ ...LINE, serial: 1.5 })],
    ["no payload", JSON.stringify({ ...LINE, payload: undefined })],
    ["a time that is missing", JSON.stringify({ ...LINE, at: undefined })],
    ["zeros, as a file system leaves them after a crash", "\0\0\0\0"],
    ["nothing", ""],
  ])("%s is broken", (_, text) => {
    expect(parseSpoolLine(text)).toBeUndefined();
  });

  test("of an event that is not kept says so", () => {
    const line = { ...LINE, payload: "", skipped: true };
    expect(parseSpoolLine(spoolLineText(line))).toEqual(line);
  });

  test("with what is not known is read without it", () => {
    expect(parseSpoolLine(JSON.stringify({ ...LINE, other: 1 }))).toEqual(LINE);
  });
});

test.each([
  ["supervisor", "1234-1764270000"],
  ["host:8001/a", "1"],
])("the service of an origin is its identifier: %s", (identifier, run) => {
  expect(identifierOf(originOf(identifier, run))).toBe(identifier);
});
