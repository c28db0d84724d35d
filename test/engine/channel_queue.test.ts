import { expect, test } from "vitest";
import type { Channel, Outgoing } from "../../src/channel/channel.ts";
import type { Opener } from "../../src/channel/channel_type.ts";
import { type Delivery, type DeliveryError, undelivered } from "../../src/core/delivery.ts";
import { ChannelQueue, openQueues, type QueueFacts } from "../../src/engine/channel_queue.ts";
import { configured } from "../support/configured.ts";
import { delivered, makeMail, PATIENTLY } from "../support/mails.ts";

const DOWN: DeliveryError = {
  message: "SES: down",
  retryable: true,
  scope: "channel",
  mayBeDelivered: true,
};
const BUSY: DeliveryError = { ...DOWN, message: "busy", scope: "notification", retryAfter: 0.01 };
const NOW = 1_800_000_000;
const progress = async (): Promise<void> => {};

type Result = (outgoing: Outgoing, call: number, signal: AbortSignal) => Delivery;

/** A channel that returns what the test says, and keeps what it got. */
function channelThat(result: Result): Channel & { readonly got: Outgoing[] } {
  const got: Outgoing[] = [];
  return {
    got,
    deliver: async (outgoing, signal) => {
      got.push(outgoing);
      await Promise.resolve();
      return result(outgoing, got.length, signal);
    },
  };
}

function queueOf(channel: Channel, more: Partial<QueueFacts> = {}): ChannelQueue {
  return new ChannelQueue({
    type: "file",
    opener: { target: undefined, open: async () => channel },
    open: ({ open }) => open(() => {}),
    signal: PATIENTLY,
    clock: () => NOW,
    patientUntil: NOW + 180,
    closedUntil: 0,
    ...more,
  });
}

/** What becomes of so many notifications that come at once: the delivery, or why none was attempted. */
async function deliverAll(queue: ChannelQueue, count: number): Promise<readonly Delivery[]> {
  const all = Array.from({ length: count }, (_, index) => makeMail({ alarm: `alarm_${index}` }));
  return await Promise.all(
    all.map((mail) =>
      queue.inTurn(async () =>
        queue.closed === undefined
          ? await queue.deliver(mail, progress)
          : undelivered(mail.recipients, queue.closed.error),
      ),
    ),
  );
}

test("after an error of the whole channel the others are not tried, and say so", async () => {
  const channel = channelThat(({ recipients }) => undelivered(recipients, DOWN));
  const queue = queueOf(channel);
  const [first, ...others] = await deliverAll(queue, 30);
  expect(channel.got).toHaveLength(1);
  expect(first?.error).toEqual(DOWN);
  for (const { error, pending } of others) {
    expect(error).toMatchObject({ message: "not tried: SES: down", mayBeDelivered: false });
    expect(pending).toEqual(makeMail().recipients);
  }
  expect(queue.report).toEqual({ attempted: true, error: "SES: down" });
});

test("a service that asks to wait again and again is asked six times, and then in a later tick", async () => {
  const channel = channelThat(({ recipients }) => undelivered(recipients, BUSY));
  const queue = queueOf(channel);
  const [first, second] = await deliverAll(queue, 2);
  expect(channel.got).toHaveLength(6);
  expect(first?.error).toEqual(BUSY);
  expect(second?.error?.message).toBe("not tried: busy");
});

test.each([
  [
    "one that is too large",
    (mail: Outgoing) => undelivered(mail.recipients, { ...DOWN, scope: "size" }),
  ],
  [
    "an address that is refused",
    (mail: Outgoing) => ({
      ...delivered([], []),
      refused: mail.recipients.map((address) => ({ address, reason: "no" })),
    }),
  ],
] as const)("%s does not stop those of other alarms", async (_, refuse) => {
  const queue = queueOf(
    channelThat((mail) =>
      mail.alarm === "alarm_0" ? refuse(mail) : delivered(mail.recipients, ["m-1"]),
    ),
  );
  const [first, ...others] = await deliverAll(queue, 30);
  expect(first?.confirmed).toEqual([]);
  expect(others.every(({ confirmed }) => confirmed.length === 1)).toBe(true);
  expect(queue.report).toEqual({ attempted: true, error: undefined });
  expect([...queue.reached]).toEqual(makeMail().recipients);
});

