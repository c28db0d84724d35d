import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { sesChannel } from "../../src/channel/ses_channel.ts";
import { readEml } from "../support/eml.ts";
import { type Answer, startServer, type TestServer } from "../support/http_server.ts";
import { type MailService, startMailService, withoutRawRight } from "../support/mail_service.ts";
import { addresses, delivered, makeMail, PATIENTLY } from "../support/mails.ts";
import { built, runScript } from "../support/script.ts";

const FROM = "SWF Alarms <alarms@host.example>";
const KEYS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

/** A delivery that reached none of the recipients. */
function undeliveredWith(message: unknown, retryable: boolean, mayBeDelivered: unknown = false) {
  return {
    confirmed: [],
    refused: [],
    pending: makeMail().recipients,
    messageIds: [],
    error: { message, retryable, scope: "channel", mayBeDelivered },
  };
}

const notes: string[] = [];

function channel(endpoint: string) {
  const config = { from: FROM, region: "us-east-1", endpoint };
  return sesChannel(config, (note) => notes.push(note));
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

const WITH_ADDRESS = "<p>https://h.example/?a=1&amp;b=2.</p>\n";
const WITH_LINK =
  '<p><a href="https://h.example/?a=1&amp;b=2">https://h.example/?a=1&amp;b=2</a>.</p>\n';

describe("the SES channel and a real endpoint", () => {
  let service: MailService;
  beforeAll(async () => {
    service = await startMailService();
  });
  beforeEach(() => {
    service.mails.length = 0;
    service.calls.length = 0;
    service.refuse = undefined;
    notes.length = 0;
  });
  afterAll(() => service.close());

  const actions = () => service.calls.map((call) => call.get("Action"));

  test("one bundle is one SendRawEmail with text and HTML, and its MessageId is returned", async () => {
    const mail = makeMail({ recipients: addresses(3), html: WITH_ADDRESS });
    const delivery = await channel(service.url).deliver(mail, PATIENTLY);
    const { subject, text } = mail;
    const html = WITH_LINK;
    expect(service.mails).toEqual([
      { messageId: expect.any(String), from: FROM, to: addresses(3), subject, text, html },
    ]);
    expect(delivery).toEqual(delivered(addresses(3), [service.mails[0]?.messageId]));
    expect(actions()).toEqual(["SendRawEmail"]);
    expect(notes).toEqual([]);
  });

  test("the message itself names the sender and the recipients of the call, in CRLF lines", async () => {
    await channel(service.url).deliver(makeMail({ recipients: addresses(3) }), PATIENTLY);
    const raw = Buffer.from(service.calls[0]?.get("RawMessage.Data") ?? "", "base64").toString();
    expect(await readEml(raw)).toMatchObject({ from: "alarms@host.example", to: addresses(3) });
    expect(raw).toContain(`\r\nFrom: ${FROM}\r\n`.slice(2));
    expect(raw).not.toMatch(/[^\r]\n/);
    // SES rejects a header that is there twice.
    const [head = ""] = raw.split("\r\n\r\n");
    const names = head.match(/^[^\s:]+(?=:)/gm) ?? [];
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(["Auto-Submitted", "In-Reply-To", "List-ID"]));
  });

  test("without the right to SendRawEmail all mail goes by SendEmail, and it is noted once", async () => {
    service.refuse = withoutRawRight;
    const ses = channel(service.url);
    const recipients = addresses(60);
    const mail = makeMail({ recipients, subject: "Größe", html: WITH_ADDRESS });
    for (const _ of [1, 2])
      expect((await ses.deliver(mail, PATIENTLY)).confirmed).toEqual(addresses(60));
    expect(actions()).toEqual(["SendRawEmail", ...Array(4).fill("SendEmail")]);
    const { subject, text } = mail;
    for (const sent of service.mails)
      expect(sent).toMatchObject({ from: FROM, subject, text, html: WITH_LINK });
    expect(service.mails.flatMap(({ to }) => to)).toEqual([...addresses(60), ...addresses(60)]);
    expect(notes).toEqual([
      "SES: using ses:SendEmail; the AWS policy lacks ses:SendRawEmail, which is recommended",
    ]);
  });

  test.each([
    [1, [1]],
    [50, [50]],
    [51, [50, 1]],
    [120, [50, 50, 20]],
  ])("%d recipients are as few calls as SES allows, each address once", async (count, sizes) => {
    const delivery = await channel(service.url).deliver(
      makeMail({ recipients: addresses(count) }),
      PATIENTLY,
    );
    expect(service.mails.map(({ to }) => to.length)).toEqual(sizes);
    expect(service.mails.flatMap(({ to }) => to)).toEqual(addresses(count));
    const ids = service.mails.map(({ messageId }) => messageId);
    expect(delivery).toEqual(delivered(addresses(count), ids));
    expect(new Set(ids).size).toBe(sizes.length);
  });

  test("a megabyte of text arrives as it is", async () => {
    const text = "é&=+%\n".repeat(150_000);
    await channel(service.url).deliver(makeMail({ text }), PATIENTLY);
    expect(service.mails[0]?.text).toBe(text);
  });

  test("nothing is printed on this Node, and the process ends by itself", async () => {
    const { code, stdout, stderr } = await runScript(send(service.url), { ...KEYS, HOME: home });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(delivered(makeMail().recipients, [expect.any(String)]));
    expect(service.mails).toHaveLength(1);
  });
});

const OK =
  '<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult><MessageId>m-1</MessageId></SendRawEmailResult></SendRawEmailResponse>';
const xml =
  (status: number, body: string): Answer =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "text/xml" });
    response.end(body);
  };
