import { MAIN_SOURCE } from "../core/main_source.ts";
import { errorText } from "../text/describe.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";
import type { AlarmClient } from "./client.ts";
import { BodyError, fetchError } from "./fetch_error.ts";
import { inTime } from "./in_time.ts";
import {
  firstQuery,
  KEYSET,
  type Page,
  type Paging,
  parsePage,
  type Query,
  queryText,
} from "./paging.ts";
import { parseJson } from "./parse_json.ts";
import type { Requester } from "./requester.ts";

/** A million items at 200 a page. */
const MAX_PAGES = 5_000;

export interface ClientFacts {
  readonly sources: ReadonlyMap<string, Requester>;
  readonly now: number;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  /** The dedupe keys of the alarm's active events. */
  readonly firing: () => Promise<readonly string[]>;
  /** Called with every reason why the module did not see everything. */
  readonly onIncomplete: (reason: string) => void;
  /** Called with 1 when the module begins to wait for a response, and with -1 when it has it. */
  readonly onWait: (change: 1 | -1) => void;
}

/** The client for one run of one alarm's `detect`. */
export function makeClient(facts: ClientFacts, sourceName: string = MAIN_SOURCE): AlarmClient {
  const { sources, now, signal, log, firing, onIncomplete, onWait } = facts;
  const source = sources.get(sourceName) ?? missingSource(sourceName);
  /** Every error is recorded before the module can catch it. */
  const record = (error: unknown): unknown => {
    onIncomplete(errorText(error));
    return error;
  };
  const receive = async (
    path: string,
    query: Query,
    response: Promise<Buffer | undefined>,
  ): Promise<JsonValue | undefined> => {
    onWait(1);
    try {
      const body = await inTime(response, signal);
      return body && parseJson(body.toString());
    } catch (error) {
      if (!(error instanceof BodyError)) throw record(error);
      const url = `${path}?${queryText(query)}`.replace(/\?$/, "");
      throw record(fetchError(url, sourceName, `status 200, but ${error.message}`));
    } finally {
      onWait(-1);
    }
  };
  const get = async (path: string, query: Query = {}): Promise<JsonValue> =>
    (await receive(path, query, source.request(path, query, false))) ?? null;
  const getAhead = (path: string, query: Query): (() => Promise<JsonValue>) => {
    const response = source.request(path, query, false, true);
    // If it fails before it is needed, the rejection would be unhandled and end the process.
    response.catch(() => {});
    return async () => {
      const needed = response.catch(() => source.request(path, query, false));
      return (await receive(path, query, needed)) ?? null;
    };
  };
  return {
    now,
    signal,
    log,
    incomplete: (reason) => onIncomplete(String(reason)),
    firing: () => inTime(firing(), signal),
    get,
    find: (path, query = {}) => receive(path, query, source.request(path, query, true)),
    source: (name) => {
      if (!sources.has(name)) throw record(new Error(notConfigured(name)));
      return makeClient(facts, name);
    },
    pages: async function* (path, query = {}, paging = KEYSET) {
      const send = (page: Query, isFirst: boolean) =>
        isFirst ? () => get(path, page) : getAhead(path, page);
      try {
        yield* readPages(query, paging, send);
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        throw record(fetchError(path, sourceName, error.message));
      }
    },
  };
}

/** Returns what waits for the response. An error of the request is recorded when it is waited for. */
type SendPage = (query: Query, isFirst: boolean) => () => Promise<JsonValue>;

/** Requests the next page before the module gets the items of this one. Throws BodyError. */
async function* readPages(
  listQuery: Query,
  paging: Paging,
  send: SendPage,
): AsyncGenerator<JsonObject, void, undefined> {
  const requested = new Set<string>();
  let query = firstQuery(listQuery, paging);
  let receive = send(query, true);
  for (;;) {
    requested.add(queryText(query));
    const { items, next } = parseNumbered(await receive(), query, paging, requested.size);
    const error = next && loopError(queryText(next), requested);
    if (next !== undefined && error === undefined) receive = send(next, false);
    yield* items;
    if (error !== undefined) throw new BodyError(error);
    if (next === undefined) return;
    query = next;
  }
}

function parseNumbered(response: JsonValue, query: Query, paging: Paging, number: number): Page {
  try {
    return parsePage(response, query, paging);
  } catch (error) {
    throw error instanceof BodyError ? new BodyError(`page ${number}: ${error.message}`) : error;
  }
}

/** An endless list must end somewhere. */
function loopError(next: string, requested: ReadonlySet<string>): string | undefined {
  if (requested.has(next))
    return `pagination loop at page ${requested.size + 1}: ?${next} was already read`;
  return requested.size < MAX_PAGES ? undefined : `the list has more than ${MAX_PAGES} pages`;
}

/** Fails each request, so that a module without a service still loads and runs. */
function missingSource(name: string): Requester {
  return {
    request: async (path) => {
      throw fetchError(path, name, notConfigured(name));
    },
  };
}

function notConfigured(name: string): string {
  return name === MAIN_SOURCE
    ? "the main service is not configured; set [engine] base_url"
    : `the source ${JSON.stringify(name)} is not configured; add [sources.${name}] with its base_url`;
}
