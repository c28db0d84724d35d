import { describe, expect, test } from "vitest";
import { type CallResult, callResultOf } from "../../src/channel/call_result.ts";

/** An error as the SDK throws it: what it noted of an answer, and what Node noted of the connection. */
function failed(
  name: string,
  more: { readonly status?: number; readonly [key: string]: unknown } = {},
  message = "words",
): Error {
  const { status, ...others } = more;
  return Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status, attempts: 1 },
    ...others,
  });
}

describe("whether a call is worth repeating, or may have been taken", () => {
  const rows: readonly [string, unknown, CallResult][] = [
    ["SES throttles", failed("Throttling", { status: 400 }), "again"],
    [
      "SES throttles by its newer name",
      failed("TooManyRequestsException", { status: 400 }),
      "again",
    ],
    ["somebody says 429", failed("Unknown", { status: 429 }), "again"],
    ["SES fails", failed("InternalFailure", { status: 500 }), "again"],
    ["SES is not available", failed("ServiceUnavailable", { status: 503 }), "again"],
    ["nobody listens", failed("Error", { code: "ECONNREFUSED", syscall: "connect" }), "again"],
    [
      "there is no way to it",
      failed("Error", { code: "EHOSTUNREACH", syscall: "connect" }),
      "again",
    ],
    [
      "the system gives up connecting",
      failed("TimeoutError", { code: "ETIMEDOUT", syscall: "connect" }),
      "again",
    ],
    [
      "DNS has no such name",
      failed("Error", { code: "ENOTFOUND", syscall: "getaddrinfo" }),
      "again",
    ],
    ["DNS fails", failed("Error", { code: "EAI_AGAIN", syscall: "getaddrinfo" }), "again"],
    [
      "the SDK gives up connecting",
      failed("TimeoutError", {}, "the request socket did not establish a connection in 5000 ms"),
      "again",
    ],
    [
      "SES finds the clock wrong, and the SDK has set it",
      Object.assign(failed("SignatureDoesNotMatch"), {
        $metadata: { httpStatusCode: 403, clockSkewCorrected: true },
      }),
      "again",
    ],
    ["SES does not know the key", failed("SignatureDoesNotMatch", { status: 403 }), "not taken"],
    ["SES refuses the mail", failed("MessageRejected", { status: 400 }), "not taken"],
    ["a gateway refuses", failed("Error", { status: 403 }), "not taken"],
    ["something leads elsewhere", failed("Unknown", { status: 302 }), "not taken"],
    ["there are no credentials", failed("CredentialsProviderError"), "not taken"],
    ["a certificate is not valid", failed("Error", { code: "CERT_HAS_EXPIRED" }), "not taken"],
    ["what is thrown is no error", "a text", "not taken"],
    ["a gateway gives up", failed("Unknown", { status: 504 }), "unknown"],
    ["a gateway's page is no XML", failed("Error", { status: 502 }), "unknown"],
    ["an answer of 200 is cut off", failed("Error", { status: 200 }), "unknown"],
    [
      "the line breaks in an answer of 200",
      failed("Error", { status: 200, code: "ECONNRESET" }, "aborted"),
      "unknown",
    ],
    [
      "the SDK notes the status at the response alone",
      failed("SyntaxError", { $response: { statusCode: 202 } }),
      "unknown",
    ],
    ["a 200 that names an error", failed("Throttling", { status: 200 }), "unknown"],
    [
      "the line breaks before an answer",
      failed("TimeoutError", { code: "ECONNRESET", syscall: "read" }),
      "unknown",
    ],
    ["it hangs up", failed("TimeoutError", { code: "ECONNRESET" }, "socket hang up"), "unknown"],
    [
      "the line breaks while it is sent",
      failed("TimeoutError", { code: "EPIPE", syscall: "write" }),
      "unknown",
    ],
    [
      "the line is silent until the system gives up",
      failed("TimeoutError", { code: "ETIMEDOUT", syscall: "read" }),
      "unknown",
    ],
    ["no answer comes in time", failed("TimeoutError", { code: "ETIMEDOUT" }), "unknown"],
    ["the answer is not HTTP", failed("Error", { code: "HPE_INVALID_CONSTANT" }), "unknown"],
  ];
  test.each(rows)("%s", (_, error, fate) => {
    expect(callResultOf(error)).toBe(fate);
  });
});
