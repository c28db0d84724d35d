import { basename, extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { AlarmModule } from "../alarm/alarm_module.ts";
import { isFile, type ModuleFile } from "../alarm/discover.ts";
import { judgeReadiness, type Readiness } from "../alarm/readiness.ts";
import { DEFAULT_LIMITS, DEFAULT_REQUEST_TIMEOUT } from "../core/default_limits.ts";
import { escapeKey } from "../core/detection.ts";
import { MAIN_SOURCE } from "../core/main_source.ts";
import type { DetectLimits, FiringEvent, Remembered } from "../core/model.ts";
import { parseJson } from "../source/parse_json.ts";
import { errorText, quote, showName } from "../text/describe.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";
import { hint } from "../text/nearest.ts";
import { strictJson } from "../text/strict_json.ts";
import { parseUtc } from "../text/utc.ts";
import { WorkerPool } from "../worker/worker_pool.ts";
import { type TestOutcome, testOutcome } from "./test_outcome.ts";
import { responsesBySource, type TestRequest, type TestResponses } from "./test_responses.ts";
import { openTestSources } from "./test_sources.ts";
import { spoolTexts } from "./test_spool.ts";

export interface AlarmTest {
  /** The values of the alarm's row; the others have their defaults. */
  readonly params?: JsonObject;
  /** What the services answer. Without it, any request fails the test. */
  readonly responses?: TestResponses;
  /** `client.now`, which is also the services' clock: epoch seconds, or a UTC time as text. The current time by default. */
  readonly now?: number | string;
  /** What `client.previous` returns; undefined by default. */
  readonly previous?: Remembered<unknown>;
  /** The alarm's active events: their keys, or also what else they have. None by default. */
  readonly firing?: readonly (string | FiringInTest)[];
  /** The limits of the run; those of `[engine]` have the same defaults. */
  readonly limits?: Partial<DetectLimits>;
  /** Seconds until a request without a response has failed; 20 by default. */
  readonly requestTimeout?: number;
}

export type FiringInTest = Pick<FiringEvent, "dedupeKey"> & Partial<FiringEvent>;

const OPTIONS = ["params", "responses", "now", "previous", "firing", "limits", "requestTimeout"];
/** CPU seconds of the process, as a multiple of `timeout`: Node runs threads beside the module. */
const CPU_TIMES = 4;

/**
 * Runs the `detect` of an alarm module once, as a tick does: the file is loaded by the engine, also in TypeScript, and runs
 * in a process of its own with the engine's limits. It needs no configuration and no database, and leaves nothing running.
 *
 * `module` is the URL or the path of the file: `new URL("./x.ts", import.meta.url)`. What goes wrong in the module is in the
 * outcome. Rejects if the test itself is wrong: there is no such file or it cannot be loaded, a parameter is wrong or
 * missing, or the module sends a request that `responses` has no answer for.
 */
export async function testAlarm(module: string | URL, test: AlarmTest = {}): Promise<TestOutcome> {
  const file = moduleFile(module);
  checkOptions(test);
  const now = timeOf(test.now);
  const previous = test.previous && rememberedOf(test.previous);
  const bySource = responsesBySource(test.responses ?? {});
  const spools = spoolTexts(test.responses ?? {}, now);
  const limits = { ...DEFAULT_LIMITS, ...test.limits };
  const stop = new AbortController();
  const workers = new WorkerPool({
    limits,
    signal: stop.signal,
    cpuTime: limits.timeout * CPU_TIMES,
    redact: (text) => text,
    log: (message) => void process.stdout.write(`${message}\n`),
  });
  const requests: TestRequest[] = [];
  const log: string[] = [];
  try {
    const loaded = await workers.load(file);
    if (!loaded.ok) throw new Error(loaded.error);
    const names = new Set([...bySource.keys(), ...spools.keys(), ...(loaded.module.sources ?? [])]);
    const params = paramsOf(loaded.module, test.params ?? {}, names);
    const sources = await openTestSources(names, {
      bySource,
      spools,
      now,
      timeout: test.requestTimeout ?? DEFAULT_REQUEST_TIMEOUT,
      onRequest: (request) => requests.push(request),
      onError: (error) => stop.abort(error),
    });
    try {
      const events = (test.firing ?? []).map((each) => firingEvent(each, now));
      const outcome = await workers.detect({
        file: loaded.module,
        params,
        stages: loaded.module.stages,
        sources: sources.byName,
        now,
        firing: () => events.map(({ dedupeKey }) => dedupeKey),
        firingEvents: async () => events,
        previous: async () => previous,
        positions: async () => ({}),
        paramsOf: () => params,
        decideDetails: () => () => true,
        limits,
        log: (message) => log.push(message),
      });
      // Made here, so that its stack names the line of the test.
      if (stop.signal.aborted)
        throw new Error(errorText(stop.signal.reason), { cause: stop.signal.reason });
      return testOutcome(outcome, requests, log);
    } finally {
      await sources.close();
    }
  } finally {
    await workers.close();
  }
}

/** Who may write the files does not matter in a test. */
function moduleFile(module: unknown): ModuleFile {
  const isPath = typeof module === "string" || module instanceof URL;
  const write = `write testAlarm(new URL("./my_alarm.ts", import.meta.url), { … })`;
  if (!isPath)
    throw new TypeError(`testAlarm takes the file of a module, not ${quote(module)}; ${write}`);
  const isUrl = module instanceof URL || module.startsWith("file:");
  const path = isUrl ? fileURLToPath(module) : resolve(module);
  if (!isFile(path)) throw new Error(`testAlarm: there is no file ${path}; ${write}`);
  return { name: basename(path, extname(path)), path, allowWritable: true };
}

/** A test in JavaScript has no types. */
function checkOptions(test: AlarmTest): void {
  checkNames("option", test, OPTIONS);
  checkNames("limit", test.limits ?? {}, Object.keys(DEFAULT_LIMITS));
}

function checkNames(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`testAlarm: unknown ${what} ${showName(unknown)}${hint(unknown, known)}`);
}

