import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { dribble, type FaultyServer, startFaultyServer } from "../support/faulty_server.ts";
import { type MailService, startMailService } from "../support/mail_service.ts";
import { makeMail } from "../support/mails.ts";
import { isRunning } from "../support/process.ts";
import { built, runScript } from "../support/script.ts";

/** Long enough for every step that works; what hangs here hangs for ever. */
const TIMES = { credentials: 2_000, connect: 2_000, response: 10_000, retryDelay: 1 };
const KEYS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
const LATE = expect.stringMatching(/^SES: no AWS credentials: none within 2 s; check /);

/** What one test has for itself: several run at the same time. */
interface Place {
  readonly home: string;
  readonly service: MailService;
  /** A service that takes requests and never answers. */
  readonly mute: FaultyServer;
  write(name: string, text: string, mode?: number): string;
  profile(...lines: readonly string[]): string;
}

async function makePlace({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<Place> {
  const home = mkdtempSync(join(tmpdir(), "swf-alarms-aws-"));
  mkdirSync(join(home, ".aws/sso/cache"), { recursive: true });
  const service = await startMailService();
  const mute = await startFaultyServer(() => {});
  onTestFinished(async () => {
    await Promise.all([service.close(), mute.close()]);
    rmSync(home, { recursive: true, force: true });
  });
  const write = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(join(home, name), text, { mode });
    return join(home, name);
  };
  const profile = (...lines: readonly string[]) =>
    write(".aws/config", ["[default]", "region = us-east-1", ...lines, ""].join("\n"));
  return { home, service, mute, write, profile };
}

interface Setting {
  readonly env?: { readonly [name: string]: string };
  readonly endpoint?: string;
  /** Milliseconds until the tick's time is up. */
  readonly tick?: number;
  /** Milliseconds that the process goes on: the SDK tries its next providers. */
  readonly linger?: number;
}

/** Delivers one mail in a process of its own. */
async function deliver(
  { home, service }: Place,
  { env = {}, endpoint = service.url, tick, linger = 0 }: Setting,
) {
  const settings = { from: "alarms@host.example", region: "us-east-1", endpoint };
  const end = tick === undefined ? "new AbortController().signal" : `AbortSignal.timeout(${tick})`;
  const { code, stdout, stderr } = await runScript(
    `
      import { sesChannel } from ${JSON.stringify(built("channel/ses_channel.js"))};
      const channel = sesChannel(${JSON.stringify(settings)}, console.log, ${JSON.stringify(TIMES)});
      const { confirmed, error } = await channel.deliver(${JSON.stringify(makeMail())}, ${end});
      console.log(JSON.stringify({ confirmed: confirmed.length, error }));
      await new Promise((resolve) => setTimeout(resolve, ${linger}));
      process.exit(0);
    `,
    { HOME: home, AWS_EC2_METADATA_DISABLED: "true", ...env },
  );
  // The SDK's reader of the container endpoint writes this where it is slow.
  const others = stderr.split("\n").filter((line) => !line.includes("1000 ms requestTimeout"));
  expect({ code, stderr: others.join("") }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

function notSent(message: unknown) {
  return {
    confirmed: 0,
    error: { message, retryable: true, scope: "channel", mayBeDelivered: false },
  };
}

/** Puts `mute` in place of a service that answers. */
const HANGING: readonly [string, (place: Place) => Setting][] = [
  [
    "a credential_process",
    ({ profile }) => {
      profile("credential_process = sleep 1000");
      return {};
    },
  ],
  [
    "a credential_process that prints for ever",
    ({ profile }) => {
      profile("credential_process = yes '{' | head -c 1000; sleep 1000");
      return {};
    },
  ],
  [
    "a container endpoint",
    ({ mute }) => ({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${mute.url}/credentials` } }),
  ],
  [
    "STS for a role of a profile",
    ({ mute, profile, write }) => {
      profile("role_arn = arn:aws:iam::123456789012:role/mail", "source_profile = base");
      write(".aws/credentials", "[base]\naws_access_key_id = test\naws_secret_access_key = test\n");
      return { env: { AWS_ENDPOINT_URL_STS: mute.url } };
    },
  ],
  [
    "STS for a web identity",
    ({ mute, write }) => ({
      env: {
        AWS_WEB_IDENTITY_TOKEN_FILE: write("token", "token"),
        AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/mail",
        AWS_ENDPOINT_URL_STS: mute.url,
        AWS_REGION: "us-east-1",
      },
    }),
  ],
  [
    "SSO",
    ({ mute, profile, write }) => {
      const start = "https://sso.example/start";
      profile(
        `sso_start_url = ${start}`,
        "sso_region = us-east-1",
        "sso_account_id = 123456789012",
        "sso_role_name = mail",
      );
      // The SHA-1 of the URL names the file.
      const hash = execFileSync("sha1sum", { input: start }).toString().slice(0, 40);
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      write(`.aws/sso/cache/${hash}.json`, JSON.stringify({ accessToken: "t", expiresAt }));
      return { env: { AWS_ENDPOINT_URL_SSO: mute.url } };
    },
  ],
];

// These and those that follow, at the same time: each waits until its limit is over.
describe.concurrent("a connection that is never complete", () => {
  const CONNECT = expect.stringMatching(/^SES: no connection within 10 s$/);
  test.for([
    ["a TLS handshake without an answer", {}, CONNECT, true],
    [
      "a TLS handshake that ends at once",
      { onConnect: (socket: { destroy(): void }) => socket.destroy() },
      expect.stringMatching(/^SES TimeoutError: /),
      true,
    ],
    [
      "a service that does not speak TLS",
      { onConnect: (socket: { write(text: string): void }) => socket.write("220 mail ESMTP\r\n") },
      expect.stringMatching(/^SES Error: .*; check \[email\] endpoint/),
      false,
    ],
  ] as const)("%s: surely nothing was sent", async ([, options, message, retryable], context) => {
    const place = await makePlace(context);
    const server = await startFaultyServer(() => {}, options);
    const endpoint = server.url.replace("http:", "https:");
    const { error, ...rest } = notSent(message);
    expect(await deliver(place, { env: KEYS, endpoint })).toEqual({
      ...rest,
      error: { ...error, retryable },
    });
    expect(await deliver(place, { env: KEYS, endpoint, tick: 500 })).toMatchObject({
      error: { mayBeDelivered: false },
    });
    await server.close();
  });
});

describe.concurrent("credentials that never come", () => {
  test.for(HANGING)(
    "%s: the mail fails within its limit and was surely not sent",
    async ([, make], context) => {
      const place = await makePlace(context);
      expect(await deliver(place, make(place))).toEqual(notSent(LATE));
      expect(place.service.calls).toEqual([]);
    },
  );

  test.for(HANGING)("%s: the end of the tick ends the wait", async ([, make], context) => {
    const place = await makePlace(context);
    const cut = { ...make(place), tick: 500 };
    expect(await deliver(place, cut)).toEqual(
      notSent(expect.stringMatching(/^SES: stopped before the call: /)),
    );
  });

  test("an answer that comes byte by byte is late as well", async (context) => {
    const slow = await startFaultyServer(
      dribble("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\n \r\n"),
    );
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${slow.url}/` };
    expect(await deliver(await makePlace(context), { env })).toEqual(notSent(LATE));
    await slow.close();
  });

  test("a mute instance metadata endpoint is no reason to wait either", async (context) => {
    const place = await makePlace(context);
    const env = {
      AWS_EC2_METADATA_DISABLED: "false",
      AWS_EC2_METADATA_SERVICE_ENDPOINT: place.mute.url,
    };
    expect(await deliver(place, { env })).toMatchObject({
      confirmed: 0,
      error: { message: expect.stringMatching(/^SES: no AWS credentials/), mayBeDelivered: false },
    });
    expect(place.service.calls).toEqual([]);
  });
});

describe("a credential_process that never ends", () => {
  test.for([
    [
      "the process",
      ({ home }: Place) =>
        `credential_process = sh -c "echo \\$\\$ >> ${home}/pids; exec sleep 1000"`,
    ],
    [
      "what a script of it has started",
      ({ home, write }: Place) => {
        const script = write(
          "helper",
          `#!/bin/sh\ntrap '' TERM\necho $$ >> ${home}/pids\nsleep 1000 & echo $! >> ${home}/pids\nwait\n`,
          0o700,
        );
        return `credential_process = ${script}; true`;
      },
    ],
  ] as const)("no process is left behind: %s", async ([, line], context) => {
    const place = await makePlace(context);
    place.profile(line(place));
    expect(await deliver(place, { linger: 500 })).toEqual(notSent(LATE));
    const started = readFileSync(join(place.home, "pids"), "utf8").trim().split("\n");
    expect(started.length).toBeGreaterThan(0);
    await expect.poll(() => started.filter((pid) => isRunning(pid))).toEqual([]);
  });
});

describe("credentials that cannot be had", () => {
  test.for([
    [
      "STS answers with a page of a gateway",
      "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno",
      /^SES: no AWS credentials: invalid response \(status 502/,
    ],
    [
      "STS refuses in the words of an address error",
      'HTTP/1.1 400 Bad Request\r\ncontent-type: text/xml\r\nconnection: close\r\n\r\n<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Code>InvalidParameterValue</Code><Message>no</Message></Error></ErrorResponse>',
      /^SES: no AWS credentials: InvalidParameterValue: no/,
    ],
    ["STS hangs up", "", /^SES: no AWS credentials: /],
  ] as const)(
    "nothing was sent, and it is the channel's error: %s",
    async ([, response, message], context) => {
      const place = await makePlace(context);
      const sts = await startFaultyServer((socket) => socket.end(response));
      place.profile("role_arn = arn:aws:iam::123456789012:role/mail", "source_profile = base");
      place.write(
        ".aws/credentials",
        "[base]\naws_access_key_id = test\naws_secret_access_key = test\n",
      );
      expect(await deliver(place, { env: { AWS_ENDPOINT_URL_STS: sts.url } })).toMatchObject({
        confirmed: 0,
        error: { message: expect.stringMatching(message), scope: "channel", mayBeDelivered: false },
      });
      expect(place.service.calls).toEqual([]);
      await sts.close();
    },
  );

  test("credentials that come in time send the mail", async (context) => {
    const place = await makePlace(context);
    const script = place.write(
      "helper",
      '#!/bin/sh\nsleep 0.1\necho \'{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"}\'\n',
      0o700,
    );
    place.profile(`credential_process = ${script}`);
    expect(await deliver(place, {})).toEqual({ confirmed: 1 });
    expect(place.service.mails).toHaveLength(1);
  });
});
