import { createServer, type Server } from "node:net";
import type { SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, test } from "vitest";
import { type SmtpSettings, type SmtpTls, smtpChannel } from "../../src/channel/smtp_channel.ts";
import type { DeliveryError } from "../../src/core/delivery.ts";
import { Authority, hasOpenssl } from "../support/certificates.ts";
import { readEml } from "../support/eml.ts";
import { addresses, delivered, makeMail, PATIENTLY } from "../support/mails.ts";
import { built, runScript } from "../support/script.ts";
import {
  answers,
  type SmtpOptions,
  startSmtpServer,
  type TestSmtpServer,
} from "../support/smtp_server.ts";

const FROM = "SWF Alarms <alarms@host.example>";
const OWN_ID = `<${makeMail().id}@host.example>`;
/** Long enough for every step that works. */
const PATIENCE = 20_000;

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(options?: SmtpOptions): Promise<TestSmtpServer> {
  const server = await startSmtpServer(options);
  closing.push(() => server.close());
  return server;
}

function channel(port: number, more: Partial<SmtpSettings> = {}) {
  const usual = { from: FROM, host: "127.0.0.1", port, tls: "optional", login: undefined } as const;
  return smtpChannel({ ...usual, timeout: PATIENCE, ...more });
}

/** A delivery that reached none of the recipients. */
function undeliveredWith(message: string | RegExp, more: Partial<DeliveryError> = {}) {
  const usual = { retryable: true, scope: "channel", mayBeDelivered: false };
  return {
    confirmed: [],
    refused: [],
    pending: makeMail().recipients,
    messageIds: [],
    error: { ...usual, ...more, message: expect.stringMatching(message) },
  };
}

describe("a mail that the server accepts", () => {
  test("arrives as it is, over one connection that is closed afterwards", async () => {
    const server = await serve();
    const text = "From me\n.\n..\n.leading\n\nend.\n";
    const mail = makeMail({ recipients: addresses(120), text });
    expect(await channel(server.port).deliver(mail, PATIENTLY)).toEqual(
      delivered(addresses(120), [OWN_ID]),
    );
    expect(server.mails).toMatchObject([
      { from: "alarms@host.example", to: addresses(120), secure: true, user: undefined },
    ]);
    expect(await readEml(server.mails[0]?.raw ?? "")).toMatchObject({
      from: "alarms@host.example",
      to: addresses(120),
      subject: mail.subject,
      text,
      html: mail.html,
    });
    expect(server.sockets).toHaveLength(1);
    await expect
      .poll(() => server.sockets.every(({ destroyed }) => destroyed), { timeout: PATIENCE })
      .toBe(true);
  });

  const OLD = "TLSv1.1";
  test.each<readonly [string, SMTPServerOptions, SmtpTls, boolean]>([
    ["optional, with any certificate", {}, "optional", true],
    ["optional, and not offered", { disabledCommands: ["STARTTLS"] }, "optional", false],
    ["optional, and the handshake fails", { minVersion: OLD, maxVersion: OLD }, "optional", false],
    ["none, although it is offered", {}, "none", false],
  ])("goes encrypted or not as tls says: %s", async (_, options, tls, secure) => {
    const server = await serve(() => options);
    const delivery = await channel(server.port, { tls }).deliver(makeMail(), PATIENTLY);
    expect(delivery).toEqual(delivered(makeMail().recipients, [OWN_ID]));
    expect(server.mails).toMatchObject([{ secure }]);
  });

  test("an international domain is sent to in ASCII, and the id that the server reports is kept", async () => {
    const id = "<abc@eu.prod.outlook.com>";
    const server = await serve(() => ({
      onData: (stream, _session, callback) => {
        stream.resume().on("end", () => {
          callback(null, `2.0.0 OK ${id}`);
        });
      },
    }));
    const mail = makeMail({ recipients: ["a@höst.example"] });
    expect(await channel(server.port).deliver(mail, PATIENTLY)).toEqual(
      delivered(["a@höst.example"], [OWN_ID, id]),
    );
  });
});