function timeOf(now: number | string = Date.now() / 1000): number {
  const time = typeof now === "number" ? now : parseUtc(now);
  if (time !== undefined && Number.isFinite(time)) return time;
  throw new Error(
    `testAlarm: now is ${quote(now)}; write epoch seconds, or a UTC time such as "2026-08-20T12:00:00Z"`,
  );
}

/** As the engine keeps it: JSON. */
function rememberedOf({ at, value }: Remembered<unknown>): Remembered<JsonValue> {
  const json = strictJson(value);
  if (!json.ok) throw new Error(`testAlarm: previous.value is not a JSON value: ${json.error}`);
  return { at, value: parseJson(json.text) };
}

/** What `detect` gets. Throws where the alarm would not run with these values, or a name is mistyped. */
function paramsOf(
  module: AlarmModule,
  given: JsonObject,
  sources: ReadonlySet<string>,
): JsonObject {
  const readiness = judgeReadiness(module, given, new Set([MAIN_SOURCE, ...sources]));
  const faults = readinessFaults(readiness);
  if (readiness.kind === "ready" && faults.length === 0) return readiness.params;
  throw new Error(`testAlarm: params of ${module.name}: ${faults.join("; ")}`);
}

function readinessFaults(readiness: Readiness): readonly string[] {
  if (readiness.kind === "ready") return [...readiness.typos, ...readiness.notes];
  return readiness.kind === "not configured" ? readiness.missing : [readiness.message];
}

function firingEvent(given: string | FiringInTest, now: number): FiringEvent {
  const event = typeof given === "string" ? { dedupeKey: given } : given;
  return {
    since: now,
    severity: undefined,
    stage: undefined,
    data: {},
    ...event,
    dedupeKey: escapeKey(event.dedupeKey),
  };
}
