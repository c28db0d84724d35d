import { MAIN_SOURCE } from "../core/main_source.ts";
import type { AlarmRow } from "../core/model.ts";
import { type ParamSpecs, resolveParams } from "../core/params.ts";
import { showName } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";

/** Whether an alarm can run now, and with which parameters. */
export type Readiness =
  | { readonly kind: "ready"; readonly params: JsonObject; readonly notes: readonly string[] }
  /** A quarantined alarm that does not run in this tick. */
  | { readonly kind: "quarantined"; readonly message: string }
  /** Somebody has yet to set it up; no error. */
  | { readonly kind: "not configured"; readonly missing: readonly string[] }
  /** The module does not load, or the row sets it up wrongly. */
  | {
      readonly kind: "faulty";
      readonly message: string;
      readonly cause: "module" | "row";
    };

export interface ReadinessFacts {
  readonly row: Pick<AlarmRow, "params" | "name">;
  readonly specs: ParamSpecs;
  /** Named sources that the module declares; undefined when it declares none. */
  readonly needs: readonly string[] | undefined;
  /** Names of the sources that are configured, `main` among them when [engine] base_url is set. */
  readonly configured: ReadonlySet<string>;
}

/** Judges an alarm's set-up: what is missing is told apart from what is wrong. */
export function judgeReadiness({ row, specs, needs, configured }: ReadinessFacts): Readiness {
  const resolved = resolveParams(specs, row.params);
  if (resolved.faults.length > 0)
    return {
      kind: "faulty",
      message: [...resolved.faults, ...resolved.unknown].join("; "),
      cause: "row",
    };
  const missing = (needs ?? [MAIN_SOURCE])
    .filter((name) => !configured.has(name))
    .map(missingSource);
  for (const name of resolved.missing) missing.push(`parameter ${showName(name)} has no value`);
  if (missing.length > 0)
    return { kind: "not configured", missing: [...missing, ...resolved.unknown] };
  return { kind: "ready", params: resolved.params, notes: resolved.unknown };
}

function missingSource(name: string): string {
  return name === MAIN_SOURCE
    ? "[engine] base_url is not set"
    : `[sources.${name}] is not in the configuration`;
}
