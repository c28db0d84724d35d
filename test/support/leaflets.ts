import { object } from "valibot";
import { pathLike } from "../../src/config/values.ts";
import { type OpenSource, sourceKind } from "../../src/source/source_kind.ts";

/** A kind of source as small as one can be: it responds with where a leaflet would be. */
export const leaflets = sourceKind(object({ folder: pathLike("/srv/box") }), ({ folder }) => ({
  secrets: [],
  open: ({ maxConnections }) => new Leaflets(folder, maxConnections),
}));

class Leaflets implements OpenSource {
  readonly kind = "http";
  readonly date = undefined;
  readonly counts = { requests: 1, succeeded: 1, lastError: undefined };
  readonly maxConnections: number;
  readonly #folder: string;

  constructor(folder: string, maxConnections: number) {
    this.#folder = folder;
    this.maxConnections = maxConnections;
  }

  async request({ path }: { readonly path: string }) {
    return { status: 200, body: Buffer.from(JSON.stringify(this.#folder + path)), headers: {} };
  }

  async close() {}
}
