// Changes what other code relies on when it is imported.
Object.prototype.polluted = true;
String.prototype.trim = () => "";
export function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
}
