/** From the least to the most severe. */
export const SEVERITIES = ["info", "warning", "error", "critical"] as const;

export type Severity = (typeof SEVERITIES)[number];

/** How bad it is, and how far it has come in the list that its module declares. */
export interface Level {
  readonly severity: Severity | undefined;
  readonly stage: string | undefined;
}

export const NO_LEVEL: Level = { severity: undefined, stage: undefined };

export function isSeverity(value: unknown): value is Severity {
  return SEVERITIES.some((known) => known === value);
}

/** 0 without one. */
export function severityRank(severity: Severity | undefined): number {
  return severity === undefined ? 0 : SEVERITIES.indexOf(severity) + 1;
}

/** What a rise is: the kind of news, as rows have it. */
export type LevelNews = "severity" | "stage";

/** How an event's severity and stage differ from those that its row has. */
export interface LevelChange {
  readonly level: Level;
  /** The highest severity and the latest stage that it has had. */
  readonly peak: Level;
  readonly news: LevelNews | undefined;
  readonly reason: LevelReason;
}

export type LevelReason =
  | `severity ${"rose" | "changed"}: ${string}`
  | `stage ${"advanced" | "changed"}: ${string}`;

export interface LevelFacts {
  /** What its row has. */
  readonly before: Level;
  /** Undefined where an earlier version opened the event. */
  readonly peak: Level | undefined;
  /** Its detection's own. */
  readonly found: Level;
  /** The alarm's severity. */
  readonly severity: Severity | undefined;
  /** The stages of the module, in their order. */
  readonly stages: readonly string[];
}

/** What a detection counts as: its own severity and stage, else the alarm's severity and the event's stage. */
export function effectiveLevel(
  found: Level,
  severity: Severity | undefined,
  before = NO_LEVEL,
): Level {
  return { severity: found.severity ?? severity, stage: found.stage ?? before.stage };
}

/** Compares a detection with the event's row; undefined if nothing is different. Only more than ever before is news. */
export function levelChange(facts: LevelFacts): LevelChange | undefined {
  const { before, found, severity, stages } = facts;
  const level = effectiveLevel(found, severity, before);
  // The alarm's own severity is no news of an event that had none, nor of one that an earlier version opened, whatever
  // that wrote as severity.
  const highest =
    severityRank(severity) > severityRank(before.severity) ? severity : before.severity;
  const peak: Level = {
    severity: facts.peak?.severity ?? highest,
    stage: facts.peak === undefined ? before.stage : facts.peak.stage,
  };
  const isRise = severityRank(level.severity) > severityRank(peak.severity);
  const isLater = isLaterStage(level.stage, peak.stage, before.stage, stages);
  const isSame = level.severity === before.severity && level.stage === before.stage;
  if (isSame && !isRise && !isLater) return undefined;
  const isKnown = peak.stage === undefined || stages.includes(peak.stage);
  const raised: Level = {
    severity: isRise ? level.severity : peak.severity,
    stage: isLater || !isKnown ? level.stage : peak.stage,
  };
  const severities = `${before.severity ?? "none"} → ${level.severity ?? "none"}`;
  const both = `${before.stage ?? "none"} → ${level.stage ?? "none"}`;
  const change = { level, peak: raised };
  if (isRise) return { ...change, news: "severity", reason: `severity rose: ${severities}` };
  if (isLater) return { ...change, news: "stage", reason: `stage advanced: ${both}` };
  return level.severity === before.severity
    ? { ...change, news: undefined, reason: `stage changed: ${both}` }
    : { ...change, news: undefined, reason: `severity changed: ${severities}` };
}

/** A module that renames its stages, or changes their order, makes no news of it. */
function isLaterStage(
  stage: string | undefined,
  peak: string | undefined,
  before: string | undefined,
  stages: readonly string[],
): boolean {
  if (stage === undefined || stage === before) return false;
  if (peak === undefined) return true;
  return stages.includes(peak) && stages.indexOf(stage) > stages.indexOf(peak);
}
