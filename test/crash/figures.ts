import { type History, PHASES, phaseOf } from "./history.ts";
import { repeatedMails } from "./verdict.ts";

export interface Circumstances {
  readonly database: string;
  readonly seed: number;
  readonly seconds: number;
}

/** What a run of the suite came to, for whoever keeps the record. */
export function renderFigures(history: History, circumstances: Circumstances): string {
  const { database, seed, seconds } = circumstances;
  const killed = history.ticks.filter((tick) => tick.killed);
  const unknown = history.attempts.filter(({ outcome }) => outcome === "unknown").length;
  const crashed = history.runs.filter(({ crashed: at }) => at !== undefined).length;
  return [
    `crash suite on ${database}, seed ${seed}, ${Math.round(seconds)} s`,
    `  ticks ${history.ticks.length}, killed ${killed.length}, events ${history.events.length}, mails taken by SES ${history.mails.length}`,
    `  repeated mails ${repeatedMails(history)}, attempts that stay unknown ${unknown}, runs closed as crashed ${crashed}`,
    "  the kill hit",
    ...counted(
      PHASES,
      killed.map((tick) => phaseOf(history, tick)),
    ),
    "  it was made at",
    ...counted(
      [...new Set(killed.map(({ instant }) => instant))].sort(),
      killed.map(({ instant }) => instant),
    ),
    "",
  ].join("\n");
}

/** A line for each of the texts, with how often it is among those found. */
function counted(texts: readonly string[], found: readonly string[]): readonly string[] {
  return texts.map((text) => {
    const count = found.filter((one) => one === text).length;
    return `${String(count).padStart(7)} ${text}`;
  });
}
