import type { ParamSpecs } from "../core/params.ts";

/** What an alarm module says of itself; its `detect` never leaves the process that it runs in. */
export interface AlarmModule {
  readonly name: string;
  readonly path: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** Named sources that it needs; undefined when it says nothing, which means the main service. */
  readonly sources: readonly string[] | undefined;
  readonly params: ParamSpecs;
}

export type LoadedModule =
  | { readonly ok: true; readonly module: AlarmModule }
  /** In words for the module's author. */
  | { readonly ok: false; readonly error: string };
