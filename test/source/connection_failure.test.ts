import { expect, test } from "vitest";
import { explainConnection } from "../../src/source/connection_failure.ts";

const WORDS: readonly (readonly [code: string, retry: boolean, words: string])[] = [
  ["ECONNREFUSED", true, "nobody listens there: ECONNREFUSED it failed"],
  ["ECONNRESET", true, "the connection broke before the answer was whole: ECONNRESET it failed"],
  ["ENOTFOUND", true, "DNS does not know the name"],
  ["EAI_AGAIN", true, "DNS does not answer"],
  ["CERT_HAS_EXPIRED", false, "its TLS certificate is not valid here: CERT_HAS_EXPIRED it failed"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", false, "its TLS certificate is not valid here"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", false, "its TLS certificate is not valid here"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", false, "no TLS connection"],
  ["HPE_INVALID_CONSTANT", false, "does not speak HTTP"],
  ["HPE_HEADER_OVERFLOW", false, "the answer's header is too large"],
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

test("what is no error is a reason too", () => {
  expect(explainConnection("odd")).toEqual({ retry: false, reason: "odd" });
});
