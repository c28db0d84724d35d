import { MAIN_SOURCE } from "../core/main_source.ts";
import { resolveParams } from "../core/params.ts";
import { showName } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";
import { suggestion } from "../text/nearest.ts";
import type { AlarmModule } from "./alarm_module.ts";

/** Whether an alarm can run now, and with which parameters. */
export type Readiness =
  | {
      readonly kind: "ready";
      readonly params: JsonObject;
      readonly notes: readonly string[];
      /** Names in the row that are probably mistyped; it runs without them. */
      readonly typos: readonly string[];
    }
  /** A quarantined alarm that does not run in this tick. */
  | { readonly kind: "quarantined"; readonly message: string }
  /** Not set up yet, which is not an error. */
  | { readonly kind: "not configured"; readonly missing: readonly string[] }
  /** The module does not load, or a value in the row is wrong. */
  | { readonly kind: "faulty"; readonly message: string; readonly cause: "module" | "row" };

/**
 * Judges an alarm's configuration: its row's parameters, and the names of the configured sources; `main` is
 * one of them when [engine] base_url is set. A wrong value is an error; a missing one is not.
 */
export function judgeReadiness(
  module: Pick<AlarmModule, "params" | "sources">,
  given: JsonObject,
  configured: ReadonlySet<string>,
): Readiness {
  const { params, missing, faults, unknown, typos } = resolveParams(module.params, given);
  if (faults.length > 0)
    return { kind: "faulty", message: [...faults, ...typos, ...unknown].join("; "), cause: "row" };
  const lacking = [
    ...(module.sources ?? [MAIN_SOURCE])
      .filter((name) => !configured.has(name))
      .map((name) => missingSource(name, configured)),
    ...missing.map((name) => `parameter ${showName(name)} has no value`),
  ];
  if (lacking.length > 0)
    return { kind: "not configured", missing: [...lacking, ...typos, ...unknown] };
  return { kind: "ready", params, notes: unknown, typos };
}

function missingSource(name: string, configured: ReadonlySet<string>): string {
  return name === MAIN_SOURCE
    ? "[engine] base_url is not set"
    : `[sources.${name}] is not in the configuration${suggestion(name, [...configured])}`;
}
