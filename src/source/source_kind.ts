import { kindMaker } from "../config/kinds.ts";
import type { RequestCounts } from "../core/source_state.ts";
import type { CacheMemory } from "./http/response_cache.ts";
import type { SharedSource } from "./share.ts";

/** A source during one tick. */
export interface OpenSource extends SharedSource {
  /** The service's clock, in epoch seconds; undefined before its first response. */
  readonly date: number | undefined;
  readonly counts: RequestCounts;
  close(): Promise<void>;
}

/** What a source of one tick needs beside its settings. */
export interface SourceFacts {
  /** Shown in messages; `main` is the service of `[engine]`. */
  readonly name: string;
  /** Seconds for one request, and requests that are sent side by side: those of `[engine]`. */
  readonly timeout: number;
  readonly maxConnections: number;
  /** Aborted when the tick ends. */
  readonly signal: AbortSignal;
  /** Shared by all sources of the tick. */
  readonly memory: CacheMemory;
}

/** What a source is, by its settings. */
export interface SourceOpener {
  /** Texts that no log, record or message may show. */
  readonly secrets: readonly string[];
  /** Connects with the first request. */
  readonly open: (facts: SourceFacts) => OpenSource;
}

/** A kind of service: its settings, and how it is opened. */
export const sourceKind = kindMaker<SourceOpener>();
