import { expect, test } from "vitest";
import type { Channel, Mail } from "../../src/channel/channel.ts";
import { type Delivery, type DeliveryError, undelivered } from "../../src/core/delivery.ts";
import { Mailing } from "../../src/engine/mailing.ts";
import { delivered, makeMail, PATIENTLY } from "../support/mails.ts";

const DOWN: DeliveryError = {
  message: "SES: down",
  retryable: true,
  scope: "channel",
  mayBeDelivered: true,
};

/** A channel that returns what the test says, and keeps its mails. */
function channelThat(result: (mail: Mail) => Delivery): Channel & { readonly mails: Mail[] } {
  const mails: Mail[] = [];
  return {
    name: "test",
    mails,
    deliver: async (mail) => {
      mails.push(mail);
      await Promise.resolve();
      return result(mail);
    },
  };
}

function makeMails(count: number): readonly Mail[] {
  return Array.from({ length: count }, (_, index) => makeMail({ alarm: `alarm_${index}` }));
}

async function deliverAll(channel: Channel, count: number): Promise<readonly Delivery[]> {
  const mailing = new Mailing(async () => channel, PATIENTLY);
  return await Promise.all(
    makeMails(count).map((mail) => mailing.inTurn(() => mailing.deliver(channel, mail))),
  );
}

test("after an error of the whole channel the other mails are not tried, and say so", async () => {
  const channel = channelThat((mail) => undelivered(mail.recipients, DOWN));
  const deliveries = await deliverAll(channel, 30);
  expect(channel.mails.length).toBe(1);
  const errors = deliveries.map(({ error }) => error?.message);
  expect(errors.filter((error) => error === "not tried: SES: down")).toHaveLength(
    30 - channel.mails.length,
  );
  for (const { error, pending } of deliveries) {
    expect(error?.mayBeDelivered).toBe(error?.message === "SES: down");
    expect(pending).toEqual(makeMail().recipients);
  }
});

test.each([
  [
    "a mail that is too large",
    (mail: Mail) => undelivered(mail.recipients, { ...DOWN, scope: "size" }),
  ],
  [
    "an address that is refused",
    (mail: Mail) => ({
      ...delivered([], []),
      refused: mail.recipients.map((address) => ({ address, reason: "no" })),
    }),
  ],
] as const)("%s does not stop the mail of other alarms", async (_, refuse) => {
  const channel = channelThat((mail) =>
    mail.alarm === "alarm_0" ? refuse(mail) : delivered(mail.recipients, ["m-1"]),
  );
  const [first, ...others] = await deliverAll(channel, 30);
  expect(first?.confirmed).toEqual([]);
  expect(others.every(({ confirmed }) => confirmed.length === 1)).toBe(true);
});

test("the channel gets the tick's signal", async () => {
  let received: AbortSignal | undefined;
  const channel: Channel = {
    name: "test",
    deliver: async (mail, signal) => {
      received = signal;
      return undelivered(mail.recipients, DOWN);
    },
  };
  const { signal } = new AbortController();
  await new Mailing(async () => channel, signal).deliver(channel, makeMail());
  expect(received).toBe(signal);
});
