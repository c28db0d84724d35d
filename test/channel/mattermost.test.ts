import { describe, expect, test } from "vitest";
import { mattermost } from "../../src/channel/mattermost.ts";
import { makeBundle, makeItem, makeOutgoing } from "../support/bundles.ts";
import { openChannel } from "../support/channels.ts";
import { answer, sendAndClose, startFaultyServer } from "../support/faulty_server.ts";
import { startHookServer } from "../support/hook_server.ts";
import { delivered, PATIENTLY } from "../support/mails.ts";

test("a notification is one post, in the room and under the name that are set", async () => {
  const { url, requests } = await startHookServer({ body: "ok\n" });
  const channel = await openChannel(mattermost, { url, channel: "alarms", username: "SWF" });
  const outgoing = makeOutgoing();
  expect(await channel.deliver(outgoing, PATIENTLY)).toEqual(delivered(outgoing.recipients, []));
  expect(requests.map(({ body }) => JSON.parse(body))).toEqual([
    {
      channel: "alarms",
      username: "SWF",
      text: expect.stringMatching(
        /^#### \\\[alarm\\_x\\\] 1 detection\(s\), 1 new, 0 continuing\n/,
      ),
    },
  ]);
  expect(requests[0]?.headers).toMatchObject({ "x-swf-notification": outgoing.id });
});

test.each([
  ["new events", { fresh: [makeItem("a")] }, true],
  ["new events that are only counted", { freshCount: 1 }, true],
  ["reminders", { continuing: [makeItem("a")] }, false],
  ["clears", { cleared: [makeItem("a")] }, false],
  ["a test", { isTest: true }, false],
] as const)("whether somebody is mentioned: %s", async (_sentence, facts, mentions) => {
  const { url, requests } = await startHookServer();
  const channel = await openChannel(mattermost, { url, mention: "@here" });
  await channel.deliver(makeOutgoing({ bundle: makeBundle(facts) }), PATIENTLY);
  const { text } = JSON.parse(requests[0]?.body ?? "");
  expect(text.startsWith("@here\n\n#### ")).toBe(mentions);
});

test("where only the text of a mail is on record, it is posted as it is", async () => {
  const { url, requests } = await startHookServer();
  const channel = await openChannel(mattermost, { url, mention: "@here" });
  await channel.deliver(makeOutgoing({ bundle: undefined }), PATIENTLY);
  expect(JSON.parse(requests[0]?.body ?? "")).toEqual({
    text: expect.stringMatching(/^#### .*\n\n```\nNEW \(1\):\n\n {2}\[1\] a fails\n```$/),
  });
});

describe("what confirms nothing", () => {
  const CHANNEL = { retryable: false, scope: "channel", mayBeDelivered: false };
  test.each([
    [
      "a login page",
      { body: "<html><title>Sign in</title></html>" },
      'status 200 without the answer "ok" of Mattermost, but HTML page "Sign in"; check the hook URL',
      CHANNEL,
    ],
    [
      "another status",
      { status: 204, body: "" },
      'status 204 without the answer "ok" of Mattermost; check the hook URL',
      CHANNEL,
    ],
    [
      "an error of Mattermost",
      { status: 404, body: '{"message":"Couldn\'t find the channel"}' },
      'status 404 {"message":"Couldn\'t find the channel"}; check the hook URL',
      CHANNEL,
    ],
    [
      "its rate limit",
      { status: 429, body: "limit exceeded" },
      "status 429 limit exceeded",
      { ...CHANNEL, retryable: true, retryAfter: 30 },
    ],
  ])("%s", async (_sentence, reply, reason, expected) => {
    const { url, origin } = await startHookServer(reply);
    const channel = await openChannel(mattermost, { url });
    const { confirmed, pending, error } = await channel.deliver(makeOutgoing(), PATIENTLY);
    expect({ confirmed, pending }).toEqual({ confirmed: [], pending: ["alarms"] });
    expect(error).toEqual({ message: `POST to ${origin}: ${reason}`, ...expected });
  });

  test("half an answer: it may be posted", async () => {
    const half = answer("ok").subarray(0, -1);
    const server = await startFaultyServer(sendAndClose(half));
    const channel = await openChannel(mattermost, { url: server.url });
    const { error } = await channel.deliver(makeOutgoing(), PATIENTLY);
    await server.close();
    expect(error).toEqual({
      message: `POST to ${server.url}: the connection was lost before the answer "ok"`,
      retryable: true,
      scope: "channel",
      mayBeDelivered: true,
    });
  });
});
