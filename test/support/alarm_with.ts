import type { ParamSpecs } from "../../src/core/param_spec.ts";
import { assumedRow } from "../../src/store/alarms.ts";
import type { JsonObject } from "../../src/text/json.ts";

/** An alarm named `x` whose module has these PARAMS. */
export function alarmWith(specs: ParamSpecs, params: JsonObject = {}) {
  const names = { name: "x", title: undefined, description: undefined };
  return {
    row: assumedRow({ ...names, params }),
    module: {
      ...names,
      path: "/x.ts",
      sources: undefined,
      params: specs,
      stages: [],
      graph: undefined,
    },
    readiness: { kind: "ready", params, notes: [], typos: [] },
  } as const;
}
