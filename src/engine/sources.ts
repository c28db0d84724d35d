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
    const { requestTimeout: timeout, maxConnections } = config.engine;
    const common = { timeout, maxConnections };
    const sources = new Map<string, Source>();
    if (config.engine.baseUrl !== undefined) {
      const plain = { headers: {}, token: undefined, userAgent: undefined };
      const settings = { name: MAIN_SOURCE, baseUrl: config.engine.baseUrl, ...common, ...plain };
      sources.set(MAIN_SOURCE, new Source(settings, this.#abort.signal, this.#memory));
    }
    for (const [name, settings] of Object.entries(config.sources)) {
      const own = { name, ...common, ...settings };
      sources.set(name, new Source(own, this.#abort.signal, this.#memory));
    }
    this.byName = sources;
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
