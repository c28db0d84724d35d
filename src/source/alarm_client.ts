import { unescapeKey } from "../core/detection.ts";
import { inTime } from "../core/in_time.ts";
import { MAIN_SOURCE } from "../core/main_source.ts";
import { errorText, quote } from "../text/describe.ts";
import type { JsonValue } from "../text/json.ts";
import { hint } from "../text/nearest.ts";
import type { AlarmClient, FiringEvent, Remembered, RequestOptions } from "./client.ts";
import { FetchError, fetchError } from "./fetch_error.ts";
import { listPages } from "./list_pages.ts";
import { KEYSET, requestFault } from "./paging.ts";
import { makeReceiver } from "./receive.ts";
import type { Requester } from "./requester.ts";

export interface ClientFacts {
  readonly sources: ReadonlyMap<string, Requester>;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  /** The dedupe keys of the alarm's active events, as stored. */
  readonly firing: () => Promise<readonly string[]>;
  /** The same events, with their keys as stored. */
  readonly firingEvents: () => Promise<readonly FiringEvent[]>;
  readonly previous: () => Promise<Remembered<JsonValue> | undefined>;
  /** Called with JSON. */
  readonly onRemember: (text: string) => void;
  /** Called with every reason why the module did not see everything, or not all keys with this prefix. */
  readonly onIncomplete: (reason: string, prefix?: string) => void;
  /** Called with 1 when the module begins to wait for a response, and with -1 when it has it. */
  readonly onWait: (change: 1 | -1) => void;
}

/** The client for one run of one alarm's `detect`. */
export function makeClient(facts: ClientFacts, sourceName: string = MAIN_SOURCE): AlarmClient {
  const { sources, now, signal, log, firing, onIncomplete, onWait } = facts;
  const source = sources.get(sourceName) ?? missingSource(sourceName);
  /** Every error is recorded before the module can catch it. */
  const record = (error: unknown, scope?: string): unknown => {
    onIncomplete(errorText(error), scope);
    return error;
  };
  const check = (fault: string | undefined): void => {
    if (fault !== undefined) throw record(new Error(fault));
  };
  const receiver = makeReceiver({ source, name: sourceName, signal, record, onWait });
  const { receive } = receiver;
  return {
    now,
    signal,
    log,
    incomplete: (reason, prefix) => onIncomplete(String(reason), prefix),
    firing: async () => (await inTime(firing(), signal)).map(unescapeKey),
    firingEvents: async () => {
      const events = await inTime(facts.firingEvents(), signal);
      return events.map((event) => ({ ...event, dedupeKey: unescapeKey(event.dedupeKey) }));
    },
    // The author says what the value is.
    previous: async <T>() => (await inTime(facts.previous(), signal)) as Remembered<T> | undefined,
    remember: (value) => facts.onRemember(JSON.stringify(value)),
    get: async <T>(path: string, query = {}) => {
      check(requestFault(path, query));
      return (await receive({ path, query })).value as T;
    },
    find: async <T>(path: string, query = {}) => {
      check(requestFault(path, query));
      const { status, value } = await receive({ path, query, allow404: true });
      return status === 404 ? undefined : (value as T);
    },
    request: async <T>(path: string, options: RequestOptions = {}) => {
      const { query = {} } = options;
      check(requestFault(path, query));
      try {
        const { status, value, headers } = await receive({ path, query });
        return { ok: true, status, value: value as T, date: headers.date };
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        const { kind, status, body, message: reason } = error;
        return { ok: false, kind, status, body, reason };
      }
    },
    source: (name) => {
      check(typeof name === "string" ? undefined : `the source is ${quote(name)}, not a name`);
      if (!sources.has(name)) throw record(new Error(notConfigured(name, [...sources.keys()])));
      return makeClient(facts, name);
    },
    pages: async function* <T>(path: string, query = {}, paging = KEYSET) {
      check(requestFault(path, query, paging));
      yield* listPages<T>({ path, query, paging, receiver, sourceName, record });
    },
  };
}

/** Fails each request, so that a module without a service still loads and runs. */
function missingSource(name: string): Requester {
  return {
    request: async ({ path }) => {
      throw fetchError({ path, source: name }, { kind: "connection", reason: notConfigured(name) });
    },
  };
}

function notConfigured(name: string, known: readonly string[] = []): string {
  return name === MAIN_SOURCE
    ? "the main service is not configured; set [engine] base_url"
    : `the source ${JSON.stringify(name)} is not configured${hint(name, known)}; add [sources.${name}] with its base_url`;
}
