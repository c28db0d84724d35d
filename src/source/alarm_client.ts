import { errorText } from "../core/describe.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { MAIN_SOURCE } from "../core/readiness.ts";
import type { Asker } from "./asker.ts";
import type { AlarmClient } from "./client.ts";
import { FetchError } from "./fetch_error.ts";
import { inTime } from "./in_time.ts";
import { firstQuery, KEYSET, type Paging, parsePage, type Query, queryText } from "./paging.ts";

/** At 200 items a page, a million items; an endless list must end somewhere. */
const MAX_PAGES = 5_000;

export interface ClientFacts {
  readonly sources: ReadonlyMap<string, Asker>;
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
  /** Every failure is on the record before the module can catch it. */
  const ask = async (
    path: string,
    query: Query,
    absentIsAnswer: boolean,
  ): Promise<JsonValue | undefined> => {
    try {
      const source = facts.sources.get(sourceName);
      if (source === undefined) throw new FetchError(`GET ${path}: ${notConfigured(sourceName)}`);
      const body = await inTime(source.ask(path, query, absentIsAnswer), facts.signal);
      return body === undefined ? undefined : parseJson(body.toString());
    } catch (error) {
      facts.onIncomplete(errorText(error));
      throw error;
    }
  };
  return {
    now: facts.now,
    signal: facts.signal,
    log: facts.log,
    incomplete: (reason) => facts.onIncomplete(String(reason)),
    firing: () => inTime(facts.firing(), facts.signal),
    get: async (path, query = {}) => (await ask(path, query, false)) ?? null,
    find: (path, query = {}) => ask(path, query, true),
    source: (name) => {
      if (!facts.sources.has(name)) {
        facts.onIncomplete(notConfigured(name));
        throw new Error(notConfigured(name));
      }
      return makeClient(facts, name);
    },
    pages: (path, query = {}, paging = KEYSET) =>
      readPages(
        path,
        query,
        paging,
        async (page) => (await ask(path, page, false)) ?? null,
        facts.onIncomplete,
      ),
  };
}

async function* readPages(
  path: string,
  query: Query,
  paging: Paging,
  ask: (query: Query) => Promise<JsonValue>,
  onIncomplete: (reason: string) => void,
): AsyncGenerator<JsonObject, void, undefined> {
  const fail = (reason: string): never => {
    const message = `GET ${path}: ${reason}`;
    onIncomplete(message);
    throw new FetchError(message);
  };
  const asked = new Set<string>();
  let next: Query | undefined = firstQuery(query, paging);
  while (next !== undefined) {
    const text = queryText(next);
    if (asked.has(text)) fail(`the list leads back to the page ?${text}`);
    if (asked.size >= MAX_PAGES) fail(`the list has more than ${MAX_PAGES} pages`);
    asked.add(text);
    const parsed = parsePage(await ask(next), next, paging);
    if (!parsed.ok) return fail(`page ${asked.size}: ${parsed.fault}`);
    yield* parsed.page.items;
    next = parsed.page.next;
  }
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
