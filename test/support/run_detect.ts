import type { Level } from "../../src/core/level.ts";
import type { FiringEvent, Outcome, Remembered, SafeDetection } from "../../src/core/model.ts";
import type { SpoolPositions } from "../../src/source/client/spool/spool_lines.ts";
import type { Requester } from "../../src/source/requester.ts";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { runDetect } from "../../src/worker/child/detect.ts";
import type { Detect } from "../../src/worker/child/load.ts";
import type { OutcomeSoFar } from "../../src/worker/outcome.ts";
import { newOutcome } from "./new_outcome.ts";

export interface RunFacts {
  readonly params?: JsonObject;
  /** Seconds. */
  readonly timeout?: number;
  readonly sources?: ReadonlyMap<string, Requester>;
  /** Epoch seconds of the tick. */
  readonly now?: number;
  readonly log?: (message: string) => void;
  /** Dedupe keys of its active events. */
  readonly firing?: () => readonly string[];
  readonly firingEvents?: () => Promise<readonly FiringEvent[]>;
  readonly previous?: () => Promise<Remembered<JsonValue> | undefined>;
  readonly positions?: () => Promise<{ readonly [source: string]: string }>;
  readonly needsDetails?: (dedupeKey: string, level: Level) => boolean;
  readonly redact?: (text: string) => string;
  /** Those of its module. */
  readonly stages?: readonly string[];
}

/** An outcome with all that was detected. */
export type WholeOutcome = Omit<Outcome, "detections"> & {
  readonly detections: readonly SafeDetection[];
};

export function wholeOutcome({ detections, ...outcome }: Outcome): WholeOutcome {
  return { ...outcome, detections: [...detections.values()].filter((each) => each !== undefined) };
}

/** As `runHere`, with all that was detected. */
export async function outcomeOf(detect: Detect, facts: RunFacts = {}): Promise<WholeOutcome> {
  return wholeOutcome(await runHere(detect, facts));
}

/** Runs a `detect` in this process, to the outcome that the engine would make of it. */
export async function runHere(detect: Detect, facts: RunFacts = {}): Promise<Outcome> {
  const started = performance.now();
  const { needsDetails = () => true, redact = (text) => text, stages = [] } = facts;
  const soFar = newOutcome({ needsDetails, redact, stages });
  const sources = new Map<string, Requester>();
  for (const [name, source] of facts.sources ?? []) sources.set(name, recorded(source, soFar));
  const positions: SpoolPositions = {
    stored: async () => (await facts.positions?.()) ?? {},
    current: new Map(),
  };
  const error = await runDetect({
    params: {},
    now: 1000,
    timeout: 10,
    log: () => {},
    ...facts,
    firing: async () => facts.firing?.() ?? [],
    firingEvents: async () => (await facts.firingEvents?.()) ?? [],
    previous: async () =>
      JSON.parse(JSON.stringify((await facts.previous?.()) ?? null)) ?? undefined,
    positions,
    onNote: (text) => soFar.note(text),
    onRemember: (text) => soFar.remember(text),
    detect,
    sources,
    onDetection: (detection) => void soFar.add(detection, 0),
    onClear: ({ dedupeKey, reason }) => soFar.addClear(dedupeKey, reason),
    onIncomplete: (reason, prefix) => soFar.incomplete(reason, prefix),
  });
  for (const [source, { changed }] of positions.current)
    if (changed !== undefined) soFar.position(source, changed);
  if (error !== undefined) soFar.fail(error);
  return soFar.outcome((performance.now() - started) / 1000);
}

/** The engine sends the request, so it records a failure first. */
function recorded(source: Requester, soFar: OutcomeSoFar): Requester {
  return {
    kind: source.kind,
    request: async (request) => {
      try {
        return await source.request(request);
      } catch (error) {
        if (request.ahead !== true)
          soFar.requestFailed(
            error instanceof Error ? error.message : String(error),
            request.scope,
          );
        throw error;
      }
    },
  };
}