describe("recipients that the server rejects", () => {
  const RULES: { readonly [address: string]: readonly [number, string] } = {
    "gone@host.example": [550, "5.1.1 no such user"],
    "full@host.example": [452, "4.2.2 over quota, rate limited"],
    "out@other.example": [554, "5.7.1 relay access denied"],
    "in@other.example": [530, "5.7.0 authentication required"],
  };
  const options: SmtpOptions = () => ({
    onRcptTo: ({ address }, _session, callback) => {
      const rule = RULES[address];
      callback(rule && answers(...rule));
    },
  });
  const GONE = {
    address: "gone@host.example",
    reason: expect.stringMatching(/^SMTP 127\.0\.0\.1:\d+: 550 5\.1\.1 no such user$/),
  };
  const LATER = { retryable: true, scope: "notification", mayBeDelivered: false };

  test.each([
    ["one for good", ["a@host.example", "gone@host.example"], ["a@host.example"], [GONE], []],
    [
      "one for now",
      ["full@host.example", "a@host.example"],
      ["a@host.example"],
      [],
      ["full@host.example"],
    ],
    [
      "one of each",
      ["full@host.example", "a@host.example", "gone@host.example", "b@host.example"],
      ["a@host.example", "b@host.example"],
      [GONE],
      ["full@host.example"],
    ],
    ["all for good", ["gone@host.example"], [], [GONE], []],
    ["all for now", ["full@host.example"], [], [], ["full@host.example"]],
    [
      "all, one of them for now",
      ["gone@host.example", "full@host.example"],
      [],
      [GONE],
      ["full@host.example"],
    ],
  ])("%s: the others have the mail", async (_, recipients, confirmed, refused, pending) => {
    const server = await serve(options);
    const delivery = await channel(server.port).deliver(makeMail({ recipients }), PATIENTLY);
    const message = expect.stringContaining("452 4.2.2 over quota, rate limited");
    expect(delivery).toEqual({
      confirmed,
      refused,
      pending,
      messageIds: confirmed.length > 0 ? [OWN_ID] : [],
      error: pending.length > 0 ? { ...LATER, message } : undefined,
    });
    expect(server.mails.map(({ to }) => to)).toEqual(confirmed.length > 0 ? [confirmed] : []);
  });

  test("all because the server does not relay: not the fault of the addresses", async () => {
    const server = await serve(options);
    const recipients = ["out@other.example", "in@other.example"];
    expect(await channel(server.port).deliver(makeMail({ recipients }), PATIENTLY)).toEqual({
      ...undeliveredWith(/554 5\.7\.1 relay access denied; set user and a password if/, {
        retryable: false,
        scope: "notification",
      }),
      pending: recipients,
    });
  });
});

type Row = readonly [
  sentence: string,
  options: SmtpOptions,
  settings: Partial<SmtpSettings>,
  message: RegExp,
  more: Partial<DeliveryError>,
];
const LOGIN = { user: "ann", password: "s3cret-pass" };
const TO_DATA =
  (error: Error): SmtpOptions =>
  () => ({
    onData: (stream, _session, callback) => {
      stream.resume().on("end", () => callback(error));
    },
  });
const NEVER = { retryable: false };

