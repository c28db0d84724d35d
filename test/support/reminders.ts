import type { RenotifyRule } from "../../src/core/renotify.ts";

export const NO_REMINDERS: RenotifyRule = {
  hours: 0,
  growth: 1,
  maxHours: undefined,
  count: undefined,
};
