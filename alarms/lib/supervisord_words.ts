/** Seconds in words. */
export function spanText(seconds: number): string {
  const span = Math.max(0, seconds);
  if (span < 120) return `${Math.round(span)} s`;
  if (span < 7200) return `${Math.floor(span / 60)} min`;
  return `${Math.floor(span / 3600)} h`;
}

/** Epoch seconds in words; `?` for what no clock shows. */
export function utcText(seconds: number): string {
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) return "?";
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
