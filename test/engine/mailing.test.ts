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

/** A channel that answers as the test says, and keeps what it was asked for. */
function channelThat(answer: (mail: Mail) => Delivery): Channel & { readonly asked: Mail[] } {
  const asked: Mail[] = [];
  return {
    name: "test",
    asked,
    deliver: async (mail) => {
      asked.push(mail);
      await Promise.resolve();
      return answer(mail);
    },
  };
}

function mails(count: number): readonly Mail[] {
  return Array.from({ length: count }, (_, index) => makeMail({ alarm: `alarm_${index}` }));
}

async function deliverAll(channel: Channel, count: number): Promise<readonly Delivery[]> {
  const mailing = new Mailing(async () => channel, PATIENTLY);
  return await Promise.all(
    mails(count).map((mail) => mailing.inTurn(() => mailing.deliver(channel, mail))),
  );
}

test("once the channel fails as a whole, only the first mail is tried, and the others say so", async () => {
  const channel = channelThat((mail) => undelivered(mail.recipients, DOWN));
  const deliveries = await deliverAll(channel, 30);
  expect(channel.asked.length).toBe(1);
  const errors = deliveries.map(({ error: trouble }) => trouble?.message);
  expect(errors.filter((error) => error === "not tried: SES: down")).toHaveLength(
    30 - channel.asked.length,
  );
  // What was not tried has surely not gone out.
  for (const { error: trouble, pending } of deliveries) {
    expect(trouble?.mayBeDelivered).toBe(trouble?.message === "SES: down");
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
] as const)("%s does not hold up other alarms' mail", async (_, refuse) => {
  const channel = channelThat((mail) =>
    mail.alarm === "alarm_0" ? refuse(mail) : delivered(mail.recipients, ["m-1"]),
  );
  const [first, ...others] = await deliverAll(channel, 30);
  expect(first?.confirmed).toEqual([]);
  expect(others.every(({ confirmed }) => confirmed.length === 1)).toBe(true);
});

test("the channel is given the tick's signal", async () => {
  let given: AbortSignal | undefined;
  const channel: Channel = {
    name: "test",
    deliver: async (mail, signal) => {
      given = signal;
      return undelivered(mail.recipients, DOWN);
    },
  };
  const { signal } = new AbortController();
  await new Mailing(async () => channel, signal).deliver(channel, makeMail());
  expect(given).toBe(signal);
});
