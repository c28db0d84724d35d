import type { Detection } from "swf-alarms";
import { daqKey, daqName } from "./enrgdaq.ts";
import type { Known } from "./enrgdaq_known.ts";
import type { Look } from "./enrgdaq_look.ts";

/** Whether the DAQ as a whole has what it needs. A client that does not answer counts with what it had. */
export function* judgeKinds(
  firing: readonly string[],
  looks: readonly Look[],
  { jobs }: Known,
  required: readonly string[],
): Generator<Detection> {
  const isWhole = looks.every(({ status }) => status.kind === "answer");
  const types = looks.flatMap(({ id, status }) =>
    status.kind === "answer"
      ? [...status.value.jobs.map(({ type }) => type), ...status.value.restarts.keys()]
      : [...(jobs.get(id)?.keys() ?? [])],
  );
  for (const kind of new Set(required)) {
    const dedupeKey = daqKey("kind", kind);
    if (looks.length === 0 || types.some((type) => type.startsWith(kind))) continue;
    if (!isWhole && !firing.includes(dedupeKey)) continue;
    yield {
      dedupeKey,
      subject: `no client runs a ${daqName(kind)} job${LACKS[kind] ?? ""}`,
      severity: "warning",
      data: { metric: "none", kind },
    };
  }
}

const LACKS: { readonly [kind: string]: string } = {
  DAQJobStore: ": data is not stored",
  DAQJobAlert: ": ENRGDAQ itself sends no alerts",
};
