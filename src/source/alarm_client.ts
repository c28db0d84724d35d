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
}

/** The client for one run of one alarm's `detect`. */
export function makeClient(facts: ClientFacts, sourceName: string = MAIN_SOURCE): AlarmClient {
  const { sources, now, signal, log, firing, onIncomplete } = facts;
  const source = sources.get(sourceName) ?? missingSource(sourceName);
  /** Every error is recorded before the module can catch it. */
  const record = <E>(error: E): E => {
    onIncomplete(errorText(error));
    return error;
  };
  const receive = async (
    path: string,
    query: Query,
    response: Promise<Buffer | undefined>,
  ): Promise<JsonValue | undefined> => {
    try {
      const body = await inTime(response, signal);
      return body === undefined ? undefined : parseJson(body.toString());
    } catch (error) {
      if (!(error instanceof BodyError)) throw record(error);
      const url = `${path}?${queryText(query)}`.replace(/\?$/, "");
      throw record(fetchError(url, sourceName, `status 200, but ${error.message}`));
    }
  };
  const get = async (path: string, query: Query = {}): Promise<JsonValue> =>
    (await receive(path, query, source.request(path, query, false))) ?? null;
  const getAhead: GetAhead = (path, query) => {
    let need = (): void => {};
    const needed = new Promise<void>((resolve) => {
      need = resolve;
    });
    const response = source.request(path, query, false, needed);
    // If it fails before it is needed, the rejection would be unhandled and end the process.
    response.catch(() => {});
    return async () => {
      if (!signal.aborted) need();
      return (await receive(path, query, response)) ?? null;
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
    pages: (path, query = {}, paging = KEYSET) => {
      const fail = (reason: string): Error => record(fetchError(path, sourceName, reason));
      return readPages(path, query, paging, { get, getAhead, fail });
    },
  };
}

/** Sends a request at once. Its response, or its error, counts only when the result is called. */
type GetAhead = (path: string, query: Query) => () => Promise<JsonValue>;

interface PageAccess {
  readonly get: AlarmClient["get"];
  readonly getAhead: GetAhead;
  readonly fail: (reason: string) => Error;
}

/** Requests the next page before the module gets the items of this one. */
async function* readPages(
  path: string,
  query: Query,
  paging: Paging,
  { get, getAhead, fail }: PageAccess,
): AsyncGenerator<JsonObject, void, undefined> {
  const first = firstQuery(query, paging);
  const requested = new Set([queryText(first)]);
  const request = (next: Query): (() => Promise<JsonValue>) => {
    const text = queryText(next);
    const reason = requested.has(text)
      ? `pagination loop at page ${requested.size + 1}: ?${text} was already read`
      : `the list has more than ${MAX_PAGES} pages`;
    if (requested.has(text) || requested.size >= MAX_PAGES)
      return async () => {
        throw fail(reason);
      };
    requested.add(text);
    return getAhead(path, next);
  };
  let page: PendingPage | undefined = { query: first, response: () => get(path, first) };
  while (page !== undefined) {
    const response = await page.response();
    let parsed: Page;
    try {
      parsed = parsePage(response, page.query, paging);
    } catch (error) {
      throw error instanceof BodyError ? fail(`page ${requested.size}: ${error.message}`) : error;
    }
    const { items, next } = parsed;
    page = next && { query: next, response: request(next) };
    yield* items;
  }
}

interface PendingPage {
  readonly query: Query;
  readonly response: () => Promise<JsonValue>;
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
