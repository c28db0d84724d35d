import fc from "fast-check";
import { expect, test } from "vitest";
import { type SpoolLine, spoolLineText } from "../../../../src/spool/spool_line.ts";
import { append, emptyFolder, line, SpoolReader } from "../../../support/spool.ts";

const NOW = 10_000;
/** Processes of the listener. */
const WRITERS = 3;

const writer = fc.nat(WRITERS - 1);
const part = fc.integer({ min: 1, max: 99 });

const STEP = fc.oneof(
  fc.record({ what: fc.constant("event" as const), writer }),
  // The listener is killed before its answer, so that another process gets the event too.
  fc.record({ what: fc.constant("twice" as const), writer, second: writer }),
  // The listener dies while it writes.
  fc.record({ what: fc.constant("cut" as const), writer, second: writer, part }),
  // It has written a part, and writes the rest with its next step.
  fc.record({ what: fc.constant("half" as const), writer, part }),
  fc.record({ what: fc.constant("rotate" as const), writer }),
  fc.constant({ what: "restart of the supervisor" as const }),
  fc.constant({ what: "tick" as const }),
  fc.record({ what: fc.constant("killed tick" as const), after: fc.nat(5) }),
  fc.record({ what: fc.constant("tick that leaves" as const), after: fc.nat(5) }),
);

/** Supervisors and listeners that write to a spool, and an alarm that reads it. */
class World {
  readonly folder = emptyFolder();
  readonly reader = new SpoolReader(this.folder);
  /** What was sent, and what the alarm got in ticks that were stored. */
  readonly sent: string[] = [];
  readonly got: string[] = [];
  #run = 1;
  #serial = 0;
  #files = 0;
  readonly #writers = Array.from({ length: WRITERS }, () => ({ file: this.#newFile(), rest: "" }));

  event(): SpoolLine {
    const serial = this.#serial++;
    const origin = `supervisor:${this.#run}`;
    this.sent.push(`${origin} ${serial}`);
    // Whoever writes, all lines are of the same moment: their order is that of the serials.
    return line(serial, NOW, { origin, payload: "é".repeat(serial % 7) });
  }

  write(index: number, text: string): void {
    const { file, rest } = this.#writerOf(index);
    append(this.folder, file, [rest + text]);
    this.#writers[index] = { file, rest: "" };
  }

  writeHalf(index: number, text: string, percent: number): void {
    this.write(index, "");
    const at = 1 + Math.floor((text.length - 2) * (percent / 100));
    this.write(index, text.slice(0, at));
    this.#writers[index] = { ...this.#writerOf(index), rest: text.slice(at) };
  }

  /** A process that follows it has a file of its own; what it had not written is sent again. */
  kill(index: number): void {
    this.#writers[index] = { file: this.#newFile(), rest: "" };
  }

  rotate(index: number): void {
    this.write(index, "");
    this.kill(index);
  }

  restart(): void {
    for (let n = 0; n < WRITERS; n++) this.rotate(n);
    this.#run += 1;
    this.#serial = 0;
  }

  async tick(kind: "whole" | "killed" | "leaves", after = 0): Promise<void> {
    let count = 0;
    const { events, status, reasons } = await this.reader.tick(NOW, () => {
      if (count++ < after || kind === "whole") return true;
      if (kind === "killed") throw new Error("killed");
      return false;
    });
    const isCut = kind !== "whole" && events.length > after;
    if (status !== "failed")
      expect(reasons.filter((each) => !each.includes("has no line of a feeder"))).toEqual([]);
    if (isCut && kind === "killed") return;
    // It has the last one, but did not ask for the next.
    const read = isCut ? events.slice(0, -1) : events;
    this.got.push(...read.map(({ origin, serial }) => `${origin} ${serial}`));
  }

  #newFile(): string {
    return `${String(this.#files++)}.jsonl`;
  }

  #writerOf(index: number) {
    const found = this.#writers[index];
    if (found === undefined) throw new Error(`no writer ${index}`);
    return found;
  }
}

test("each event is read exactly once, however it is written and whenever a tick ends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 40 }), async (steps) => {
      const world = new World();
      for (const step of steps) {
        switch (step.what) {
          case "event":
            world.write(step.writer, spoolLineText(world.event()));
            break;
          case "twice": {
            const text = spoolLineText(world.event());
            world.write(step.writer, text);
            world.kill(step.writer);
            world.write(step.second, text);
            break;
          }
          case "cut": {
            const text = spoolLineText(world.event());
            world.writeHalf(step.writer, text, step.part);
            world.kill(step.writer);
            world.write(step.second, text);
            break;
          }
          case "half":
            world.writeHalf(step.writer, spoolLineText(world.event()), step.part);
            break;
          case "rotate":
            world.rotate(step.writer);
            break;
          case "restart of the supervisor":
            world.restart();
            break;
          case "tick":
            await world.tick("whole");
            break;
          case "killed tick":
            await world.tick("killed", step.after);
            break;
          case "tick that leaves":
            await world.tick("leaves", step.after);
            break;
        }
      }
      for (let n = 0; n < WRITERS; n++) world.write(n, "");
      await world.tick("whole");
      expect(world.got.toSorted()).toEqual(world.sent.toSorted());
    }),
    { numRuns: 100 },
  );
});
