import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { sesChannel } from "../../src/channel/ses.ts";
import { type Answer, startServer, type TestServer } from "../support/http_server.ts";
import { addresses, delivered, makeMail, PATIENTLY } from "../support/mails.ts";
import { built, runScript } from "../support/script.ts";
import { type SesRelay, startSesRelay } from "../support/ses_relay.ts";
import { type SesServer, startSes } from "../support/ses_server.ts";

const FROM = "alarms@host.example";
const KEYS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

/** What a delivery looks like in which nobody was told, and nobody in particular is to blame. */
function undeliveredWith(message: unknown, retryable: boolean, mayBeDelivered: unknown = false) {
  return {
    confirmed: [],
    refused: [],
    pending: makeMail().recipients,
    messageIds: [],
    error: { message, retryable, scope: "channel", mayBeDelivered },
  };
}

function channel(endpoint: string) {
  return sesChannel({ provider: "ses", from: FROM, region: "us-east-1", endpoint });
}

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "swf-alarms-home-"));
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

describe("the SES channel and a real endpoint", () => {
  let ses: SesServer;
  let relay: SesRelay;
  beforeAll(async () => {
    ses = await startSes();
    relay = await startSesRelay(ses.url);
  });
  beforeEach(async () => {
    await fetch(`${ses.url}/clear-store`, { method: "POST" });
    relay.recipients.length = 0;
  });
  afterAll(async () => {
    await relay.close();
    await ses.close();
  });

  test("one bundle is one SendEmail with text and HTML, and its MessageId comes back", async () => {
    const delivery = await channel(relay.url).deliver(
      makeMail({ recipients: addresses(3) }),
      PATIENTLY,
    );
    expect(relay.recipients).toEqual([addresses(3)]);
    const received = await ses.received();
    expect(received).toEqual([
      expect.objectContaining({
        from: FROM,
        subject: makeMail().subject,
        body: { text: makeMail().text, html: makeMail().html },
      }),
    ]);
    expect(delivery).toEqual(delivered(addresses(3), [received[0]?.messageId]));
  });

  test.each([
    [1, [1]],
    [50, [50]],
    [51, [50, 1]],
    [120, [50, 50, 20]],
  ])("%d recipients are as few calls as SES allows, each address once", async (count, sizes) => {
    const delivery = await channel(relay.url).deliver(
      makeMail({ recipients: addresses(count) }),
      PATIENTLY,
    );
    expect(relay.recipients.map(({ length }) => length)).toEqual(sizes);
    expect(relay.recipients.flat()).toEqual(addresses(count));
    const ids = (await ses.received()).map(({ messageId }) => messageId);
    expect(delivery.confirmed).toEqual(addresses(count));
    expect([...delivery.messageIds].sort()).toEqual(ids.sort());
    expect(new Set(ids).size).toBe(sizes.length);
  });

  test("a sender with a name, and a megabyte of text, arrive as they are", async () => {
    const from = "SWF Alarms <alarms@host.example>";
    const named = sesChannel({ provider: "ses", from, region: "us-east-1", endpoint: ses.url });
    const text = "é&=+%\n".repeat(150_000);
    expect((await named.deliver(makeMail({ text }), PATIENTLY)).confirmed).toHaveLength(1);
    const [mail] = await ses.received();
    expect(mail?.from).toBe(from);
    expect(mail?.body.text).toBe(text);
  });

  test("nothing is printed on this Node, and the process ends by itself", async () => {
    const { code, stdout, stderr } = await runScript(send(ses.url), { ...KEYS, HOME: home });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(delivered(makeMail().recipients, [expect.any(String)]));
    expect(await ses.received()).toHaveLength(1);
  });
});

