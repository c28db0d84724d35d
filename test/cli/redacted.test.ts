import { expect, test } from "vitest";
import type { Outgoing } from "../../src/channel/channel.ts";
import { composeMail } from "../../src/channel/compose.ts";
import { redactedChannel, redactedDatabase } from "../../src/cli/redacted.ts";
import { undelivered } from "../../src/core/delivery.ts";
import type { Database, Queryable, SqlValue } from "../../src/store/database.ts";
import { makeRedactor } from "../../src/text/redact.ts";
import { makeBundle, makeItem } from "../support/bundles.ts";
import { makeMail } from "../support/mails.ts";

const redact = makeRedactor(['hunter"2', "123456"]);

/** What a database gets that is sent this parameter, by a query and in a transaction. */
async function sent(param: SqlValue): Promise<SqlValue | undefined> {
  const got: (SqlValue | undefined)[] = [];
  const tx: Queryable = {
    query: async (_, params = []) => {
      got.push(params[0]);
      return [];
    },
  };
  const fail = async (): Promise<never> => {
    throw new Error("not used");
  };
  const db: Database = {
    ...tx,
    transaction: (work) => work({ ...tx, isTransaction: true }),
    script: fail,
    tryLock: fail,
    isLocked: fail,
    close: fail,
  };
  const redacted = redactedDatabase(db, redact);
  await redacted.query("SELECT $1", [param]);
  await redacted.transaction((inner) => inner.query("SELECT $1", [param]));
  expect(got[1]).toEqual(got[0]);
  return got[0];
}

test.each<[string, SqlValue, SqlValue]>([
  ["a mail's text", 'a hunter"2\nb', "a [redacted]\nb"],
  ["a name, which statements compare", "event_123456", "event_123456"],
  ["a list of ids", ["123456", "b"], ["123456", "b"]],
  [
    "strings and keys in data",
    '{"a":["hunter\\"2"],"x123456":1}',
    '{"a":["[redacted]"],"x[redacted]":1}',
  ],
  ["a number in data", '{"a":"123456","b":123456}', '{"a":"[redacted]","b":123456}'],
  [
    "identifiers in data",
    '{"entry_id":"event_123456","pending":["123456@h"],"per_alarm":{"alarm_123456":{"error_message":"123456"}}}',
    '{"entry_id":"event_123456","pending":["123456@h"],"per_alarm":{"alarm_123456":{"error_message":"[redacted]"}}}',
  ],
  [
    "a row",
    '[{"id":"123456","name":"state:123456","title":"123456","content":"123456","data":{"x":"123456"}}]',
    '[{"id":"123456","name":"state:123456","title":"[redacted]","content":"[redacted]","data":{"x":"[redacted]"}}]',
  ],
  [
    "a title that becomes too long",
    `[{"title":"${"123456 ".repeat(40)}"}]`,
    `[{"title":"${"[redacted] ".repeat(24).slice(0, 255)}"}]`,
  ],
  ["a number", 123456, 123456],
])("the database gets %s without secrets", async (_, param, expected) => {
  expect(await sent(param)).toEqual(expected);
});

test("JSON without secrets is sent as it is", async () => {
  expect(await sent('{"a":  1.0}')).toBe('{"a":  1.0}');
});

test("the channel gets a notification without secrets; its recipients stay", async () => {
  const mails: Outgoing[] = [];
  const channel = redactedChannel(
    {
      deliver: async (mail) => {
        mails.push(mail);
        return undelivered([], {
          message: "",
          retryable: true,
          scope: "channel",
          mayBeDelivered: false,
        });
      },
    },
    redact,
  );
  const mail = makeMail({ recipients: ["123456@example.org"] });
  const texts = { subject: 'hunter"2', text: 'hunter"2', html: "hunter&quot;2" };
  await channel.deliver({ ...mail, ...texts }, new AbortController().signal);
  expect(mails).toEqual([
    { ...mail, subject: "[redacted]", text: "[redacted]", html: "[redacted]" },
  ]);
  const bundle = (secret: string) =>
    makeBundle({
      title: secret,
      description: secret,
      fresh: [makeItem("a", { dedupeKey: secret, subject: secret, body: secret })],
      continuing: [makeItem("b", { body: secret, stage: secret, changes: ["x", secret] })],
      cleared: [makeItem("c", { subject: secret, clearReason: secret })],
      caveats: [secret],
    });
  await channel.deliver({ ...mail, bundle: bundle('hunter"2') }, new AbortController().signal);
  expect(mails.pop()).toEqual({ ...mail, bundle: bundle("[redacted]") });
  // The link to this address would end at the quote.
  await channel.deliver(
    { ...mail, html: "https://h.example/?a=hunter&quot;2" },
    new AbortController().signal,
  );
  for (const { html } of mails)
    expect((await composeMail({ ...mail, html }, "a@h.example", "unix")).html).not.toContain("2");
});
