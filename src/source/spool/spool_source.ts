import { join } from "node:path";
import type { RequestCounts } from "../../core/source_state.ts";
import { errorText, quote } from "../../text/describe.ts";
import { type FetchError, fetchError } from "../fetch_error.ts";
import type { Query } from "../query.ts";
import type { SourceRequest, SourceResponse } from "../requester.ts";
import type { OpenSource } from "../source_kind.ts";
import { lookAtFolder, type SpoolFolder } from "./look_at_folder.ts";
import { readLines, withFile } from "./read_lines.ts";
import { signsOfDeath } from "./signs_of_life.ts";

export interface SpoolSettings {
  /** Of the source. */
  readonly name: string;
  readonly path: string;
  /** Seconds without a line after which a service counts as silent. */
  readonly silentAfter: number;
}

/** Bytes that one response has at most, unless one line is longer. */
const MAX_BYTES = 2 ** 20;

/**
 * A spool during one tick. What it has is fixed with the first request, so that each alarm reads the same. It only
 * reads: which lines are new is known to `client.pages`, for each alarm. Its requests:
 * - `files`: the names and bytes of the files, as JSON;
 * - `check` with `now`: fails if lines may be missing, because of what `signsOfDeath` says;
 * - `lines` with `file`, `from` and `max`: whole lines as they are in the file; see `readLines`.
 */
export class SpoolSource implements OpenSource {
  readonly kind = "spool";
  readonly maxConnections = 4;
  /** A spool has no clock of its own. */
  readonly date = undefined;
  readonly #settings: SpoolSettings;
  #folder: Promise<SpoolFolder> | undefined;
  #lastError: string | undefined;

  constructor(settings: SpoolSettings) {
    this.#settings = settings;
  }

  /** The whole spool counts as one request: silence shows as a source that does not respond. */
  get counts(): RequestCounts {
    const requests = this.#folder === undefined ? 0 : 1;
    const succeeded = this.#lastError === undefined ? requests : 0;
    return { requests, succeeded, lastError: this.#lastError };
  }

  /** See Requester. */
  async request({ path, query }: SourceRequest): Promise<SourceResponse> {
    this.#folder ??= lookAtFolder(this.#settings.path);
    try {
      const body = await this.#answer(path, query, await this.#folder);
      return { status: 200, body, headers: {} };
    } catch (error) {
      throw this.#failure(path, errorText(error));
    }
  }

  async close(): Promise<void> {}

  async #answer(path: string, query: Query, folder: SpoolFolder): Promise<Buffer> {
    switch (path) {
      case "files":
        return Buffer.from(JSON.stringify([...folder.files]));
      case "check": {
        const now = Number(query.now);
        const { path: shown, silentAfter } = this.#settings;
        const reasons = signsOfDeath(folder, { folder: shown, silentAfter, now });
        if (reasons.length > 0) throw new Error(reasons.join("; "));
        return Buffer.from("{}");
      }
      case "lines":
        return await this.#lines(query, folder);
      default:
        throw new Error(`a spool has no path ${quote(path)}; read it with client.pages()`);
    }
  }

  async #lines({ file, from, max }: Query, { files }: SpoolFolder): Promise<Buffer> {
    // Only a file of the list: no name leads out of the folder.
    const end = files.get(String(file));
    if (end === undefined) throw new Error(`there is no file ${quote(file)}`);
    const stretch = { from: Number(from), end, max: Math.min(Number(max), MAX_BYTES) };
    const isFit = Number.isSafeInteger(stretch.from) && stretch.from >= 0 && stretch.max > 0;
    if (!isFit) throw new Error(`cannot read ${quote(max)} bytes from ${quote(from)}`);
    const path = join(this.#settings.path, String(file));
    return await withFile(path, (opened) => readLines(opened, stretch)).catch((error: unknown) => {
      // A feeder has deleted it since: what it had is missing in the count of events.
      if (error instanceof Error && Reflect.get(error, "code") === "ENOENT") return Buffer.alloc(0);
      throw error;
    });
  }

  #failure(path: string, reason: string): FetchError {
    this.#lastError = reason;
    return fetchError({ path, source: this.#settings.name }, { kind: "connection", reason });
  }
}
