import { cut, quote } from "../text/describe.ts";
import { isSeverity, type Level, SEVERITIES } from "./level.ts";
import type { SafeDetection } from "./model.ts";

/** Characters of the list of stages in a message. */
const MAX_LIST = 300;

/**
 * The severity and the stage of a detection, each only if it exists. `stages` are those of its module; `faults` say for
 * its author what the detection has and what does not exist.
 */
export function foundLevel(
  { severity, stage }: Pick<SafeDetection, "severity" | "stage">,
  stages: readonly string[],
) {
  const isKnownStage = stage !== undefined && stages.includes(stage);
  const faults: string[] = [];
  if (severity !== undefined && !isSeverity(severity))
    faults.push(
      `the severity ${quote(severity)}, which does not exist; the alarm's own counts; write one of ${SEVERITIES.join(", ")}`,
    );
  if (stage !== undefined && !isKnownStage) {
    const known =
      stages.length === 0
        ? "but the module exports no STAGES, the list of its stages in their order"
        : `which is not one of the module's STAGES (${cut(stages.join(", "), MAX_LIST)})`;
    faults.push(`the stage ${quote(stage)}, ${known}; its stage stays as it was`);
  }
  const level: Level = {
    severity: isSeverity(severity) ? severity : undefined,
    stage: isKnownStage ? stage : undefined,
  };
  return { level, faults };
}
