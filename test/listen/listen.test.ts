import { existsSync, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { DEFAULT_EVENTS } from "../../src/listen/event_names.ts";
import { type Listener, listen } from "../../src/listen/listen.ts";
import type { SpoolLine } from "../../src/spool/spool_line.ts";

const NOW = 1_795_190_331.5;

function start(settings: Partial<Listener> = {}) {
  const lines: SpoolLine[] = [];
  const said: string[] = [];
  const input = new PassThrough();
  const output = new PassThrough();
  const stop = new AbortController();
  const ended = listen(
    input,
    output,
    {
      folder: "/spool",
      run: "77-8412",
      events: DEFAULT_EVENTS,
      append: (_, line) => void lines.push(line),
      say: (message) => void said.push(message),
      now: () => NOW,
      ...settings,
    },
    stop.signal,
  );
  ended.catch(() => {});
  onTestFinished(() => stop.abort());
  const answers = (): string => String(output.read() ?? "");
  return { lines, said, input, answers, stop, ended };
}

function eventText(name: string, serial: number, payload = ""): string {
  return `ver:3.0 server:daq serial:${serial} pool:swf poolserial:${serial} eventname:${name} len:${[...payload].length}\n${payload}`;
}

/** Feeds all of it, and resolves once all of it is answered. */
async function feed(chunks: readonly Uint8Array[], settings: Partial<Listener> = {}) {
  const started = start(settings);
  for (const chunk of chunks) started.input.write(chunk);
  started.input.end();
  await started.ended;
  return { ...started, answers: started.answers() };
}

const OK = "RESULT 2\nOKREADY\n";

describe("the dialogue", () => {
  test("begins with READY, answers each event, and ends with the input", async () => {
    const text = eventText("PROCESS_STATE_EXITED", 0, "processname:x") + eventText("TICK_5", 1);
    const { answers, lines, said } = await feed([Buffer.from(text)]);
    expect(answers).toBe(`READY\n${OK}${OK}`);
    const common = { origin: "daq:77-8412", pool: "swf", at: NOW };
    expect(lines).toEqual([
      {
        ...common,
        serial: 0,
        poolserial: 0,
        event: "PROCESS_STATE_EXITED",
        payload: "processname:x",
      },
      // Its number counts: a gap would look like a lost event.
      { ...common, serial: 1, poolserial: 1, event: "TICK_5", payload: "", skipped: true },
    ]);
    expect(said).toEqual([]);
  });

  test("writes the line before it answers", async () => {
    const { answers, input, ended } = start({
      append: () => {
        expect(answers()).toBe("READY\n");
      },
    });
    input.end(eventText("TICK_60", 0, "when:1"));
    await ended;
    expect(answers()).toBe(OK);
  });

  test("ends at a signal, also in the middle of an event", async () => {
    const { input, stop, ended, lines } = start();
    input.write(eventText("TICK_60", 0, "when:1").slice(0, -1));
    stop.abort();
    await ended;
    expect(lines).toEqual([]);
  });

  test("ends with an error where it is not the protocol, after what was before", async () => {
    const { input, ended, lines, answers } = start();
    input.write(`${eventText("TICK_60", 0)}Traceback (most recent call last):\n`);
    await expect(ended).rejects.toThrow('found "Traceback (most recent call last):"');
    expect(lines).toEqual([]);
    expect(answers()).toBe("READY\n");
  });
});

test("a spool that cannot be written is named once, and once when it is over; all is answered", async () => {
  const texts = [0, 1, 2, 3].map((serial) => Buffer.from(eventText("TICK_60", serial)));
  const { answers, said } = await feed(texts, {
    append: (_, { serial }) => {
      if (serial < 3) throw new Error("ENOSPC: no space left on device");
    },
  });
  expect(answers).toBe(`READY\n${OK.repeat(4)}`);
  expect(said).toEqual([
    "cannot write to the spool /spool: ENOSPC: no space left on device; until this is over, events are answered and lost",
    "the spool /spool is written again; 3 events are lost",
  ]);
});

const RECORDED = new URL("../../../shared/data/supervisord/", import.meta.url);
const hasRecorded = existsSync(RECORDED);
if (!hasRecorded) console.log("skipped: the recorded events of a supervisord are not here");

describe.skipIf(!hasRecorded)("the recorded stream of 251 events", () => {
  const read = (name: string): Buffer =>
    hasRecorded ? readFileSync(new URL(name, RECORDED)) : Buffer.alloc(0);
  const raw = read("events_all.raw");
  interface Recorded {
    readonly header: { readonly serial: string; readonly eventname: string };
    readonly payload: string;
  }
  const recorded: readonly Recorded[] = read("events_all.jsonl")
    .toString()
    .split("\n")
    .flatMap((line) => (line === "" ? [] : JSON.parse(line)));
  const wanted = recorded
    .filter(({ header }) => !/^(TICK_(5|3600)|PROCESS_LOG_\w+)$/.test(header.eventname))
    .map(({ header, payload }) => [Number(header.serial), header.eventname, payload]);

  /** Cuts the stream at these places. */
  function cut(places: readonly number[]): readonly Buffer[] {
    const ends = [...places.toSorted((a, b) => a - b), raw.length];
    return ends.map((end, index) => raw.subarray(ends[index - 1] ?? 0, end));
  }

  async function check(chunks: readonly Buffer[]): Promise<void> {
    const { lines, answers } = await feed(chunks);
    const kept = lines.filter(({ skipped }) => skipped !== true);
    expect(kept.map(({ serial, event, payload }) => [serial, event, payload])).toEqual(wanted);
    expect(lines.map(({ poolserial }) => poolserial)).toEqual(recorded.map((_, index) => index));
    expect(answers).toBe(`READY\n${OK.repeat(251)}`);
  }

  test("has what a listener must take and leave, and characters of several bytes", () => {
    expect(recorded.length).toBe(251);
    expect(wanted.length).toBeGreaterThan(100);
    expect(wanted.length).toBeLessThan(251);
    expect(raw.length).toBeGreaterThan(raw.toString().length);
  });

  test("fed whole", () => check([raw]));
  test("fed byte by byte", () => check([...raw].map((byte) => Buffer.from([byte]))));
  test("fed in random pieces", async () => {
    const places = fc.array(fc.integer({ min: 0, max: raw.length }), { maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(places, (each) => check(cut(each))),
      { numRuns: 50 },
    );
  });
});
