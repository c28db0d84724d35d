import { cut, quote } from "../text/describe.ts";
import { isSeverity, type Level, SEVERITIES } from "./level.ts";

/** As yielded. */
export interface YieldedLevel {
  readonly severity: string | undefined;
  readonly stage: string | undefined;
}

export interface FoundLevel {
  readonly level: Level;
  /** What does not exist, as what the detection has, for the module's author. */
  readonly faults: readonly string[];
}

const LAST = SEVERITIES[SEVERITIES.length - 1];
const CHOICES = `${SEVERITIES.slice(0, -1).join(", ")} or ${LAST}`;
/** Characters of the list of stages in a message. */
const MAX_LIST = 300;

/** The severity and the stage of a detection, each only if it exists. `stages` are those of its module. */
export function foundLevel(
  { severity, stage }: YieldedLevel,
  stages: readonly string[],
): FoundLevel {
  const isKnownStage = stage !== undefined && stages.includes(stage);
  const faults: string[] = [];
  if (severity !== undefined && !isSeverity(severity))
    faults.push(
      `the severity ${quote(severity)}, which does not exist; the alarm's own counts; write ${CHOICES}`,
    );
  if (stage !== undefined && !isKnownStage) {
    const known =
      stages.length === 0
        ? "but the module exports no STAGES, the list of its stages in their order"
        : `which is not one of the module's STAGES (${cut(stages.join(", "), MAX_LIST)})`;
    faults.push(`the stage ${quote(stage)}, ${known}; its stage stays as it was`);
  }
  const level = {
    severity: isSeverity(severity) ? severity : undefined,
    stage: isKnownStage ? stage : undefined,
  };
  return { level, faults };
}