describe("a mail that the server does not accept was surely not sent", () => {
  const rows: readonly Row[] = [
    [
      "it answers 451 to the data",
      TO_DATA(answers(451, "4.3.0 try again")),
      {},
      /Message failed: 451 4\.3\.0 try again$/,
      { scope: "notification" },
    ],
    [
      "it answers 554 to the data",
      TO_DATA(answers(554, "5.6.0 looks like spam")),
      {},
      /554 5\.6\.0 looks like spam$/,
      { ...NEVER, scope: "notification" },
    ],
    [
      "it answers 421 to the data",
      TO_DATA(answers(421, "4.7.0 rate limited")),
      {},
      /421 4\.7\.0 rate limited$/,
      {},
    ],
    [
      "it answers 552 to the data",
      TO_DATA(answers(552, "too big")),
      {},
      /552 .*too big$/,
      { ...NEVER, scope: "size" },
    ],
    [
      "it announces a smaller size",
      () => ({ size: 1_000 }),
      {},
      /larger than allowed 1000$/,
      { ...NEVER, scope: "size" },
    ],
    [
      "it rejects the sender",
      () => ({ onMailFrom: (_address, _session, callback) => callback(answers(553, "not yours")) }),
      {},
      /553 .*not yours; check from; set user/,
      NEVER,
    ],
    [
      "it rejects the sender for now",
      () => ({ onMailFrom: (_address, _session, callback) => callback(answers(450, "slow down")) }),
      {},
      /450 .*slow down$/,
      {},
    ],
    [
      "it does not offer the STARTTLS that is required",
      () => ({ disabledCommands: ["STARTTLS"] }),
      { tls: "required" },
      /STARTTLS.*; set tls = "optional" if mail may be sent unencrypted/,
      NEVER,
    ],
    [
      "its certificate is not valid",
      () => ({}),
      { tls: "required" },
      /certificate.*; correct the server's certificate; for your own authority set NODE_EXTRA_CA_CERTS$/,
      NEVER,
    ],
    [
      "it does not speak TLS from the start",
      () => ({}),
      { tls: "implicit" },
      /; check smtp_host, smtp_port and tls$/,
      NEVER,
    ],
    [
      "it rejects the login",
      () => ({
        allowInsecureAuth: true,
        onAuth: (_auth, _session, callback) => callback(answers(535, "5.7.8 wrong")),
      }),
      { tls: "none", login: LOGIN },
      /535 5\.7\.8 wrong; check user and its password$/,
      NEVER,
    ],
    [
      "it cannot check the login for now",
      () => ({
        allowInsecureAuth: true,
        onAuth: (_auth, _session, callback) => callback(answers(454, "4.7.0 no directory")),
      }),
      { tls: "none", login: LOGIN },
      /454 4\.7\.0 no directory$/,
      {},
    ],
    [
      "it offers no login",
      () => ({ disabledCommands: ["AUTH"] }),
      { tls: "none", login: LOGIN },
      /the server offers no login on this connection; remove user/,
      NEVER,
    ],
    [
      "it greets with 421",
      () => ({ onConnect: (_session, callback) => callback(answers(421, "too many")) }),
      {},
      /421 .*too many$/,
      {},
    ],
    [
      "it greets with 554",
      () => ({ onConnect: (_session, callback) => callback(answers(554, "go away")) }),
      {},
      /554 .*go away$/,
      NEVER,
    ],
    [
      "it hangs up instead of a greeting",
      (cut) => ({ onConnect: () => cut() }),
      {},
      /Connection closed unexpectedly$/,
      {},
    ],
    [
      "it hangs up at a recipient",
      (cut) => ({ onRcptTo: () => cut() }),
      {},
      /Connection closed unexpectedly$/,
      {},
    ],
    [
      "it does not answer to a recipient",
      () => ({ onRcptTo: () => {} }),
      { timeout: 300 },
      /no answer in time; check smtp_host, smtp_port and tls, or raise smtp_timeout$/,
      {},
    ],
    [
      "it never greets",
      () => ({ onConnect: () => {} }),
      { timeout: 300 },
      /no answer in time; check smtp_host, smtp_port and tls, or raise smtp_timeout$/,
      {},
    ],
  ];
  test.each(rows)("%s", async (_, options, settings, message, more) => {
    const server = await serve(options);
    const delivery = await channel(server.port, settings).deliver(makeMail(), PATIENTLY);
    const full = new RegExp(`^SMTP 127\\.0\\.0\\.1:${server.port}: .*${message.source}`);
    expect(delivery).toEqual(undeliveredWith(full, more));
    expect(JSON.stringify(delivery)).not.toContain(LOGIN.password);
    expect(server.mails).toEqual([]);
    expect(server.sockets).toHaveLength(1);
    await expect
      .poll(() => server.sockets.every(({ destroyed }) => destroyed), { timeout: PATIENCE })
      .toBe(true);
  });

  test("nobody listens", async () => {
    const { port, close } = await startSmtpServer();
    await close();
    expect(await channel(port).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(/^SMTP 127\.0\.0\.1:\d+: .*ECONNREFUSED.*; check smtp_host, smtp_port/),
    );
  });

  test("the name of the server does not exist", async () => {
    const { error } = await channel(25, { host: "mail.invalid", timeout: 2_000 }).deliver(
      makeMail(),
      PATIENTLY,
    );
    expect(error).toMatchObject({
      message: expect.stringMatching(/^SMTP mail\.invalid:25: .*; check smtp_host/),
      retryable: true,
      scope: "channel",
      mayBeDelivered: false,
    });
  });
});

