import { expect, test } from "vitest";
import { explainConnection } from "../../src/core/connection_error.ts";

const WORDS: readonly (readonly [code: string, retry: boolean, words: string])[] = [
  ["ECONNREFUSED", true, "connection refused: ECONNREFUSED it failed"],
  ["ENOENT", true, "the socket does not exist: ENOENT it failed"],
  ["ENOTDIR", true, "the socket does not exist"],
  ["EACCES", false, "the engine's user may not use the socket"],
  ["ECONNRESET", true, "connection closed before the response was complete: ECONNRESET it failed"],
  ["UND_ERR_SOCKET", true, "connection closed before the response was complete"],
  ["ENOTFOUND", true, "host name not found"],
  ["EAI_AGAIN", true, "DNS lookup failed"],
  ["UND_ERR_CONNECT_TIMEOUT", true, "host unreachable"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", true, "the body length does not match content-length"],
  ["CERT_HAS_EXPIRED", false, "TLS certificate not accepted: CERT_HAS_EXPIRED it failed"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", false, "TLS certificate not accepted"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", false, "TLS certificate not accepted"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", false, "TLS connection failed"],
  ["ERR_ASSERTION", false, "the response is not HTTP"],
  ["UND_ERR_HEADERS_OVERFLOW", false, "the response header is too large"],
  ["UND_ERR_INVALID_ARG", false, "the request cannot be sent"],
  ["SOMETHING_ELSE", false, "SOMETHING_ELSE it failed"],
  ["", false, "it failed"],
];

test.each(WORDS)("%j: another attempt %s, %s", (code, retry, words) => {
  const explained = explainConnection(Object.assign(new Error("it failed"), { code }));
  expect(explained).toEqual({ retry, reason: expect.stringContaining(words) });
});

test("of several attempts to connect the first one counts", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED ::1:80"), { code: "ECONNREFUSED" });
  expect(explainConnection(new AggregateError([refused, new Error("other")]))).toEqual({
    retry: true,
    reason: "connection refused: connect ECONNREFUSED ::1:80",
  });
});

test.each([
  ["UND_ERR_SOCKET", "bad response", false, "the response is not HTTP"],
  ["UND_ERR_SOCKET", "bad upgrade", false, "the response is not HTTP"],
  [undefined, "… (Invalid status code)", false, "the response is not HTTP"],
  [undefined, "… (Invalid EOF state)", true, "connection closed before the response was complete"],
])("undici's own words count where its code says less: %j %s", (code, message, retry, meaning) => {
  const name = code === undefined ? "HTTPParserError" : "SocketError";
  const error = Object.assign(new Error(message), { name, code });
  const reason = `${meaning}: ${code ?? name} ${message}`;
  expect(explainConnection(error)).toEqual({ retry, reason });
});

const LOGIN = "the proxy requires a login: set it as http://user:password@host:port";
test.each([
  ["UND_ERR_ABORTED", "Proxy response (407) !== 200 when HTTP Tunneling", false, LOGIN],
  ["UND_ERR_INVALID_ARG", "Proxy Authentication Required (407)", false, LOGIN],
  ["UND_ERR_ABORTED", "Proxy response (301) !== 200", false, "the proxy refuses this host: UND_"],
  ["UND_ERR_ABORTED", "Proxy response (403) !== 200", false, "the proxy refuses this host: UND_"],
  ["UND_ERR_ABORTED", "Proxy response (502) !== 200", true, "host unreachable: UND_"],
])("a proxy that refuses is named: %s %s", (code, message, retry, words) => {
  const explained = explainConnection(Object.assign(new Error(message), { code }));
  expect(explained).toEqual({ retry, reason: expect.stringContaining(words) });
});

test("what is no error is a reason too", () => {
  expect(explainConnection("odd")).toEqual({ retry: false, reason: "odd" });
});
