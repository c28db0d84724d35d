import { onTestFinished } from "vitest";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import type { WholeOutcome } from "../support/run_detect.ts";
import { type EnrgdaqServer, startEnrgdaq } from "./enrgdaq_server.ts";
import { runAlarm } from "./run_alarm.ts";

export interface Watch {
  readonly daq: EnrgdaqServer;
  /** Runs the alarm at `now`, with what the run before remembered. */
  look(now: number): Promise<WholeOutcome>;
}

/** Ticks of one alarm over an ENRGDAQ service, as an engine would run them. */
export async function watchDaq(alarm: string, params: JsonObject): Promise<Watch> {
  const daq = await startEnrgdaq();
  onTestFinished(() => daq.close());
  let previous: JsonValue | undefined;
  let previousAt = 0;
  let firing: readonly string[] = [];
  return {
    daq,
    look: async (now) => {
      const outcome = await runAlarm({
        alarm,
        params,
        sources: { enrgdaq: daq.url },
        now,
        firing,
        ...(previous !== undefined && { previous, previousAt }),
      });
      const { keys, clears, scopes, memory, status } = outcome;
      const isKept = (key: string) =>
        status !== "complete" || [...scopes.keys()].some((prefix) => key.startsWith(prefix));
      const kept = firing.filter((key) => !keys.has(key) && !clears.has(key) && isKept(key));
      firing = [...keys, ...kept];
      if (memory !== undefined) {
        previous = JSON.parse(memory);
        previousAt = now;
      }
      return outcome;
    },
  };
}

/** What an outcome says, in one text for each detection. */
export function subjectsOf({ detections }: WholeOutcome): readonly string[] {
  return detections.map(({ subject }) => subject);
}