describe("a mail whose data were sent and not answered may have been delivered", () => {
  const rows: readonly Row[] = [
    [
      "the line is lost after the last dot",
      (cut) => ({ onData: (stream) => void stream.resume().on("end", cut) }),
      {},
      /Connection closed unexpectedly$/,
      {},
    ],
    [
      "no answer to the last dot",
      () => ({ onData: (stream) => void stream.resume() }),
      { timeout: 300 },
      /no answer in time; /,
      {},
    ],
  ];
  test.each(rows)("%s", async (_, options, settings, message) => {
    const server = await serve(options);
    const delivery = await channel(server.port, settings).deliver(makeMail(), PATIENTLY);
    expect(delivery).toEqual(undeliveredWith(message, { mayBeDelivered: true }));
  });

  test("the answer is not one of SMTP", async () => {
    const port = await script("hello there");
    expect(await channel(port, { tls: "none" }).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(/Message failed: hello there$/, {
        mayBeDelivered: true,
        scope: "notification",
      }),
    );
  });

  test("but not if the line is lost before the server accepts DATA", async () => {
    const port = await script(undefined);
    expect(await channel(port, { tls: "none" }).deliver(makeMail(), PATIENTLY)).toEqual(
      undeliveredWith(/Connection closed unexpectedly$/),
    );
  });
});

/** A server that answers `last` to the data, or hangs up at DATA. */
async function script(last: string | undefined): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("220 x\r\n");
    let inData = false;
    socket.on("data", (bytes) => {
      const text = bytes.toString();
      if (inData && text.endsWith("\r\n.\r\n")) socket.end(`${last}\r\n`);
      if (inData) return;
      if (!text.startsWith("DATA")) return void socket.write("250 ok\r\n");
      inData = true;
      if (last === undefined) socket.destroy();
      else socket.write("354 go on\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("the end of the tick's time", () => {
  const STOPPED = /^SMTP 127\.0\.0\.1:\d+: stopped before the server answered: /;

  test("before the delivery: no connection is made", async () => {
    const server = await serve();
    expect(await channel(server.port).deliver(makeMail(), AbortSignal.abort())).toEqual(
      undeliveredWith(STOPPED),
    );
    expect(server.sockets).toEqual([]);
  });

  test.each([
    ["while a recipient is checked", "onRcptTo", false],
    ["while the answer to the data is awaited", "onData", true],
  ])("%s: it ends at once", async (_, at, mayBeDelivered) => {
    const time = new AbortController();
    const server = await serve(() => ({
      ...(at === "onRcptTo" ? { onRcptTo: () => time.abort() } : {}),
      onData: (stream) => void stream.resume().on("end", () => time.abort()),
    }));
    expect(await channel(server.port).deliver(makeMail(), time.signal)).toEqual(
      undeliveredWith(STOPPED, { mayBeDelivered }),
    );
  });
});

describe.skipIf(!hasOpenssl())("a certificate", () => {
  /** Delivers in a process that trusts the authority. Prints the delivery. */
  async function deliver(authority: Authority, settings: Partial<SmtpSettings>) {
    const given = { from: FROM, host: "localhost", login: LOGIN, timeout: PATIENCE, ...settings };
    const { code, stdout, stderr } = await runScript(
      `import { smtpChannel } from ${JSON.stringify(built("channel/smtp_channel.js"))};
       const channel = smtpChannel(${JSON.stringify(given)});
       const mail = ${JSON.stringify(makeMail())};
       console.log(JSON.stringify(await channel.deliver(mail, new AbortController().signal)));`,
      { NODE_EXTRA_CA_CERTS: authority.path },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  }

  test.each(["required", "implicit"] as const)(
    "of a trusted authority, tls %s: the mail goes out with a login, the process ends by itself; not once it has expired",
    async (tls) => {
      const authority = new Authority();
      closing.push(() => authority.remove());
      const start = async (days: number) =>
        await serve(() => ({
          ...authority.issue("DNS:localhost", days),
          secure: tls === "implicit",
          authOptional: false,
          onAuth: ({ username, password }, _session, callback) => {
            const isRight = username === LOGIN.user && password === LOGIN.password;
            callback(isRight ? null : answers(535, "wrong"), { user: username });
          },
        }));
      const good = await start(1);
      const result = await deliver(authority, { tls, port: good.port });
      expect(result).toEqual(delivered(makeMail().recipients, [OWN_ID]));
      expect(good.mails).toMatchObject([{ secure: true, user: LOGIN.user }]);
      const expired = await start(-1);
      expect(await deliver(authority, { tls, port: expired.port })).toEqual(
        undeliveredWith(/certificate has expired; correct the server's certificate/, NEVER),
      );
      expect(expired.mails).toEqual([]);
    },
  );
});