const errorResponse = (status: number, code: string, message: string): Answer =>
  xml(
    status,
    `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
  );

// At the same time: those that are tried again wait for seconds.
describe.concurrent("errors that SES responds with, and none", () => {
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
    ["RequestExpired", 400, false],
    ["InternalFailure", 500, true],
    ["ServiceUnavailable", 503, true],
  ])("SES responds %s with %d: retryable: %s", async (code, status, retryable) => {
    const server = await startServer(errorResponse(status, code, "Not now: x@host.example"));
    const delivery = await channel(server.url).deliver(makeMail(), PATIENTLY);
    await server.close();
    expect(delivery).toEqual(
      undeliveredWith(expect.stringContaining(`SES ${code}: Not now: x@host.example`), retryable),
    );
  });

  test("an endpoint that refuses connections: retryable, with the reason", async () => {
    const gone = await startServer(() => {});
    await gone.close();
    expect(await channel(gone.url).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(expect.stringContaining("ECONNREFUSED"), true),
    );
  });
});

describe("errors", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(() => {});
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  test.each([
    ["a proxy's HTML page", 502, "<html><title>502 Bad Gateway</title></html>"],
    ["a proxy's page with 200", 200, "<html><title>Log in</title></html>"],
    ["nothing with 200", 200, ""],
    ["JSON with 200", 200, '{"MessageId": "m-1"}'],
    [
      "a response without a MessageId",
      200,
      '<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult/></SendRawEmailResponse>',
    ],
  ])("%s does not confirm that a mail was sent", async (_sentence, status, body) => {
    server.answer = xml(status, body);
    expect(await channel(server.url).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(expect.stringMatching(/^SES\b.+/), true, expect.any(Boolean)),
    );
  });

  test("the end of the tick's time ends it, also between two attempts", async () => {
    const time = new AbortController();
    server.answer = (request, response, url) => {
      errorResponse(400, "Throttling", "slow down")(request, response, url);
      time.abort();
    };
    const delivery = await channel(server.url).deliver(makeMail(), time.signal);
    expect(delivery).toEqual(
      undeliveredWith(expect.stringMatching(/^SES: stopped before SES responded: /), true, true),
    );
    expect(server.requests).toHaveLength(1);
  });

  test("the end of the tick's time ends the wait for a response", async () => {
    const time = new AbortController();
    server.answer = () => time.abort();
    const delivery = await channel(server.url).deliver(makeMail(), time.signal);
    expect(delivery).toEqual(
      undeliveredWith(expect.stringMatching(/^SES: stopped before SES responded: /), true, true),
    );
  });

  test("a connection that breaks after the call: the mail may have been delivered", async () => {
    server.answer = (_request, response) => response.destroy();
    expect(await channel(server.url).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(expect.stringMatching(/^SES\b.+/), true, true),
    );
  });

  test("a mail that is too large for SES or for a proxy", async () => {
    const tooLarge = "Message length is more than 10485760 bytes long: '20000000'.";
    for (const answer of [
      xml(413, "<html>"),
      errorResponse(400, "InvalidParameterValue", tooLarge),
    ]) {
      server.answer = answer;
      const { error, pending } = await channel(server.url).deliver(makeMail(), PATIENTLY);
      expect(error).toMatchObject({ scope: "size", retryable: false });
      expect(pending).toEqual(makeMail().recipients);
    }
    expect(server.requests).toHaveLength(2);
  });

  test("a call that fails once and then succeeds is delivered", async () => {
    server.answer = (request, response, url) => {
      const answer =
        server.requests.length === 1
          ? errorResponse(503, "ServiceUnavailable", "busy")
          : xml(200, OK);
      answer(request, response, url);
    };
    expect(await channel(server.url).deliver(makeMail(), PATIENTLY)).toEqual(
      delivered(makeMail().recipients, ["m-1"]),
    );
  });

  test("without credentials: the error says what to set, and is not retryable", async () => {
    const env = { HOME: home, AWS_EC2_METADATA_DISABLED: "true" };
    const { code, stdout, stderr } = await runScript(send(server.url), env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(
      undeliveredWith(
        expect.stringMatching(
          /^SES: no AWS credentials: CredentialsProviderError: .*\(set AWS credentials/,
        ),
        false,
      ),
    );
    expect(server.requests).toEqual([]);
  });

  test("without a region: the error says what to set, and is not retryable", async () => {
    const { code, stdout, stderr } = await runScript(send(server.url, "undefined"), {
      ...KEYS,
      HOME: home,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(
      undeliveredWith(
        "SES Error: Region is missing (set [email] region, such as us-east-1)",
        false,
      ),
    );
  });

  test("no secret is in an error", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s3cret-key");
    server.answer = (request, response, url) =>
      errorResponse(403, "SignatureDoesNotMatch", String(request.headers.authorization))(
        request,
        response,
        url,
      );
    const delivery = await channel(server.url).deliver(makeMail(), PATIENTLY);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", KEYS.AWS_SECRET_ACCESS_KEY);
    expect(JSON.stringify(delivery)).not.toContain("s3cret-key");
  });
});

/** A program that sends one mail with the built channel and prints the result. */
function send(endpoint: string, region = '"us-east-1"'): string {
  return `
    import { sesChannel } from ${JSON.stringify(built("channel/ses_channel.js"))};
    const channel = sesChannel({
      from: "${FROM}", region: ${region}, endpoint: ${JSON.stringify(endpoint)},
    }, console.log);
    console.log(JSON.stringify(await channel.deliver(${JSON.stringify(makeMail())}, new AbortController().signal)));
  `;
}
