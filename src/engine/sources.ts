import type { Config } from "../config/config.ts";
import { MAIN_SOURCE } from "../core/main_source.ts";
import { MAX_CACHED } from "../source/response_cache.ts";
import { Source } from "../source/source.ts";

/** The services of one tick, by the name that modules use. A connection is made with the first request. */
export class Sources {
  readonly byName: ReadonlyMap<string, Source>;
  readonly #abort = new AbortController();
  readonly #memory = { left: MAX_CACHED };

  constructor(config: Config) {
    const { baseUrl, proxy, requestTimeout: timeout, maxConnections } = config.engine;
    const plain = { headers: {}, token: undefined, userAgent: undefined, proxy };
    const main = baseUrl === undefined ? {} : { [MAIN_SOURCE]: { baseUrl, ...plain } };
    const sources = Object.entries({ ...main, ...config.sources }).map(([name, settings]) => {
      const all = { name, timeout, maxConnections, ...settings };
      return [name, new Source(all, this.#abort.signal, this.#memory)] as const;
    });
    this.byName = new Map(sources);
  }

  get names(): ReadonlySet<string> {
    return new Set(this.byName.keys());
  }

  /** Loads the HTTP client while the tick waits for its database. */
  preloadHttpClient(): void {
    if (this.byName.size > 0) void import("../source/connections.ts");
  }

  /** Ends the requests that are still running and closes the connections. */
  async close(): Promise<void> {
    this.#abort.abort(new Error("the tick has ended"));
    await Promise.all([...this.byName.values()].map((source) => source.close()));
  }
}
