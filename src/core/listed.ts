/** Reasons of an outcome that are listed, and notes; a broken source can cause one per entity. */
export const MAX_LISTED = 5;

/** The first of them, and how many more there are. */
export function listed(texts: readonly string[], what: "reasons" | "notes"): readonly string[] {
  return [...texts.slice(0, MAX_LISTED), ...moreThan(texts.length, what)];
}

export function moreThan(count: number, what: "reasons" | "notes"): readonly string[] {
  return count > MAX_LISTED ? [`and ${count - MAX_LISTED} more ${what}`] : [];
}
