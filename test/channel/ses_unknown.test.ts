import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type SesTimes, sesChannel } from "../../src/channel/ses_channel.ts";
import {
  answer,
  dribble,
  type FaultyServer,
  type Misbehave,
  send,
  sendAndClose,
  sendAndReset,
  startFaultyServer,
} from "../support/faulty_server.ts";
import { type MailService, sesError, startMailService } from "../support/mail_service.ts";
import { addresses, makeMail, PATIENTLY } from "../support/mails.ts";
import { built, runScript } from "../support/script.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
const SHORT: SesTimes = { credentials: 5_000, connect: 5_000, response: 2_000, retryDelay: 1 };
const LONG: SesTimes = { credentials: 5_000, connect: 5_000, response: 60_000, retryDelay: 1 };
const CHECK = "; check [email] endpoint and any proxy in front of it";
const NO_NOTES = () => {};

const XML = { "content-type": "text/xml" };
const BEGINNING =
  '<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult><MessageId>m-';
const ENDLESS = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ntransfer-encoding: chunked\r\n\r\n";

beforeEach(() => {
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function settings(endpoint: string) {
  return {
    from: "alarms@host.example",
    region: "us-east-1",
    endpoint,
  } as const;
}

describe("a call that SES may have accepted", () => {
  let server: FaultyServer | undefined;
  afterEach(async () => {
    await server?.close();
  });

  const rows: readonly [string, Misbehave, SesTimes, string | RegExp][] = [
    ["no response", () => {}, SHORT, "SES: no response within 2 s"],
    [
      "half a response, and silence",
      send(answer(BEGINNING, { ...XML, "content-length": "500" })),
      SHORT,
      "SES: no response within 2 s",
    ],
    [
      "a response that never ends",
      dribble(ENDLESS, "1\r\n<\r\n"),
      SHORT,
      "SES: no response within 2 s",
    ],
    ["a connection that is closed", (socket) => socket.destroy(), LONG, /^SES TimeoutError: .+/],
    ["a reset", (socket) => socket.resetAndDestroy(), LONG, /^SES TimeoutError: .*ECONNRESET/],
    [
      "a reset in the response",
      sendAndReset(answer(BEGINNING, { ...XML, "content-length": "500" })),
      LONG,
      /ECONNRESET|aborted/,
    ],
    [
      "a response that is shorter than it says",
      sendAndClose(answer(BEGINNING, { ...XML, "content-length": "500" })),
      LONG,
      `SES: invalid response (status 200: aborted)${CHECK}`,
    ],
    [
      "a response whose XML is cut off",
      send(answer(BEGINNING, XML)),
      LONG,
      /^SES: invalid response \(status 200: XML parse error: [^@]*\); check \[email\] endpoint/,
    ],
    [
      "JSON with 200",
      send(answer('{"MessageId": "m-1"}')),
      LONG,
      /^SES: invalid response \(status 200: XML parse error: [^@]*\); check \[email\] endpoint/,
    ],
    [
      "a login page with 200",
      send(answer("<html><title>Log in</title></html>", XML)),
      LONG,
      `SES: no MessageId in the response${CHECK}`,
    ],
    [
      "a gateway's page with 502",
      send(answer("<html><br><title>Bad gateway</title></html>", XML, "502 Bad Gateway")),
      LONG,
      /^SES: invalid response \(status 502[^)]*\); check/,
    ],
    [
      "a response that is not HTTP",
      send("220 mail.example ESMTP\r\n"),
      LONG,
      /^SES Error: Parse Error: /,
    ],
  ];
  test.each(rows)("is made once, and the delivery says so: %s", async (_, fault, times, error) => {
    server = await startFaultyServer(fault);
    const delivery = await sesChannel(settings(server.url), NO_NOTES, times).deliver(
      makeMail({ recipients: addresses(60) }),
      PATIENTLY,
    );
    expect(delivery).toMatchObject({
      confirmed: [],
      refused: [],
      pending: addresses(60),
      error: {
        message: typeof error === "string" ? error : expect.stringMatching(error),
        retryable: true,
        scope: "channel",
        mayBeDelivered: true,
      },
    });
    expect(delivery.error?.message).not.toMatch(/Deserialization|\$response|@smithy|@aws-sdk/);
    expect(server.requests.length).toBeLessThanOrEqual(1);
  });

  test("without a response prints nothing, and the process ends by itself", async () => {
    server = await startFaultyServer(() => {});
    const { code, stdout, stderr } = await runScript(
      `
        import { sesChannel } from ${JSON.stringify(built("channel/ses_channel.js"))};
        const channel = sesChannel(${JSON.stringify(settings(server.url))}, console.log, ${JSON.stringify(SHORT)});
        const delivery = await channel.deliver(${JSON.stringify(makeMail())}, new AbortController().signal);
        console.log(delivery.error.message);
      `,
      KEYS,
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "SES: no response within 2 s\n",
      stderr: "",
    });
    expect(server.requests.length).toBeLessThanOrEqual(1);
  });
});

describe("a call that SES has not accepted", () => {
  let service: MailService;
  beforeEach(async () => {
    service = await startMailService();
  });
  afterEach(() => service.close());

  const deliver = async (signal = PATIENTLY) =>
    await sesChannel(settings(service.url), NO_NOTES, LONG).deliver(makeMail(), signal);

  test.each([
    ["Throttling", 400],
    ["InternalFailure", 500],
    ["ServiceUnavailable", 503],
  ])("is made up to five times: %s", async (code, status) => {
    service.refuse = () => sesError(code, status, "not now");
    const { error } = await deliver();
    expect(error).toMatchObject({ message: `SES ${code}: not now`, mayBeDelivered: false });
    expect(service.calls).toHaveLength(5);
  });

  test("is made again after a wrong clock, by the time of the response", async () => {
    service.refuse = () =>
      service.calls.length > 1
        ? undefined
        : (response) => {
            response.setHeader("date", new Date(Date.now() + 3_600_000).toUTCString());
            sesError("SignatureDoesNotMatch", 403, "Signature expired")(response);
          };
    expect((await deliver()).error).toBeUndefined();
    expect(service.calls).toHaveLength(2);
  });

  test("is made once if a proxy rejects it", async () => {
    service.refuse = () => (response) => response.writeHead(403).end('{"message":"no"}');
    expect((await deliver()).error).toMatchObject({
      message: expect.stringMatching(/^SES: invalid response \(status 403[^)]*\); check/),
      mayBeDelivered: false,
    });
    expect(service.calls).toHaveLength(1);
  });

  test("is not made after the tick's time, and certainly not delivered", async () => {
    const { error } = await deliver(AbortSignal.abort());
    expect(error).toEqual({
      message: expect.stringMatching(/^SES: stopped before the call: /),
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
    });
    expect(service.calls).toEqual([]);
  });
});
