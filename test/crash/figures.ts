import { type History, phaseOf } from "./history.ts";
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
    `  the kill hit: ${counted(killed.map((tick) => phaseOf(history, tick)))}`,
    `  it was made at: ${counted(killed.map(({ instant }) => instant))}`,
    "",
  ].join("\n");
}

/** Each text with how often it occurs, in order of the texts. */
function counted(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of [...texts].sort()) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => `${text} ${count}`).join(", ");
}
