import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sesChannel } from "../../src/channel/ses_channel.ts";
import {
  type ErrorResponse,
  type MailService,
  recipientsOf,
  sesError,
  startMailService,
} from "../support/mail_service.ts";
import { addresses, delivered, makeMail, PATIENTLY } from "../support/mails.ts";

const FROM = "SWF Alarms <alarms@host.example>";

let service: MailService;
beforeEach(async () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  service = await startMailService();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await service.close();
});

async function deliver(recipients: readonly string[], from = FROM) {
  const channel = sesChannel({ from, region: "us-east-1", endpoint: service.url }, () => {});
  return await channel.deliver(makeMail({ recipients }), PATIENTLY);
}

/** Rejects a call that has one of these recipients. */
function refuse(bad: readonly string[], say: (named: readonly string[]) => ErrorResponse): void {
  service.refuse = (call) => {
    const named = recipientsOf(call).filter((address) => bad.includes(address));
    return named.length === 0 ? undefined : say(named);
  };
}

const unverified = (named: readonly string[]) =>
  sesError(
    "MessageRejected",
    400,
    `Email address is not verified. The following identities failed the check in region US-EAST-1: ${named.join(", ")}`,
  );
const illegal = () => sesError("InvalidParameterValue", 400, "Illegal address");

describe("a refused address", () => {
  test("that SES names costs one more call, and the others get the mail once", async () => {
    const people = addresses(10);
    const bad = people.slice(3, 5);
    refuse(bad, unverified);
    const { confirmed, refused, pending, error } = await deliver(people);
    expect(confirmed).toEqual(people.filter((address) => !bad.includes(address)));
    expect(refused.map(({ address }) => address)).toEqual(bad);
    expect(refused[0]?.reason).toMatch(/^SES MessageRejected: Email address is not verified\./);
    expect({ pending, error }).toEqual({ pending: [], error: undefined });
    expect(service.calls).toHaveLength(2);
    expect(service.mails.flatMap(({ to }) => to)).toEqual(confirmed);
  });

  test.each([
    ["the first", 0],
    ["one in the middle", 24],
    ["the last", 49],
  ])("that SES does not name is found: %s", async (_, index) => {
    const people = addresses(50);
    const bad = people.slice(index, index + 1);
    refuse(bad, illegal);
    const { confirmed, refused, messageIds } = await deliver(people);
    const others = people.filter((address) => !bad.includes(address));
    expect([...confirmed].sort()).toEqual([...others].sort());
    expect(refused).toEqual([
      { address: bad[0], reason: "SES InvalidParameterValue: Illegal address" },
    ]);
    expect(service.mails.flatMap(({ to }) => to).sort()).toEqual([...others].sort());
    expect(messageIds).toEqual(service.mails.map(({ messageId }) => messageId));
    expect(service.calls.length).toBeLessThanOrEqual(13);
  });

  test("in the second of three calls does not keep the mail from the others", async () => {
    const people = addresses(120);
    refuse(people.slice(60, 61), illegal);
    const { confirmed, refused } = await deliver(people);
    expect(confirmed).toHaveLength(119);
    expect(refused.map(({ address }) => address)).toEqual(people.slice(60, 61));
  });

  test("all of them: each is listed with its reason", async () => {
    const people = addresses(3);
    refuse(people, illegal);
    const { confirmed, refused, pending } = await deliver(people);
    expect(confirmed).toEqual([]);
    expect(refused.map(({ address }) => address)).toEqual(people);
    expect(pending).toEqual([]);
  });

  test("an address with an international domain is sent to in its ASCII form", async () => {
    const { confirmed } = await deliver(["a@höst.example"]);
    expect(confirmed).toEqual(["a@höst.example"]);
    expect(service.mails.map(({ to }) => to)).toEqual([["a@xn--hst-sna.example"]]);
  });
});

describe("an error of the whole service", () => {
  const rows: readonly [string, ErrorResponse, boolean][] = [
    ["a sender that is not verified", unverified(["alarms@host.example"]), false],
    [
      "sender and recipients that are not verified",
      unverified(["person1@host.example", "ALARMS@host.example"]),
      false,
    ],
    [
      "a paused account",
      sesError(
        "MessageRejected",
        400,
        "Sending paused for this account. For more information, look.",
      ),
      false,
    ],
    ["no right to send", sesError("AccessDenied", 403, "person1@host.example may not"), false],
  ];
  test.each(rows)("is not attributed to recipients: %s", async (_, rejection, retryable) => {
    service.refuse = () => rejection;
    const people = addresses(120);
    const { confirmed, refused, pending, error } = await deliver(people);
    expect({ confirmed, refused, pending }).toEqual({
      confirmed: [],
      refused: [],
      pending: people,
    });
    expect(error).toMatchObject({ retryable, scope: "channel" });
    expect(service.calls).toHaveLength(1);
  });

  test("after a first call went out leaves only the others pending", async () => {
    const people = addresses(120);
    service.refuse = () =>
      service.calls.length > 1 ? sesError("InternalFailure", 500, "down") : undefined;
    const { confirmed, pending, messageIds, error } = await deliver(people);
    expect(confirmed).toEqual(people.slice(0, 50));
    expect(pending).toEqual(people.slice(50));
    expect(messageIds).toEqual(service.mails.map(({ messageId }) => messageId));
    expect(error).toEqual({
      message: "SES InternalFailure: down",
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
    });
  });

  test("throttling that passes is not an error", async () => {
    service.refuse = () =>
      service.calls.length <= 2
        ? sesError("Throttling", 400, "Maximum sending rate exceeded.")
        : undefined;
    const people = addresses(3);
    expect(await deliver(people)).toEqual(
      delivered(
        people,
        service.mails.map(({ messageId }) => messageId),
      ),
    );
    expect(service.calls).toHaveLength(3);
  });
});

describe("the sender", () => {
  test("with a name in another script is encoded", async () => {
    await deliver(addresses(1), "Störung <alarms@höst.example>");
    expect(service.mails.map(({ from }) => from)).toEqual([
      "=?UTF-8?Q?St=C3=B6rung?= <alarms@xn--hst-sna.example>",
    ]);
  });
});

test.each([
  ["line breaks", "one\r\nBcc: thief@evil.example"],
  ["Unicode separators", "one\u2028Bcc: thief@evil.example\u0085"],
  ["bidirectional controls", "one \u202Eeno\u202C\u2067"],
])("a subject with %s reaches SES as one plain line", async (_, subject) => {
  const channel = sesChannel(
    {
      from: FROM,
      region: "us-east-1",
      endpoint: service.url,
    },
    () => {},
  );
  await channel.deliver(makeMail({ subject }), PATIENTLY);
  expect(service.mails[0]?.subject).toMatch(/^one /);
  expect(service.mails[0]?.subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u);
});
