import { MAIN_SOURCE } from "../core/main_source.ts";
import { errorText } from "../text/describe.ts";
import type { JsonObject, JsonValue } from "../text/json.ts";
import type { AlarmClient } from "./client.ts";
import { FetchError } from "./fetch_error.ts";
import { inTime } from "./in_time.ts";
import { firstQuery, KEYSET, type Paging, parsePage, type Query, queryText } from "./paging.ts";
import type { Requester } from "./requester.ts";

/** At 200 items a page, a million items; an endless list must end somewhere. */
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

/** The client that one run of one alarm's `detect` gets. */
export function makeClient(facts: ClientFacts, sourceName: string = MAIN_SOURCE): AlarmClient {
  const source = facts.sources.get(sourceName) ?? missing(sourceName);
  /** Every failure is on the record before the module can catch it. */
  const read = async (answer: Promise<Buffer | undefined>): Promise<JsonValue | undefined> => {
    try {
      const body = await inTime(answer, facts.signal);
      return body === undefined ? undefined : parseJson(body.toString());
    } catch (error) {
      facts.onIncomplete(errorText(error));
      throw error;
    }
  };
  const get: AlarmClient["get"] = async (path, query = {}) =>
    (await read(source.request(path, query, false))) ?? null;
  const getAhead: GetAhead = (path, query) => {
    let need = (): void => {};
    const needed = new Promise<void>((resolve) => {
      need = resolve;
    });
    const answer = source.request(path, query, false, needed);
    // It may fail without being needed; without this it would end the process.
    answer.catch(() => {});
    return async () => {
      if (!facts.signal.aborted) need();
      return (await read(answer)) ?? null;
    };
  };
  return {
    now: facts.now,
    signal: facts.signal,
    log: facts.log,
    incomplete: (reason) => facts.onIncomplete(String(reason)),
    firing: () => inTime(facts.firing(), facts.signal),
    get,
    find: (path, query = {}) => read(source.request(path, query, true)),
    source: (name) => {
      if (!facts.sources.has(name)) {
        facts.onIncomplete(notConfigured(name));
        throw new Error(notConfigured(name));
      }
      return makeClient(facts, name);
    },
    pages: (path, query = {}, paging = KEYSET) =>
      readPages(path, query, paging, get, getAhead, facts.onIncomplete),
  };
}

/** Sends a question at once. Its answer, or its failure, counts only when the result is called. */
type GetAhead = (path: string, query: Query) => () => Promise<JsonValue>;

/** Asks for the next page before the module gets the items of this one. */
async function* readPages(
  path: string,
  query: Query,
  paging: Paging,
  get: AlarmClient["get"],
  getAhead: GetAhead,
  onIncomplete: (reason: string) => void,
): AsyncGenerator<JsonObject, void, undefined> {
  const fail = (reason: string): never => {
    const message = `GET ${path}: ${reason}`;
    onIncomplete(message);
    throw new FetchError(message);
  };
  const first = firstQuery(query, paging);
  const asked = new Set([queryText(first)]);
  const askNext = (next: Query): (() => Promise<JsonValue>) => {
    const text = queryText(next);
    if (asked.has(text)) return () => fail(`the list leads back to the page ?${text}`);
    if (asked.size >= MAX_PAGES) return () => fail(`the list has more than ${MAX_PAGES} pages`);
    asked.add(text);
    return getAhead(path, next);
  };
  let page: NextPage | undefined = { query: first, answer: () => get(path, first) };
  while (page !== undefined) {
    const parsed = parsePage(await page.answer(), page.query, paging);
    if (!parsed.ok) return fail(`page ${asked.size}: ${parsed.fault}`);
    const { items, next } = parsed.page;
    page = next && { query: next, answer: askNext(next) };
    yield* items;
  }
}

/** The page of a list that is read next. */
interface NextPage {
  readonly query: Query;
  readonly answer: () => Promise<JsonValue>;
}

/** What stands for a source that is not configured. */
function missing(name: string): Requester {
  return {
    request: async (path) => {
      throw new FetchError(`GET ${path}: ${notConfigured(name)}`);
    },
  };
}

function notConfigured(name: string): string {
  return name === MAIN_SOURCE
    ? "the main service is not configured; set [engine] base_url"
    : `the source ${JSON.stringify(name)} is not configured; add [sources.${name}] with its base_url`;
}

/** `Source` has made sure that it is JSON. */
function parseJson(text: string): JsonValue {
  return JSON.parse(text);
}
