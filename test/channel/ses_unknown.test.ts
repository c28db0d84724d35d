import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Patience, sesChannel } from "../../src/channel/ses.ts";
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
const SHORT: Patience = { connect: 5_000, answer: 2_000, firstWait: 1 };
const LONG: Patience = { connect: 5_000, answer: 60_000, firstWait: 1 };
const REMEDY =
  "something that is not SES answered at [email] endpoint; check it and what stands before it";

const XML = { "content-type": "text/xml" };
const BEGINNING =
  '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult><MessageId>m-';
const ENDLESS = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ntransfer-encoding: chunked\r\n\r\n";

beforeEach(() => {
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function settings(endpoint: string) {
  return {
    provider: "ses",
    from: "alarms@host.example",
    region: "us-east-1",
    endpoint,
  } as const;
}

describe("a call that SES may have taken", () => {
  let server: FaultyServer | undefined;
  afterEach(async () => {
    await server?.close();
  });

  const rows: readonly [string, Misbehave, Patience, string | RegExp][] = [
    ["no answer", () => {}, SHORT, "SES: no answer within 2 s"],
    [
      "half an answer, and silence",
      send(answer(BEGINNING, { ...XML, "content-length": "500" })),
      SHORT,
      "SES: no answer within 2 s",
    ],
    [
      "an answer that never ends",
      dribble(ENDLESS, "1\r\n<\r\n"),
      SHORT,
      "SES: no answer within 2 s",
    ],
    ["a line that is cut", (socket) => socket.destroy(), LONG, /^SES TimeoutError: .+/],
    ["a reset", (socket) => socket.resetAndDestroy(), LONG, /^SES TimeoutError: .*ECONNRESET/],
    [
      "a reset in the answer",
      sendAndReset(answer(BEGINNING, { ...XML, "content-length": "500" })),
      LONG,
      /ECONNRESET|aborted/,
    ],
    [
      "an answer that is shorter than it says",
      sendAndClose(answer(BEGINNING, { ...XML, "content-length": "500" })),
      LONG,
      `SES gave no whole answer (status 200: aborted): the line broke, or ${REMEDY}`,
    ],
    [
      "an answer whose XML is cut off",
      send(answer(BEGINNING, XML)),
      LONG,
      /^SES gave no whole answer \(status 200: XML parse error: [^@]*\): the line broke, or something that is not SES/,
    ],
    [
      "JSON with 200",
      send(answer('{"MessageId": "m-1"}')),
      LONG,
      /^SES gave no whole answer \(status 200: XML parse error: [^@]*\): the line broke, or something that is not SES/,
    ],
    [
      "a login page with 200",
      send(answer("<html><title>Log in</title></html>", XML)),
      LONG,
      `SES gave no MessageId: ${REMEDY}`,
    ],
    [
      "a gateway's page with 502",
      send(answer("<html><br><title>Bad gateway</title></html>", XML, "502 Bad Gateway")),
      LONG,
      `SES gave no answer (status 502): ${REMEDY}`,
    ],
    [
      "what is not HTTP",
      send("220 mail.example ESMTP\r\n"),
      LONG,
      /^SES gave no answer \(Parse Error: [^)]*\): something that is not SES answered/,
    ],
  ];
  test.each(rows)(
    "is made once, and the next mail knows: %s",
    async (_, fault, patience, error) => {
      server = await startFaultyServer(fault);
      const delivery = await sesChannel(settings(server.url), patience).deliver(
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
    },
  );

  test("without an answer prints nothing, and the process ends by itself", async () => {
    server = await startFaultyServer(() => {});
    const { code, stdout, stderr } = await runScript(
      `
        import { sesChannel } from ${JSON.stringify(built("channel/ses.js"))};
        const channel = sesChannel(${JSON.stringify(settings(server.url))}, ${JSON.stringify(SHORT)});
        const delivery = await channel.deliver(${JSON.stringify(makeMail())}, new AbortController().signal);
        console.log(delivery.error.message);
      `,
      KEYS,
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "SES: no answer within 2 s\n",
      stderr: "",
    });
    expect(server.requests.length).toBeLessThanOrEqual(1);
  });
});

describe("a call that SES surely did not take", () => {
  let service: MailService;
  beforeEach(async () => {
    service = await startMailService();
  });
  afterEach(() => service.close());

  const deliver = async (signal = PATIENTLY) =>
    await sesChannel(settings(service.url), LONG).deliver(makeMail(), signal);

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

  test("is made again when the clock was wrong, by the time of the answer", async () => {
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

  test("and that is refused is made once, whoever refuses it", async () => {
    service.refuse = () => (response) => response.writeHead(403).end('{"message":"no"}');
    expect((await deliver()).error).toMatchObject({
      message: `SES gave no answer (status 403): ${REMEDY}`,
      mayBeDelivered: false,
    });
    expect(service.calls).toHaveLength(1);
  });

  test("since the time was over before, is not in doubt", async () => {
    const { error } = await deliver(AbortSignal.abort());
    expect(error).toEqual({
      message: "SES: the tick's time was over before it was asked",
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
    });
    expect(service.calls).toEqual([]);
  });
});
