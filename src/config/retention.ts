import { custom, object, optional, pipe, transform } from "valibot";
import type { Retention } from "../core/retention.ts";
import { parseTable } from "./issue.ts";

/** At most a hundred years; 0 is refused, as it could mean at once or never. */
const days = pipe(
  custom<number | "forever">(
    (value) =>
      value === "forever" ||
      (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 36_500),
    'must be a whole number of days such as 14, or "forever"',
  ),
  transform((given) => (given === "forever" ? undefined : given)),
);

const Kept = object({
  engine_runs_days: optional(days, 14),
  cleared_events_days: optional(days, "forever"),
  notifications_days: optional(days, 365),
});

export function parseRetention(table: unknown, faults: string[]): Retention | undefined {
  const kept = parseTable(Kept, ["retention"], table, faults);
  return (
    kept && {
      engineRunsDays: kept.engine_runs_days,
      clearedEventsDays: kept.cleared_events_days,
      notificationsDays: kept.notifications_days,
    }
  );
}
