// Yields all that is no detection.
export function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const no = () => {
    throw new Error("no");
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  yield undefined;
  yield null;
  yield 5n;
  yield Symbol("s");
  yield () => {};
  yield {};
  yield { dedupeKey: {} };
  yield Object.defineProperty({}, "dedupeKey", { get: no });
  yield new Proxy({}, { get: no, has: no });
  yield proxy;
  yield new Promise(() => {});
  yield { dedupeKey: "last", subject: "Seen last" };
}
