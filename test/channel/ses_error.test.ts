import { describe, expect, test } from "vitest";
import { explainSesError } from "../../src/channel/ses_error.ts";

const SENDER = "alarms@h.example";
const PEOPLE = ["ann@h.example", "bob@h.example", "o'neil@h.example"];

function awsError(name: string, message: string, status = 400): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

const FAILED_CHECK =
  "Email address is not verified. The following identities failed the check in region US-EAST-1:";

describe("what an error of SES means for the recipients of the call", () => {
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
      "a longer name that ends alike",
      "MessageRejected",
      `${FAILED_CHECK} joann@h.example`,
      "addresses",
      [],
    ],
    ["no names", "InvalidParameterValue", "Missing final '@domain'", "addresses", []],
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
    ["the sender", "MessageRejected", `${FAILED_CHECK} Alarms@h.example`, "channel", []],
    [
      "the sender beside recipients",
      "MessageRejected",
      `${FAILED_CHECK} ann@h.example, alarms@h.example`,
      "channel",
      [],
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
      [],
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
  test.each(rows)("it speaks of %s", (_, name, message, scope, blamed) => {
    const failure = explainSesError(awsError(name, message), SENDER, PEOPLE);
    expect({ scope: failure.scope, blamed: failure.blamed }).toEqual({ scope, blamed });
    expect(failure.message).toBe(`SES ${name}: ${message}`);
  });

  test("a 413 is a size, whoever says it", () => {
    expect(explainSesError(awsError("Error", "x", 413), SENDER, PEOPLE).scope).toBe("size");
  });

  test.each([
    ["a text"],
    [undefined],
    [
      {
        toString: () => {
          throw new Error("no");
        },
      },
    ],
  ])("what is no error at all is trouble that may pass: %#", (thrown) => {
    expect(explainSesError(thrown, SENDER, PEOPLE)).toMatchObject({
      scope: "channel",
      retryable: true,
      message: expect.stringMatching(/^SES: /),
    });
  });

  test("a host with several addresses that all fail: the first one's words, and worth another call", () => {
    const failures = ["::1", "127.0.0.1"].map((host) =>
      Object.assign(new Error(`connect ECONNREFUSED ${host}:25`), { syscall: "connect" }),
    );
    const failure = explainSesError(new AggregateError(failures), SENDER, PEOPLE);
    expect(failure).toMatchObject({
      message: "SES Error: connect ECONNREFUSED ::1:25",
      retryable: true,
      again: true,
      mayBeDelivered: false,
    });
  });

  test("an error cannot bring a line break into a record", () => {
    const { message: error } = explainSesError(awsError("X", "a\r\nb\u202E"), SENDER, PEOPLE);
    expect(error).toBe("SES X: a b");
  });
});
