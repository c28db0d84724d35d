import type { Severity } from "swf-alarms";
import { quote } from "./fields.ts";

/** A row of the table; what it means is that of ENRGDAQ's `DAQJobHealthcheck`. */
export interface RuleRow {
  readonly daq_job_type: string;
  readonly client: string | undefined;
  readonly stats_key: StatsKey;
  readonly interval: string | undefined;
  readonly amount: number | undefined;
  readonly alert_if_interval_is: "satisfied" | "unsatisfied";
  readonly message: string;
  readonly severity: Severity;
}

export const STATS_KEYS = [
  "message_in_stats",
  "message_out_stats",
  "message_in_queue_stats",
  "message_out_queue_stats",
  "restart_stats",
] as const;

export type StatsKey = (typeof STATS_KEYS)[number];

export interface Rule {
  readonly type: string;
  /** Only of this client, or of `remote_custom`. */
  readonly client: string | undefined;
  readonly statsKey: StatsKey;
  /** Satisfied if the count changed in so many seconds, or if it has reached an amount. */
  readonly wants: { readonly seconds: number } | { readonly amount: number };
  /** The interval or amount as written. */
  readonly text: string;
  readonly alertIf: "satisfied" | "unsatisfied";
  readonly message: string;
  readonly severity: Severity;
}

/** Throws with all that is wrong. */
export function parseRules(rows: readonly RuleRow[]): readonly Rule[] {
  const faults: string[] = [];
  const rules = rows.flatMap((row, index): Rule | [] => {
    const { daq_job_type: type, client, message, interval, amount, severity } = row;
    const { stats_key: statsKey, alert_if_interval_is: alertIf } = row;
    const wants = parseWants(row);
    if (typeof wants !== "string") {
      const text = interval ?? String(amount);
      return { type, client, statsKey, wants, text, alertIf, message, severity };
    }
    faults.push(`rules[${index}]${wants}`);
    return [];
  });
  if (faults.length > 0) throw new Error(faults.join("; "));
  return rules;
}

const UNITS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600 };

function parseWants({ interval, amount, stats_key }: RuleRow): Rule["wants"] | string {
  if ((interval === undefined) === (amount === undefined)) return ": set either interval or amount";
  if (interval === undefined) {
    if (stats_key === "restart_stats")
      return ".amount: ENRGDAQ does not count restarts; use interval";
    return { amount: amount ?? 0 };
  }
  const [, digits = "", unit = ""] = /^(\d{1,6})([smh])$/.exec(interval) ?? [];
  const seconds = Number(digits) * (UNITS[unit] ?? 0);
  return seconds > 0
    ? { seconds }
    : `.interval: must be like "30s", "5m" or "1h", found ${quote(interval)}`;
}
