// Has a title of 10 MB.
export const TITLE = "t".repeat(10_000_000);
export const DESCRIPTION = "d".repeat(10_000_000);
export function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
}
