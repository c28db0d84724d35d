import { fileURLToPath } from "node:url";
import type { AlarmModule } from "../../src/alarm/alarm_module.ts";
import { discoverModules } from "../../src/alarm/discover.ts";
import { resolveParams } from "../../src/core/params.ts";
import * as helpers from "../../src/index.ts";
import { HttpSource } from "../../src/source/http/http_source.ts";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { type Detect, ModuleLoader } from "../../src/worker/child/load.ts";
import { loadHere } from "../support/load_module.ts";
import { outcomeOf, type WholeOutcome } from "../support/run_detect.ts";

const ALARMS = fileURLToPath(new URL("../../alarms", import.meta.url));

/** Loads a shipped alarm as the engine does. Throws where the engine would report a fault. */
export async function loadAlarm(name: string): Promise<AlarmModule & { readonly detect: Detect }> {
  const file = discoverModules(ALARMS).modules.find((module) => module.name === name);
  if (file === undefined) throw new Error(`no alarm ${name} in ${ALARMS}`);
  const { parsed, detect } = await loadHere(new ModuleLoader({ ...helpers }), file);
  if (!parsed.ok) throw new Error(parsed.error);
  if (detect === undefined) throw new Error(`${name} has no detect`);
  return { ...parsed.module, detect };
}

export interface RunFacts {
  readonly alarm: string;
  readonly params: JsonObject;
  /** Source name → base URL; `main` is the service of `[engine]`. */
  readonly sources: { readonly [name: string]: string };
  /** Epoch seconds of the tick. */
  readonly now?: number;
  /** Dedupe keys of its active events. */
  readonly firing?: readonly string[];
  /** What the tick before remembered. */
  readonly previous?: JsonValue;
  /** When that tick was; at `now` unless said otherwise. */
  readonly previousAt?: number;
}

/** One run of a shipped alarm against real services, with the params of its row. */
export async function runAlarm({
  alarm,
  params: given,
  sources,
  now = 0,
  firing = [],
  previous,
  previousAt = now,
}: RunFacts): Promise<WholeOutcome> {
  const module = await loadAlarm(alarm);
  const { params, missing, faults, unknown } = resolveParams(module.params, given);
  const wrong = [...missing, ...faults, ...unknown];
  if (wrong.length > 0) throw new Error(`params of ${alarm}: ${wrong.join("; ")}`);
  const tick = new AbortController();
  const byName = new Map(
    Object.entries(sources).map(([name, baseUrl]) => [
      name,
      new HttpSource(
        {
          name,
          baseUrl,
          headers: {},
          authorization: undefined,
          userAgent: undefined,
          timeout: 5,
          maxConnections: 4,
        },
        tick.signal,
      ),
    ]),
  );
  try {
    return await outcomeOf(module.detect, {
      params,
      stages: module.stages,
      sources: byName,
      now,
      timeout: 30,
      firing: () => firing,
      ...(previous !== undefined && {
        previous: async () => ({ at: previousAt, value: previous }),
      }),
    });
  } finally {
    tick.abort(new Error("the test's tick has ended"));
    await Promise.all([...byName.values()].map((source) => source.close()));
  }
}

/** What an outcome says, without the details: its status and the entities. */
export function keysOf({ status, detections }: WholeOutcome): { status: string; keys: string[] } {
  return { status, keys: detections.map(({ dedupeKey }) => dedupeKey) };
}