describe("failures", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(() => {});
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  const OK =
    '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult><MessageId>m-1</MessageId></SendEmailResult></SendEmailResponse>';
  const xml =
    (status: number, body: string): Answer =>
    (_request, response) => {
      response.writeHead(status, { "content-type": "text/xml" });
      response.end(body);
    };
  const refusal = (status: number, code: string, message: string): Answer =>
    xml(
      status,
      `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
    );

  test.each([
    ["MailFromDomainNotVerifiedException", 400, false],
    ["AccountSendingPausedException", 400, false],
    ["AccessDenied", 403, false],
    ["AccessDeniedException", 403, false],
    ["SignatureDoesNotMatch", 403, false],
    ["InvalidClientTokenId", 403, false],
    ["Throttling", 400, true],
    ["ThrottlingException", 400, true],
    ["LimitExceededException", 400, true],
    ["RequestExpired", 400, true],
    ["InternalFailure", 500, true],
    ["ServiceUnavailable", 503, true],
  ])("SES says %s with %d: another try may help: %s", async (code, status, retryable) => {
    server.answer = refusal(status, code, "Not now: x@host.example");
    expect(await channel(server.url).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(`SES ${code}: Not now: x@host.example`, retryable),
    );
  });

  test("an endpoint where nobody listens: the reason, and worth another try", async () => {
    const gone = await startServer(() => {});
    await gone.close();
    expect(await channel(gone.url).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(expect.stringContaining("ECONNREFUSED"), true),
    );
  });

  test.each([
    ["a proxy's HTML page", 502, "<html><title>502 Bad Gateway</title></html>"],
    ["a proxy's page with 200", 200, "<html><title>Log in</title></html>"],
    ["nothing with 200", 200, ""],
    ["JSON with 200", 200, '{"MessageId": "m-1"}'],
    [
      "an answer without a MessageId",
      200,
      '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult/></SendEmailResponse>',
    ],
  ])("%s does not confirm that a mail was sent", async (_sentence, status, body) => {
    server.answer = xml(status, body);
    expect(await channel(server.url).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(expect.stringMatching(/^SES .+/), true, expect.any(Boolean)),
    );
  });

  test("when the time is over it ends, between two tries too, and another tick may help", async () => {
    const time = new AbortController();
    server.answer = (request, response, url) => {
      refusal(400, "Throttling", "slow down")(request, response, url);
      time.abort();
    };
    const delivery = await channel(server.url).deliver(makeMail(), time.signal);
    expect(delivery).toEqual(
      undeliveredWith("SES: the tick's time was over before it answered", true, true),
    );
    expect(server.requests).toHaveLength(1);
  });

  test("an answer that does not come ends with the time too", async () => {
    const time = new AbortController();
    server.answer = () => time.abort();
    const delivery = await channel(server.url).deliver(makeMail(), time.signal);
    expect(delivery).toEqual(
      undeliveredWith("SES: the tick's time was over before it answered", true, true),
    );
  });

  test("a line that goes dead once SES has the call: the mail may have gone out", async () => {
    server.answer = (_request, response) => response.destroy();
    expect(await channel(server.url).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(expect.stringMatching(/^SES .+/), true, true),
    );
  });

  test("a mail that is too large says so, whoever finds it so", async () => {
    const tooLarge = "Message length is more than 10485760 bytes long: '20000000'.";
    for (const answer of [xml(413, "<html>"), refusal(400, "InvalidParameterValue", tooLarge)]) {
      server.answer = answer;
      const { error, pending } = await channel(server.url).deliver(makeMail(), PATIENTLY);
      expect(error).toMatchObject({ scope: "size", retryable: false });
      expect(pending).toEqual(makeMail().recipients);
    }
    expect(server.requests).toHaveLength(2);
  });

  test("a moment's trouble is no failure at all", async () => {
    server.answer = (request, response, url) => {
      const answer =
        server.requests.length === 1 ? refusal(503, "ServiceUnavailable", "busy") : xml(200, OK);
      answer(request, response, url);
    };
    expect(await channel(server.url).deliver(makeMail(), PATIENTLY)).toEqual(
      delivered(makeMail().recipients, ["m-1"]),
    );
  });

  test("without credentials: a clear failure that trying again does not cure", async () => {
    const env = { HOME: home, AWS_EC2_METADATA_DISABLED: "true" };
    const { code, stdout, stderr } = await runScript(send(server.url), env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(
      undeliveredWith(
        expect.stringMatching(/^SES CredentialsProviderError: .*\(set AWS credentials/),
        false,
      ),
    );
    expect(server.requests).toEqual([]);
  });

  test("without a region: a clear failure that trying again does not cure", async () => {
    const { code, stdout, stderr } = await runScript(send(server.url, "undefined"), {
      ...KEYS,
      HOME: home,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(
      undeliveredWith(expect.stringMatching(/^SES .*[Rr]egion/), false),
    );
  });

  test("no secret is in a failure", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s3cret-key");
    server.answer = (request, response, url) =>
      refusal(403, "SignatureDoesNotMatch", String(request.headers.authorization))(
        request,
        response,
        url,
      );
    const delivery = await channel(server.url).deliver(makeMail(), PATIENTLY);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", KEYS.AWS_SECRET_ACCESS_KEY);
    expect(JSON.stringify(delivery)).not.toContain("s3cret-key");
  });
});

/** A program that sends one mail with the built channel and prints how it went. */
function send(endpoint: string, region = '"us-east-1"'): string {
  return `
    import { sesChannel } from ${JSON.stringify(built("channel/ses.js"))};
    const channel = sesChannel({
      provider: "ses", from: "${FROM}", region: ${region}, endpoint: ${JSON.stringify(endpoint)},
    });
    console.log(JSON.stringify(await channel.deliver(${JSON.stringify(makeMail())}, new AbortController().signal)));
  `;
}
