import { expect, test } from "vitest";
import { postError } from "../../src/channel/http_error.ts";
import type { HttpResponse } from "../../src/channel/http_post.ts";

const url = new URL("https://chat.example:8443/hooks/s3cret?key=t0ken");
const TARGET = { url, proxy: undefined, timeout: 20 };
const NOW = Date.parse("2026-11-26T01:00:00Z") / 1000;

function respond(status: number, headers: HttpResponse["headers"] = {}, text = ""): HttpResponse {
  return { status, headers, text };
}

test.each([200, 201, 202, 204])("status %d is no error", (status) => {
  expect(postError(respond(status), TARGET, NOW)).toBeUndefined();
});

const CHANNEL = { retryable: false, scope: "channel", mayBeDelivered: false };
const LATER = { ...CHANNEL, retryable: true };
const after = (seconds: string) => ({ "retry-after": seconds });

test.each([
  ["429 with seconds", respond(429, after("7"), "limit exceeded"), { ...LATER, retryAfter: 7 }],
  [
    "429 with a date",
    respond(429, after("Thu, 26 Nov 2026 01:01:30 GMT")),
    { ...LATER, retryAfter: 90 },
  ],
  ["429 without a time", respond(429), { ...LATER, retryAfter: 30 }],
  ["429 with no time to wait", respond(429, after("0")), { ...LATER, retryAfter: 30 }],
  [
    "429 with a time that is over",
    respond(429, after("Thu, 26 Nov 2026 00:59:59 GMT")),
    { ...LATER, retryAfter: 30 },
  ],
  ["503 with no time to wait", respond(503, after("0")), LATER],
  ["a wait of years", respond(429, after("9".repeat(400))), { ...LATER, retryAfter: 86_400 }],
  ["503 with seconds", respond(503, after("60")), { ...LATER, retryAfter: 60 }],
  ["503 without a time", respond(503), LATER],
  ["500", respond(500), LATER],
  ["408", respond(408), LATER],
  ["501", respond(501), CHANNEL],
  ["502 of a gateway", respond(502), { ...LATER, mayBeDelivered: true }],
  ["504 of a gateway", respond(504), { ...LATER, mayBeDelivered: true }],
  ["413", respond(413), { ...CHANNEL, scope: "size" }],
  ["400, which is about this one", respond(400), { ...CHANNEL, scope: "notification" }],
  ["a redirect without a target", respond(304), CHANNEL],
])("%s", (_sentence, response, expected) => {
  const { message, ...error } = postError(response, TARGET, NOW) ?? { message: "" };
  expect(error).toEqual(expected);
  expect(message).toMatch(/^POST to https:\/\/chat\.example:8443: status \d+/);
});

test.each([
  ["to another host", "https://new.example/hooks/s3cret", "https://new.example"],
  ["to another scheme", "http://chat.example/hooks/s3cret", "http://chat.example"],
  ["to a path", "/login?next=/hooks/s3cret", "https://chat.example:8443"],
  ["to what is no address", "http://", "https://chat.example:8443"],
])("a redirect %s names its host, and no path", (_sentence, location, origin) => {
  expect(postError(respond(302, { location }), TARGET, NOW)).toEqual({
    ...CHANNEL,
    message: `POST to https://chat.example:8443: status 302, a redirect to ${origin}; set the final address`,
  });
});

test.each([
  [401, "check the hook URL, and the secret or headers that the receiver expects"],
  [403, "check the hook URL, and the secret or headers that the receiver expects"],
  [404, "check the hook URL"],
  [407, "the proxy requires a login: set it as http://user:password@host:port"],
  [410, "the receiver no longer exists: set a new hook URL, or remove the channel"],
  [422, "check the hook URL and settings"],
])("status %d says what to do", (status, remedy) => {
  const proxy = new URL("http://ann:p4ssword@proxy.example:3128");
  const response = respond(status, {}, "<html><title>Go away</title>");
  expect(postError(response, { ...TARGET, proxy }, NOW)).toEqual({
    ...CHANNEL,
    scope: status === 422 ? "notification" : "channel",
    message: `POST to https://chat.example:8443: status ${status} HTML page "Go away"; ${remedy} (through the proxy http://proxy.example:3128)`,
  });
});

test("a request without a response keeps what is known of it", () => {
  const failure = { reason: "no response within 20 s", retryable: true, mayBeDelivered: true };
  expect(postError(failure, TARGET, NOW)).toEqual({
    message: "POST to https://chat.example:8443: no response within 20 s",
    retryable: true,
    scope: "channel",
    mayBeDelivered: true,
  });
});
