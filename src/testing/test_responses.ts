import { MAIN_SOURCE } from "../core/main_source.ts";
import { addQuery, type Query } from "../source/query.ts";
import type { SpoolLine } from "../spool/spool_line.ts";
import { quote, showName } from "../text/describe.ts";
import { isJsonObject, type JsonValue } from "../text/json.ts";
import { hint } from "../text/nearest.ts";

/** A request that a service of the test has received. */
export interface TestRequest {
  /** `main` is the service of `[engine]`. */
  readonly source: string;
  readonly method: "GET" | "POST";
  /** Begins with a slash, without the query. Of a call the method, such as `supervisor.getState`. */
  readonly path: string;
  readonly query: { readonly [name: string]: string };
  /** Of a POST: its JSON, or the text of any other type. Of a call the list of its parameters. */
  readonly body?: JsonValue;
}

/** A response with its status; what is left out is as in the answer of a JSON service. */
export interface WholeResponse {
  readonly status: number;
  /** A text is sent as it is, and so is the file of a URL; any other value as JSON. Without one, `{}`. */
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
}

/**
 * What a service answers:
 * - `{ status, body?, headers? }`, where no other key is beside these: that response;
 * - a URL: the file, as JSON or as a text by its ending, with status 200;
 * - a text: that body, with status 200;
 * - a function: what it returns or resolves to for the request;
 * - a `Response`; `Response.error()` is a connection that breaks;
 * - any other value: it as JSON, with status 200.
 */
export type TestResponse =
  | string
  | number
  | boolean
  | null
  | object
  | WholeResponse
  | ((request: TestRequest) => unknown);

/** A line of a test; what is left out is as a listener writes the events of one run of a supervisor, one after the other, now. */
export type TestSpoolLine = Pick<SpoolLine, "event"> & Partial<SpoolLine>;

/**
 * By path, what the main service answers; by the name of a source, the same for that source, or a list of the lines of a
 * spool, such as `[{ event: "PROCESS_STATE_FATAL", payload: "processname:x" }]`. A key with a slash is a path.
 * A path may have a query, as in `"/tasks/?before_id=100"`: it answers the requests that have these parameters, whatever
 * else they have, and the path with the most of them counts.
 *
 * A source with a key such as `"supervisor.getState()"` is an XML-RPC service. The key names a method, and any value that is
 * not a response of another form is what its calls return; `{ faultCode, faultString }` is a fault.
 */
export interface TestResponses {
  readonly [pathOrSource: string]: TestResponse | { readonly [path: string]: TestResponse };
}

/** What one source answers, by path as written. */
export type ResponsesByPath = ReadonlyMap<string, unknown>;

/** Throws an error that says what is wrong with them. */
export function responsesBySource(responses: TestResponses): Map<string, ResponsesByPath> {
  const bySource = new Map<string, ResponsesByPath>([[MAIN_SOURCE, new Map()]]);
  for (const [key, value] of Object.entries(responses)) {
    const isPath = key.includes("/");
    if (!isPath && isSpool(value)) continue;
    if (!isPath && !isJsonObject(value))
      throw new Error(
        `responses: ${showName(key)} has no slash and so names a source, but is ${quote(value)}; write { ${showName(key)}: { "/path": … } }, or ${quote(`/${key}`)} for a path of the main service`,
      );
    const source = isPath ? MAIN_SOURCE : key;
    const added = isPath ? [[key, value] as const] : Object.entries(Object(value));
    bySource.set(source, new Map([...(bySource.get(source) ?? []), ...added]));
  }
  return bySource;
}

/** Whether it has the lines of a spool. A name with any other list is probably a path without its slash. */
export function isSpool(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every((line) => isJsonObject(line) && "event" in line);
}

/** The URL of a path as a module or a test writes it, with or without a slash in front. */
export function urlOf(path: string, query: Query = {}): URL {
  const url = new URL(`http://source/${path.replace(/^\/+/, "")}`);
  addQuery(url, query);
  return url;
}

/** What answers a request; undefined if nothing does. */
export function findResponse(
  responses: ResponsesByPath,
  url: URL,
): { readonly value: unknown } | undefined {
  let best: { readonly value: unknown; readonly count: number } | undefined;
  for (const [path, value] of responses) {
    const { pathname, searchParams } = urlOf(path);
    const wanted = [...searchParams];
    const isMatch =
      pathname === url.pathname &&
      wanted.every(([name, text]) => url.searchParams.getAll(name).includes(text));
    if (isMatch && wanted.length > (best?.count ?? -1)) best = { value, count: wanted.length };
  }
  return best;
}

/** What to do about a request that nothing answers. */
export function missingResponse(
  { source, method, url }: { readonly source: string; readonly method: string; readonly url: URL },
  responses: ResponsesByPath,
): string {
  const { pathname, search } = url;
  const entry = `${quote(pathname)}: …`;
  const add = source === MAIN_SOURCE ? `{ ${entry} }` : `{ ${showName(source)}: { ${entry} } }`;
  const known = [...responses.keys()];
  const hasOtherQuery = known.some((path) => urlOf(path).pathname === pathname);
  const near = hasOtherQuery
    ? ` with this query (known: ${known.map(quote).join(", ")})`
    : hint(pathname, known);
  return `detect sent ${method} ${pathname}${search} to ${source}, which is not in responses${near}. Add responses: ${add}; where the service has no such thing, { status: 404 }.`;
}
