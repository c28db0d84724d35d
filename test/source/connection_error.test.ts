import { expect, test } from "vitest";
import { explainConnection } from "../../src/source/connection_error.ts";

const WORDS: readonly (readonly [code: string, retry: boolean, words: string])[] = [
  ["ECONNREFUSED", true, "nobody listens there: ECONNREFUSED it failed"],
  ["ECONNRESET", true, "the connection broke before the answer was whole: ECONNRESET it failed"],
  ["UND_ERR_SOCKET", true, "the connection broke before the answer was whole"],
  ["ENOTFOUND", true, "DNS does not know the name"],
  ["EAI_AGAIN", true, "DNS does not answer"],
  ["UND_ERR_CONNECT_TIMEOUT", true, "it cannot be reached"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", true, "not as long as its content-length"],
  ["CERT_HAS_EXPIRED", false, "its TLS certificate is not valid here: CERT_HAS_EXPIRED it failed"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", false, "its TLS certificate is not valid here"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", false, "its TLS certificate is not valid here"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", false, "no TLS connection"],
  ["ERR_ASSERTION", false, "what answers does not speak HTTP"],
  ["UND_ERR_HEADERS_OVERFLOW", false, "the answer's header is too large"],
  ["UND_ERR_INVALID_ARG", false, "the question cannot be sent"],
  ["UND_ERR_DESTROYED", false, "its connections are closed already"],
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
    reason: "nobody listens there: connect ECONNREFUSED ::1:80",
  });
});

test.each([
  ["UND_ERR_SOCKET", "bad response", false, "what answers does not speak HTTP"],
  ["UND_ERR_SOCKET", "bad upgrade", false, "what answers does not speak HTTP"],
  [undefined, "… (Invalid status code)", false, "what answers does not speak HTTP"],
  [undefined, "… (Invalid EOF state)", true, "the connection broke before the answer was whole"],
])("undici's own words count where its code says less: %j %s", (code, message, retry, meaning) => {
  const name = code === undefined ? "HTTPParserError" : "SocketError";
  const error = Object.assign(new Error(message), { name, code });
  const reason = `${meaning}: ${code ?? name} ${message}`;
  expect(explainConnection(error)).toEqual({ retry, reason });
});

test("what is no error is a reason too", () => {
  expect(explainConnection("odd")).toEqual({ retry: false, reason: "odd" });
});
