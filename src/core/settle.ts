/**
 * When something that is observed counts as a detection: after some ticks in a row, or after some time. `since` is when
 * it began, if that is known otherwise.
 */
export type SettleRule =
  | { readonly ticks: number }
  | { readonly seconds: number; readonly since?: number };

/** What was observed and has not been cleared since, by key. Stored between ticks. */
export type Pending = ReadonlyMap<string, PendingEntry>;

export interface PendingEntry {
  /** Epoch seconds. */
  readonly firstSeen: number;
  /** Ticks in a row that observed it; those that did not look are left out. */
  readonly hits: number;
}

export interface SettleFacts<T extends { readonly settle: SettleRule }> {
  /** By key. */
  readonly observed: ReadonlyMap<string, T>;
  /** Whether this tick did not look at a key, so that its absence proves nothing. */
  readonly isUnknown: (key: string) => boolean;
  readonly pending: Pending;
  /** Keys of active events: these stay detections while they are observed. */
  readonly active: { readonly has: (key: string) => boolean };
  readonly now: number;
}

/** Decides which of the observed are detections now, and what is pending after this tick. */
export function settle<T extends { readonly settle: SettleRule }>(facts: SettleFacts<T>) {
  const { observed, isUnknown, active, now } = facts;
  const detections = new Map<string, T>();
  const pending = new Map([...facts.pending].filter(([key]) => isUnknown(key)));
  for (const [key, found] of observed) {
    const before = facts.pending.get(key);
    // A clock that was ahead must not delay it.
    const firstSeen = Math.min(before?.firstSeen ?? now, now);
    const entry = { firstSeen, hits: (before?.hits ?? 0) + 1 };
    const isActive = active.has(key);
    if (isActive || isSettled(entry, found.settle, now)) detections.set(key, found);
    // It stays until its event is recorded, in case that fails. After that nothing is counted.
    if (!isActive) pending.set(key, entry);
  }
  return { detections, pending };
}

function isSettled({ firstSeen, hits }: PendingEntry, rule: SettleRule, now: number): boolean {
  if ("ticks" in rule) return hits >= rule.ticks;
  return now - Math.min(firstSeen, rule.since ?? firstSeen) >= rule.seconds;
}
