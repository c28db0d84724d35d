import type { InferOutput, ObjectEntries, ObjectSchema } from "valibot";
import type { SettingsPlace } from "../config/config.ts";
import { parseTable } from "../config/issue.ts";
import type { RequestCounts } from "../core/source_state.ts";
import type { CacheMemory } from "./response_cache.ts";
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
export interface SourceKind {
  readonly keys: readonly string[];
  /** Undefined where a setting has the wrong form. */
  readonly configure: (settings: object, place: SettingsPlace) => SourceOpener | undefined;
}

/** `configure` gets parsed settings; it may add faults. */
export function sourceKind<Entries extends ObjectEntries>(
  schema: ObjectSchema<Entries, string | undefined>,
  configure: (
    settings: InferOutput<ObjectSchema<Entries, string | undefined>>,
    place: SettingsPlace,
  ) => SourceOpener,
): SourceKind {
  return {
    keys: Object.keys(schema.entries),
    configure: (settings, place) => {
      const parsed = parseTable(schema, place.path, settings, place.faults);
      return parsed && configure(parsed, place);
    },
  };
}
