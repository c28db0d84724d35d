import type { HttpSourceSettings } from "../../src/source/http/http_settings.ts";
import { HttpSource } from "../../src/source/http/http_source.ts";
import type { CacheMemory } from "../../src/source/http/response_cache.ts";
import type { Query } from "../../src/source/query.ts";
import type { JsonValue } from "../../src/text/json.ts";

const open: HttpSource[] = [];

/** A source with nothing special about it, but for what the test says. Closed by `closeSources`. */
export function makeSource(
  settings: Partial<HttpSourceSettings> & { readonly baseUrl: string },
  signal: AbortSignal = new AbortController().signal,
  memory?: CacheMemory,
): HttpSource {
  const plain = {
    name: "main",
    headers: {},
    authorization: undefined,
    userAgent: undefined,
    timeout: 20,
    maxConnections: 4,
  };
  const source = new HttpSource({ ...plain, ...settings }, signal, memory);
  open.push(source);
  return source;
}

/** One response, parsed as the client does it; undefined for a 404 with `allow404`. */
export async function getJson(
  source: HttpSource,
  path: string,
  query: Query = {},
  allow404 = false,
): Promise<JsonValue | undefined> {
  const { status, body } = await source.request({ path, query, allow404 });
  return status === 404 ? undefined : JSON.parse(body.toString());
}

/** For `afterEach`: a test that failed leaves no connection to the next. */
export async function closeSources(): Promise<void> {
  await Promise.all(open.splice(0).map((source) => source.close()));
}
