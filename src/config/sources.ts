import { custom, object, optional, pipe, record } from "valibot";
import { MAIN_SOURCE } from "../core/main_source.ts";
import type { SourceConfig } from "../core/model.ts";
import type { Config, Surroundings } from "./config.ts";
import { isTable, parseTable, showPath, tableFault } from "./issue.ts";
import { proxyFor } from "./proxy.ts";
import { connections, httpUrl, isHeaderValue, MISSING_URL, stringThat } from "./values.ts";

const ONE_LINE = "one line of Latin-1 text";

/** The HTTP client sets these itself. */
const OF_THE_CONNECTION =
  /^(connection|content-length|expect|host|keep-alive|transfer-encoding|upgrade)$/i;

/** A table of request headers. */
export const headers = pipe(
  custom<{ readonly [name: string]: unknown }>(isTable, "must be a table"),
  record(
    stringThat(
      "a header name such as X-Example that the engine does not set itself",
      (name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !OF_THE_CONNECTION.test(name),
    ),
    stringThat(ONE_LINE, isHeaderValue),
  ),
);

/** One table of `[sources]`; its only required key is `base_url`. */
export const Source = object(
  {
    base_url: httpUrl,
    headers: optional(headers, {}),
    token_env: optional(
      stringThat('the name of an environment variable such as "MY_SERVICE_TOKEN"', (value) =>
        /^[A-Za-z_][A-Za-z0-9_]*$/.test(value),
      ),
    ),
    max_connections: optional(connections),
    user_agent: optional(
      stringThat(
        `${ONE_LINE}, such as "swf-alarms (ops@host.example)"`,
        (value) => value !== "" && isHeaderValue(value),
      ),
    ),
  },
  MISSING_URL,
);

/** `maxConnections` is that of `[engine]`. */
export function parseSources(
  table: unknown,
  maxConnections: number,
  around: Surroundings,
  faults: string[],
): Config["sources"] {
  if (!isTable(table)) {
    faults.push(tableFault(["sources"], table));
    return {};
  }
  const sources: [string, SourceConfig][] = [];
  for (const [name, value] of Object.entries(table)) {
    const path = ["sources", name];
    if (name === MAIN_SOURCE)
      faults.push(`sources.${name}: this name is reserved for [engine] base_url; choose another`);
    else if (!/^[a-z][a-z0-9_]*$/.test(name))
      faults.push(`${showPath(path)}: must have a name of lower-case letters, digits and _`);
    const source = parseTable(Source, path, value, faults);
    if (source === undefined) continue;
    sources.push([
      name,
      {
        baseUrl: source.base_url,
        headers: source.headers,
        token: readToken(source.token_env, path, around, faults),
        userAgent: source.user_agent,
        maxConnections: source.max_connections ?? maxConnections,
        proxy: proxyFor(source.base_url, around.env, faults),
      },
    ]);
  }
  return Object.fromEntries(sources);
}

function readToken(
  variable: string | undefined,
  path: readonly string[],
  { env }: Surroundings,
  faults: string[],
): string | undefined {
  if (variable === undefined) return undefined;
  const token = Object.hasOwn(env, variable) ? env[variable] : undefined;
  const fault = (words: string) =>
    faults.push(`${showPath(path)}.token_env: the environment variable ${variable} ${words}`);
  if (token === undefined || token === "") fault("is not set; set it where the engine starts");
  else if (!isHeaderValue(token)) fault(`must be ${ONE_LINE}; set it to the bare token`);
  return token;
}