test("the channel gets the tick's signal", async () => {
  const { signal } = new AbortController();
  let received: AbortSignal | undefined;
  const channel = channelThat(({ recipients }, _, given) => {
    received = given;
    return undelivered(recipients, DOWN);
  });
  await queueOf(channel, { signal }).deliver(makeMail(), progress);
  expect(received).toBe(signal);
});

test.each<[string, Partial<QueueFacts>, DeliveryError, calls: number, closed: number | undefined]>([
  ["within the tick is waited for", {}, BUSY, 2, undefined],
  ["that is too long closes the channel", {}, { ...BUSY, retryAfter: 181 }, 1, NOW + 181],
  [
    "for which the tick has no more time closes the channel",
    { signal: AbortSignal.abort() },
    { ...BUSY, retryAfter: 100 },
    1,
    NOW + 100,
  ],
])("a wait %s", async (_, facts, error, calls, notBefore) => {
  const channel = channelThat(({ recipients }, call) =>
    call === 1 ? undelivered(recipients, error) : delivered(recipients, ["m-1"]),
  );
  const queue = queueOf(channel, facts);
  await deliverAll(queue, 1);
  expect(channel.got).toHaveLength(calls);
  expect(queue.closed?.notBefore).toBe(notBefore);
  expect((await deliverAll(queue, 1))[0]?.error?.message).toBe(
    notBefore === undefined ? undefined : "not tried: busy",
  );
});

test("what has reached or lost some of its recipients is not kept waiting", async () => {
  const refused = [{ address: "a@example.org", reason: "no" }];
  const channel = channelThat(() => ({ ...undelivered(["b@example.org"], BUSY), refused }));
  const queue = queueOf(channel);
  const mail = makeMail({ recipients: ["a@example.org", "b@example.org"] });
  expect(await queue.deliver(mail, progress)).toMatchObject({
    refused,
    pending: ["b@example.org"],
  });
  expect(channel.got).toHaveLength(1);
});

test("a channel that cannot be opened is opened once, and says why", async () => {
  let opened = 0;
  const open = async (): Promise<Channel> => {
    opened += 1;
    throw new Error("no such host");
  };
  const queue = queueOf(
    channelThat(() => delivered([], [])),
    { open },
  );
  const deliveries = await deliverAll(queue, 3);
  expect(opened).toBe(1);
  expect(deliveries.map(({ error }) => error?.message)).toEqual([
    "cannot open the channel: no such host",
    ...Array.from({ length: 2 }, () => "not tried: cannot open the channel: no such host"),
  ]);
  expect(queue.report.error).toBe("cannot open the channel: no such host");
});

test("a wait that an earlier tick was asked for holds in this one, unless a wrong clock wrote it", () => {
  const channels = new Map(
    ["chat", "hook", "mail"].map((name) => [
      name,
      configured(
        name,
        channelThat(() => delivered([], [])),
      ),
    ]),
  );
  const open = ({ open: openIt }: Opener) => openIt(() => {});
  const facts = { channels, openChannel: open, clock: () => NOW };
  const until = new Map([
    ["chat", NOW + 600],
    ["hook", NOW + 7 * 3600],
  ]);
  const queues = openQueues(
    facts,
    { signal: PATIENTLY, patientUntil: performance.now() + 1000 },
    { queuedUntil: (name) => until.get(name) ?? 0 },
  );
  expect([...queues].map(([name, queue]) => [name, queue?.closed?.notBefore])).toEqual([
    ["chat", NOW + 600],
    ["hook", undefined],
    ["mail", undefined],
  ]);
});
