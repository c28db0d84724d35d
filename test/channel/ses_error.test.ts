import { describe, expect, test } from "vitest";
import { addressesIn, readSesError, type SesError } from "../../src/channel/ses_error.ts";

const FROM = "SWF Alarms <alarms@h.example>";

function awsError(name: string, message: string, status = 400): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

const FAILED_CHECK =
  "Email address is not verified. The following identities failed the check in region US-EAST-1:";

describe("the scope of an error, and the addresses that it names", () => {
  const rows: readonly [string, string, string, string, readonly string[]][] = [
    [
      "recipients by name",
      "MessageRejected",
      `${FAILED_CHECK} ann@h.example, BOB@h.example.`,
      "addresses",
      ["ann@h.example", "bob@h.example"],
    ],
    [
      "a name in brackets",
      "InvalidParameterValue",
      "Illegal address <bob@h.example>",
      "addresses",
      ["bob@h.example"],
    ],
    [
      "a name in quotes",
      "InvalidParameterValue",
      "User name is missing: 'ann@h.example'.",
      "addresses",
      ["ann@h.example"],
    ],
    [
      "a name that holds a quote",
      "InvalidParameterValue",
      "Bad: o'neil@h.example",
      "addresses",
      ["o'neil@h.example"],
    ],
    [
      "another name",
      "MessageRejected",
      `${FAILED_CHECK} joann@h.example`,
      "addresses",
      ["joann@h.example"],
    ],
    ["no names", "InvalidParameterValue", "Missing final domain", "addresses", []],
    [
      "an address that is too long",
      "InvalidParameterValue",
      "Local address is too long",
      "addresses",
      [],
    ],
    [
      "an address on a list of the account",
      "MessageRejected",
      "Address is on the suppression list for your account",
      "addresses",
      [],
    ],
    [
      "the sender",
      "MessageRejected",
      `${FAILED_CHECK} Alarms@h.example`,
      "channel",
      ["alarms@h.example"],
    ],
    [
      "the sender beside recipients",
      "MessageRejected",
      `${FAILED_CHECK} ann@h.example, alarms@h.example`,
      "channel",
      ["ann@h.example", "alarms@h.example"],
    ],
    [
      "a paused account",
      "MessageRejected",
      "Sending paused for this account. For more information, look.",
      "channel",
      [],
    ],
    ["a suspended account", "MessageRejected", "Your account has been suspended", "channel", []],
    [
      "a recipient, but in an error of rights",
      "AccessDenied",
      "User may not send to ann@h.example",
      "channel",
      ["ann@h.example"],
    ],
    [
      "throttling that speaks of the message size",
      "Throttling",
      "message size limit",
      "channel",
      [],
    ],
    [
      "a length",
      "InvalidParameterValue",
      "Message length is more than 10485760 bytes long: '2'.",
      "size",
      [],
    ],
    ["a size", "MessageRejected", "Message is too large", "size", []],
  ];
  test.each(rows)("its message has %s", (_, name, message, scope, named) => {
    const error = readSesError(awsError(name, message), FROM);
    expect({ scope: error.scope, named: [...addressesIn(error.message)] }).toEqual({
      scope,
      named,
    });
    expect(error.message).toContain(`SES ${name}: ${message}`);
  });

  test("a 413 is a size, also from a proxy", () => {
    expect(readSesError(awsError("Error", "x", 413), FROM).scope).toBe("size");
  });

  test("an error cannot bring a line break into a record", () => {
    expect(readSesError(awsError("X", "a\r\nb\u202E"), FROM).message).toBe("SES X: a b");
  });
});

/** An error as the SDK throws it, with what it and Node note on it. */
function failed(
  name: string,
  more: { readonly status?: number; readonly [key: string]: unknown } = {},
  message = "text",
): Error {
  const { status, ...others } = more;
  return Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status, attempts: 1 },
    ...others,
  });
}

type Retry = "again" | "not accepted" | "unknown";

describe("whether a call is repeated at once, and whether the mail may have been delivered", () => {
  const rows: readonly [string, unknown, Retry][] = [
    ["SES throttles", failed("Throttling", { status: 400 }), "again"],
    [
      "SES throttles by its newer name",
      failed("TooManyRequestsException", { status: 400 }),
      "again",
    ],
    ["a proxy responds 429", failed("Unknown", { status: 429 }), "again"],
    ["SES fails", failed("InternalFailure", { status: 500 }), "again"],
    ["SES is not available", failed("ServiceUnavailable", { status: 503 }), "again"],
    ["the port is closed", failed("Error", { code: "ECONNREFUSED", syscall: "connect" }), "again"],
    ["there is no route", failed("Error", { code: "EHOSTUNREACH", syscall: "connect" }), "again"],
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
      "SES rejects the clock, and the SDK has corrected it",
      Object.assign(failed("SignatureDoesNotMatch"), {
        $metadata: { httpStatusCode: 403, clockSkewCorrected: true },
      }),
      "again",
    ],
    ["SES does not know the key", failed("SignatureDoesNotMatch", { status: 403 }), "not accepted"],
    ["SES rejects the mail", failed("MessageRejected", { status: 400 }), "not accepted"],
    ["a gateway rejects the call", failed("Error", { status: 403 }), "not accepted"],
    ["a redirect", failed("Unknown", { status: 302 }), "not accepted"],
    ["there are no credentials", failed("CredentialsProviderError"), "not accepted"],
    ["a certificate is not valid", failed("Error", { code: "CERT_HAS_EXPIRED" }), "not accepted"],
    ["what is thrown is not an Error", "a text", "not accepted"],
    ["a gateway times out", failed("Unknown", { status: 504 }), "unknown"],
    ["a gateway's page is not XML", failed("Error", { status: 502 }), "unknown"],
    ["a response of 200 is cut off", failed("Error", { status: 200 }), "unknown"],
    [
      "the connection breaks in a response of 200",
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
      "the connection breaks before a response",
      failed("TimeoutError", { code: "ECONNRESET", syscall: "read" }),
      "unknown",
    ],
    [
      "the peer hangs up",
      failed("TimeoutError", { code: "ECONNRESET" }, "socket hang up"),
      "unknown",
    ],
    [
      "the connection breaks while the call is sent",
      failed("TimeoutError", { code: "EPIPE", syscall: "write" }),
      "unknown",
    ],
    [
      "the system times out",
      failed("TimeoutError", { code: "ETIMEDOUT", syscall: "read" }),
      "unknown",
    ],
    ["no response comes in time", failed("TimeoutError", { code: "ETIMEDOUT" }), "unknown"],
    ["the response is not HTTP", failed("Error", { code: "HPE_INVALID_CONSTANT" }), "unknown"],
  ];
  test.each(rows)("%s", (_, error, expected) => {
    const { retryNow, mayBeDelivered } = readSesError(error, FROM);
    expect({ retryNow, mayBeDelivered }).toEqual({
      retryNow: expected === "again",
      mayBeDelivered: expected === "unknown",
    });
  });

  test("a host with several addresses that all fail: the first error", () => {
    const errors = ["::1", "127.0.0.1"].map((host) =>
      Object.assign(new Error(`connect ECONNREFUSED ${host}:25`), { syscall: "connect" }),
    );
    expect(readSesError(new AggregateError(errors), FROM)).toEqual({
      message: "SES Error: connect ECONNREFUSED ::1:25",
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
      retryNow: true,
    } satisfies SesError);
  });
});
