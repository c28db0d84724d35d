// Changes what other code relies on.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  Array.prototype.map = () => [];
  Array.prototype.push = () => 0;
  Array.prototype[Symbol.iterator] = function* () {};
  Object.prototype.polluted = true;
  Map.prototype.get = () => undefined;
  JSON.parse = () => ({});
  JSON.stringify = () => "{}";
  globalThis.Promise = class {};
  globalThis.setTimeout = () => {};
  globalThis.Date = class {};
  globalThis.added = true;
  globalThis.console = {};
}
