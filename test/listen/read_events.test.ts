import { describe, expect, test } from "vitest";
import { ProtocolError, readEvents } from "../../src/listen/read_events.ts";

const HEADER =
  "ver:3.0 server:supervisor serial:21 pool:listener poolserial:10 eventname:PROCESS_COMMUNICATION_STDOUT len:";

describe("an event is read", () => {
  const event = {
    identifier: "supervisor",
    serial: 21,
    pool: "listener",
    poolserial: 10,
    name: "PROCESS_COMMUNICATION_STDOUT",
    payload: "",
  };
  test.each([
    ["without a payload", `${HEADER}0\n`, {}],
    ["with a payload of several lines", `${HEADER}5\na\nb\nc`, { payload: "a\nb\nc" }],
    ["with a length in characters, not bytes", `${HEADER}6\ncafé µ`, { payload: "café µ" }],
    ["with a character beyond the 16 bits of JavaScript", `${HEADER}3\na🚀b`, { payload: "a🚀b" }],
    ["with a payload that looks like a header", `${HEADER}6\nlen:9\n`, { payload: "len:9\n" }],
    [
      "with its keys in another order",
      "len:2 eventname:TICK_60 poolserial:0 pool:p serial:4 server:s ver:3.0\nhi",
      { identifier: "s", serial: 4, pool: "p", poolserial: 0, name: "TICK_60", payload: "hi" },
    ],
    ["with a key that supervisord does not have yet", `colour:blue ${HEADER}0\n`, {}],
    [
      "with spaces and colons in the identifier",
      HEADER.replace("server:supervisor", "server:DAQ host 1:9001").concat("0\n"),
      { identifier: "DAQ host 1:9001" },
    ],
    [
      "with what looks like a key in the identifier",
      HEADER.replace("server:supervisor", "server:host 1 daq:9001 run: 7").concat("0\n"),
      { identifier: "host 1 daq:9001 run: 7" },
    ],
  ])("%s", (_, text, differences) => {
    expect(readEvents(text)).toEqual({ events: [{ ...event, ...differences }], rest: "" });
  });
});

describe("what is not whole yet is kept", () => {
  const whole = `${HEADER}6\ncafé µ`;
  test.each([
    ["nothing", "", 0, ""],
    ["half a header", HEADER, 0, HEADER],
    ["a header alone", `${HEADER}6\n`, 0, `${HEADER}6\n`],
    ["half a payload", `${HEADER}6\ncaf`, 0, `${HEADER}6\ncaf`],
    ["one event, and half the next", whole + HEADER, 1, HEADER],
    ["two events", whole + whole, 2, ""],
    ["as many units of JavaScript, but fewer characters", `${HEADER}3\na🚀`, 0, `${HEADER}3\na🚀`],
  ])("%s", (_, text, count, rest) => {
    const read = readEvents(text);
    expect(read.events.length).toBe(count);
    expect(read.rest).toBe(rest);
  });
});

describe("what is not the protocol is refused", () => {
  test.each([
    ["a typed line", "hello\n", '"hello"'],
    ["a length that is no number", `${HEADER}abc\n`, 'without a valid "len"'],
    ["a negative length", `${HEADER}-1\n`, 'without a valid "len"'],
    ["no serial", `${HEADER.replace("serial:21 ", "")}0\n`, 'without a valid "serial"'],
    ["an empty name", `${HEADER.replace(/eventname:\w+/, "eventname:")}0\n`, '"eventname"'],
    ["a header without an end", "x".repeat(5_000), "expected the header of an event"],
    ["a payload that is longer than its length", `${HEADER}1\nabc\n`, '"bc"'],
  ])("%s", (_, text, message) => {
    expect(() => readEvents(text)).toThrow(ProtocolError);
    expect(() => readEvents(text)).toThrow(message);
  });
});
