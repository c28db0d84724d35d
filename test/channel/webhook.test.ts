import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { webhook } from "../../src/channel/webhook.ts";
import { parseKeys, signatureHeaders } from "../../src/channel/webhook_signature.ts";
import { makeOutgoing } from "../support/bundles.ts";
import { openChannel } from "../support/channels.ts";
import { startHookServer } from "../support/hook_server.ts";
import { startHttpProxy } from "../support/http_proxy.ts";
import { delivered, PATIENTLY } from "../support/mails.ts";

const secretOf = (seed: string, length = 32) =>
  `whsec_${Buffer.alloc(length, seed).toString("base64")}`;
const [OLD, NEW] = [secretOf("old"), secretOf("new")];

test("a known request has the known signature", () => {
  const [key = Buffer.alloc(0)] =
    parseKeys("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=") ?? [];
  const body = '{"type":"alarm.fired","timestamp":"2026-11-26T01:00:00Z","data":{}}';
  expect(signatureHeaders([key], "msg_1", 1_790_000_000, body)).toEqual({
    "webhook-id": "msg_1",
    "webhook-timestamp": "1790000000",
    "webhook-signature": "v1,i+tjM//rQCyyAhYkbq/vMISsJEMBboO1p4I31QK+agk=",
  });
});

test.each([
  ["24 bytes", secretOf("x", 24), 1],
  ["64 bytes", secretOf("x", 64), 1],
  ["two, with any blanks", ` ${OLD} \n${NEW}\n`, 2],
  ["23 bytes", secretOf("x", 23), undefined],
  ["65 bytes", secretOf("x", 65), undefined],
  ["one of two that is wrong", `${OLD} whsec_x`, undefined],
  ["the base64 alone", OLD.slice(6), undefined],
  ["another alphabet", `whsec_${"-_".repeat(20)}`, undefined],
])("secrets: %s", (_sentence, text, count) => {
  expect(parseKeys(text)?.length).toBe(count);
});

test("a notification is one POST that each receiver with a secret verifies", async () => {
  const { url, requests } = await startHookServer({ status: 204, body: "" });
  const settings = { url, secret_env: "SECRETS", headers: { "X-Team": "ops", "Webhook-Id": "no" } };
  const channel = await openChannel(webhook, settings, { env: { SECRETS: `${OLD} ${NEW}` } });
  const outgoing = makeOutgoing();
  for (const _ of [1, 2])
    expect(await channel.deliver(outgoing, PATIENTLY)).toEqual(delivered(outgoing.recipients, []));
  for (const { path, headers, body } of requests) {
    expect(path).toBe("/hooks/s3cret-key-of-the-hook");
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "swf-alarms",
      "webhook-id": outgoing.id,
      "x-swf-notification": outgoing.id,
      "x-team": "ops",
    });
    expect(headers).not.toHaveProperty("x-hub-signature-256");
    const signed = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, String(value)]),
    );
    for (const secret of [OLD, NEW])
      expect(new Webhook(secret).verify(body, signed)).toMatchObject({
        type: "bundle",
        data: { new: [{ event_id: "id of a" }] },
      });
    expect(() => new Webhook(secretOf("other")).verify(body, signed)).toThrow();
    expect(() => new Webhook(NEW).verify(`${body} `, signed)).toThrow();
  }
  expect(requests).toHaveLength(2);
});

test("without a secret the id and the time are sent; GitHub's signature is an option", async () => {
  const { url, requests } = await startHookServer();
  const settings = { url_env: "HOOK", github_secret_env: "GITHUB" };
  const channel = await openChannel(webhook, settings, { env: { HOOK: url, GITHUB: "word" } });
  await channel.deliver(makeOutgoing({ bundle: undefined }), PATIENTLY);
  const [{ headers, body } = { headers: {}, body: "" }] = requests;
  expect(headers).toMatchObject({
    "webhook-id": makeOutgoing().id,
    "webhook-timestamp": expect.stringMatching(/^\d{10}$/),
    "x-hub-signature-256": `sha256=${createHmac("sha256", "word").update(body).digest("hex")}`,
  });
  expect(headers).not.toHaveProperty("webhook-signature");
  expect(JSON.parse(body)).toMatchObject({ data: { text: makeOutgoing().text } });
});

test("an error is one of the channel, names no secret, and the next attempt may succeed", async () => {
  const { url, origin } = await startHookServer(
    { status: 429, headers: { "retry-after": "9" }, body: "slow down" },
    { status: 413, body: "" },
    {},
  );
  const channel = await openChannel(webhook, { url });
  const send = () => channel.deliver(makeOutgoing(), PATIENTLY);
  expect(await send()).toEqual({
    ...delivered([], []),
    pending: makeOutgoing().recipients,
    error: {
      message: `POST to ${origin}: status 429 slow down`,
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
      retryAfter: 9,
    },
  });
  expect((await send()).error).toMatchObject({ scope: "size", retryable: false });
  expect((await send()).error).toBeUndefined();
});

test("it goes through the proxy of the environment", async () => {
  const { origin, requests } = await startHookServer();
  const hosts = { "hooks.example:80": Number(new URL(origin).port) };
  const proxy = await startHttpProxy({ hosts });
  const settings = { url: "http://hooks.example/in" };
  const channel = await openChannel(webhook, settings, { env: { http_proxy: proxy.url } });
  expect((await channel.deliver(makeOutgoing(), PATIENTLY)).error).toBeUndefined();
  expect(proxy.seen).toEqual(["POST http://hooks.example/in"]);
  expect(requests.map(({ path }) => path)).toEqual(["/in"]);
});
