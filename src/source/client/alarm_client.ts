import type { States } from "../../author/expectations/expectation.ts";
import { unescapeKey } from "../../core/detection.ts";
import { inTime } from "../../core/in_time.ts";
import { MAIN_SOURCE } from "../../core/main_source.ts";
import { memoryFault, memoryText } from "../../core/memory.ts";
import type { FiringEvent, Remembered } from "../../core/model.ts";
import { parsePrefix, wrongPrefix } from "../../core/scopes.ts";
import { errorText, quote } from "../../text/describe.ts";
import { excerpt } from "../../text/excerpt.ts";
import { hint } from "../../text/nearest.ts";
import { type FailedCall, FetchError, fetchError } from "../fetch_error.ts";
import type { Query } from "../query.ts";
import type { Requester } from "../requester.ts";
import type {
  AlarmClient,
  CallOptions,
  CallOutcome,
  RequestOptions,
  RequestOutcome,
  SpoolEvent,
  TextOptions,
} from "./client.ts";
import { kindFault } from "./kind_fault.ts";
import { listPages } from "./list_pages.ts";
import { KEYSET, type Paging, requestFault } from "./paging.ts";
import { callOf, makeReceiver } from "./receive.ts";
import { parseRequest } from "./request_options.ts";
import type { SpoolPositions } from "./spool/spool_lines.ts";
import { parseCall } from "./xmlrpc_call.ts";

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
  /** What the module remembered; `T` is its author's claim. */
  readonly previous: <T>() => Promise<Remembered<T> | undefined>;
  /** Of the spools that the module reads. */
  readonly positions: SpoolPositions;
  /** Called with JSON. */
  readonly onRemember: (text: string) => void;
  /** Called with every reason why the module did not see everything, or not all keys with this prefix. */
  readonly onIncomplete: (reason: string, prefix?: string) => void;
  readonly onNote: (text: string) => void;
  /** Called with what became of the expectations of an entity; undefined where nobody asks. */
  readonly onStates?: ((entity: string, states: States) => void) | undefined;
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
  async function request(path: string, options: TextOptions): Promise<RequestOutcome<string>>;
  async function request<T>(path: string, options?: RequestOptions): Promise<RequestOutcome<T>>;
  async function request(
    path: string,
    options: RequestOptions = {},
  ): Promise<RequestOutcome<unknown>> {
    const parsed = parseRequest(path, options);
    if (typeof parsed === "string") throw record(new Error(parsed));
    check(kindFault("request", sourceName, source) ?? requestFault(path, parsed.query));
    try {
      const response = await receiver.respond(parsed);
      const { status, body, headers } = response;
      if (status === 404) return failureOf(own404(callOf(parsed, sourceName), body.toString()));
      const value = parsed.as === "text" ? body.toString() : receiver.read(parsed, response);
      return { ok: true, status, value, date: headers.date };
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      return failureOf(error);
    }
  }
  async function call<T>(
    method: string,
    params: readonly unknown[] = [],
    options: CallOptions = {},
  ): Promise<CallOutcome<T>> {
    check(kindFault("call", sourceName, source));
    const parsed = parseCall(method, params, options);
    if (typeof parsed === "string") throw record(new Error(parsed));
    try {
      const response = await receiver.respond(parsed);
      // Loaded only when needed: most modules make no call.
      const { readAnswer } = await import("../xmlrpc/read_answer.ts");
      const answer = receiver.readAs(parsed, response, readAnswer<T>);
      return answer.ok ? { ...answer, date: response.headers.date } : { ...answer, kind: "fault" };
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      return { ok: false, kind: error.kind, code: undefined, reason: error.message };
    }
  }
  function pages(): AsyncGenerator<SpoolEvent, void, undefined>;
  function pages<T>(
    path: string,
    query?: Query,
    paging?: Paging,
  ): AsyncGenerator<T, void, undefined>;
  async function* pages(path?: string, query: Query = {}, paging = KEYSET) {
    check(kindFault("pages", sourceName, source));
    if (source.kind === "spool") {
      if (path !== undefined)
        check(
          `pages of the spool ${sourceName} takes no path; write client.source(${JSON.stringify(sourceName)}).pages()`,
        );
      // On demand: most alarms read no spool.
      const { spoolLines } = await import("./spool/spool_lines.ts");
      const { positions, onNote } = facts;
      return yield* spoolLines({
        name: sourceName,
        receiver,
        positions,
        now,
        onNote,
        onIncomplete,
      });
    }
    check(requestFault(path, query, paging));
    yield* listPages({ path: String(path), query, paging, receiver, sourceName, record });
  }
  return {
    now,
    signal,
    log,
    incomplete: (reason, prefix) => {
      if (prefix === undefined || parsePrefix(prefix) !== undefined)
        return onIncomplete(String(reason), prefix);
      onIncomplete(`${String(reason)}; ${wrongPrefix(prefix)}`);
    },
    note: (text) => facts.onNote(String(text)),
    states: (entity, verdicts) => {
      const states = verdicts.map(({ expectation, state }) => [expectation.name, state] as const);
      facts.onStates?.(String(entity), Object.fromEntries(states));
    },
    firing: async () => (await inTime(firing(), signal)).map(unescapeKey),
    firingEvents: async () => {
      const events = await inTime(facts.firingEvents(), signal);
      return events.map((event) => ({ ...event, dedupeKey: unescapeKey(event.dedupeKey) }));
    },
    previous: async <T>() => await inTime(facts.previous<T>(), signal),
    remember: (value) => {
      const memory = memoryText(value);
      if (!memory.ok) throw record(new Error(memory.error));
      const fault = memoryFault(memory.text);
      if (fault === undefined) facts.onRemember(memory.text);
      else onIncomplete(fault);
    },
    get: async <T>(path: string, query = {}) => {
      check(kindFault("get", sourceName, source) ?? requestFault(path, query));
      return (await receiver.receive<T>({ path, query })).value;
    },
    find: async <T>(path: string, query = {}) => {
      check(kindFault("find", sourceName, source) ?? requestFault(path, query));
      const sent = { path, query, allow404: true };
      const response = await receiver.respond(sent);
      return response.status === 404 ? undefined : receiver.read<T>(sent, response);
    },
    request,
    call,
    source: (name) => {
      check(typeof name === "string" ? undefined : `the source is ${quote(name)}, not a name`);
      if (!sources.has(name)) throw record(new Error(notConfigured(name, [...sources.keys()])));
      return makeClient(facts, name);
    },
    pages,
  };
}

function failureOf({ kind, status, body, message: reason }: FetchError) {
  return { ok: false, kind, status, body, reason } as const;
}

/** The service itself says that there is no such thing, which is a result and not recorded. */
function own404(call: FailedCall, body: string): FetchError {
  const reason = `status 404 ${excerpt(body)}`;
  return fetchError(call, { kind: "status", status: 404, body, reason });
}

/** Fails each request, so that a module without a service still loads and runs. */
function missingSource(name: string): Requester {
  return {
    kind: "http",
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
