import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventData, perAlarm, runData } from "../support/contract.ts";
import { type ErrorResponse, sesError } from "../support/mail_service.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { filesIn, makeSite, type Site, THINGS } from "../support/site.ts";

const A = { key: "a", subject: "A is wrong", body: "details of A" };

async function siteWithA(): Promise<Site> {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [A];
  return site;
}

const hangUp: ErrorResponse = (response) => response.destroy();
const html: ErrorResponse = (response) => {
  response.writeHead(502, { "content-type": "text/html" });
  response.end("<html><title>Bad gateway</title></html>");
};
const jsonInstead: ErrorResponse = (response) => {
  response.writeHead(403, { "content-type": "application/json" });
  response.end('{"message":"Missing Authentication Token"}');
};
const loginPage: ErrorResponse = (response) => {
  response.writeHead(200, { "content-type": "text/html" });
  response.end("<html><title>Log in</title></html>");
};

test.for([
  {
    name: "an endpoint that hangs up",
    rejection: hangUp,
    retryable: true,
    says: /mail not sent: SES\b/,
  },
  {
    name: "status 500",
    rejection: sesError("InternalFailure", 500),
    retryable: true,
    says: /mail not sent: SES InternalFailure/,
  },
  {
    name: "throttling",
    rejection: sesError("Throttling", 400),
    retryable: true,
    says: /mail not sent: SES Throttling/,
  },
  {
    name: "a gateway's HTML page",
    rejection: html,
    retryable: true,
    says: /mail not sent: SES: .*502/,
  },
  {
    name: "an API gateway's JSON",
    rejection: jsonInstead,
    retryable: false,
    says: /mail not sent: SES: .*403/,
  },
  {
    name: "a login page with status 200",
    rejection: loginPage,
    retryable: true,
    says: /mail not sent: SES\b/,
  },
  {
    name: "a rejected message",
    rejection: sesError("MessageRejected", 400),
    retryable: false,
    says: /mail not sent: SES MessageRejected: Email address is not verified\. \(refused: ops@example\.org\)/,
  },
  {
    name: "a rejected sender",
    rejection: sesError(
      "MessageRejected",
      400,
      "Email address is not verified. The following identities failed the check in region US-EAST-1: alarms@example.org",
    ),
    retryable: false,
    says: /mail not sent: SES MessageRejected: Email address is not verified\..*alarms@example\.org/,
  },
  {
    name: "a mail that is too large in every form",
    rejection: (response) => response.writeHead(413).end(),
    retryable: false,
    says: /mail not sent: SES: .*413/,
  },
])(
  "$name is a failed attempt on record, and the next tick mails what is unsent",
  async ({ rejection, retryable, says }) => {
    const site = await siteWithA();
    site.mail.refuse = () => rejection;
    const failed = await site.tick();
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/^swf-alarms: things: mail not sent: [^\n]*\n$/);
    expect(failed.stderr).toMatch(says);
    expect(failed.stderr).toContain(
      retryable ? "the next tick tries again" : "fix the cause; every tick tries again",
    );

    const event = only(await site.entries("event"));
    expect(eventData(event)).not.toHaveProperty("last_notified");
    const run = only(await site.entries("engine_run"));
    expect(runData(run)).toMatchObject({ alarms_seen: 1, notifications_sent: 0, errors: 1 });
    expect(runData(run).error_details).toMatch(says);
    expect(perAlarm(run, "alarm_things")).toMatchObject({
      alarms_seen: 1,
      errors: 1,
      bundle_new: 1,
      bundle_sent: false,
      bundle_subject: "[alarm_things] 1 detection(s), 1 new, 0 continuing",
    });
    expect(perAlarm(run, "alarm_things").error_message).toMatch(says);
    const attempt = only(await site.entries("notification"));
    expect(attempt.status).toBe("active");
    expect(attempt.data).toMatchObject({
      outcome: "failed",
      retryable,
      message_ids: [],
      recipients: ["ops@example.org"],
      new_event_ids: [event.id],
    });
    expect(attempt.data.error).toMatch(/^SES\b[^\n]*$/);

    site.mail.refuse = undefined;
    expect(await site.tick()).toEqual(QUIET);
    const mail = only(site.mail.mails);
    expect(mail.subject).toBe("[alarm_things] 1 detection(s), 1 new, 0 continuing: A is wrong");
    expect(mail.text).toContain("A is wrong");
    expect(mail.text).toContain("details of A");
    const again = only(await site.entries("notification"));
    expect(again).toMatchObject({ id: attempt.id, title: mail.subject, status: "done" });
    expect(again.data).toMatchObject({
      outcome: "delivered",
      attempts: 2,
      message_ids: [mail.messageId],
      new_event_ids: [event.id],
      continuing_event_ids: [],
    });
    expect(eventData(only(await site.entries("event"))).last_notified).toBeDefined();

    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails).toHaveLength(1);
  },
);

test("an SES error that no waiting cures promises none, says what to do, and the mail goes out once it is cured", async () => {
  const site = await siteWithA();
  const credentials = "check the AWS credentials";
  const console = "correct it in the SES console";
  for (const [code, status, remedy] of [
    ["ExpiredToken", 403, "renew the AWS credentials, or correct this host's clock"],
    ["ExpiredTokenException", 400, "renew the AWS credentials, or correct this host's clock"],
    ["RequestExpired", 400, "renew the AWS credentials, or correct this host's clock"],
    ["InvalidClientTokenId", 403, credentials],
    ["SignatureDoesNotMatch", 403, credentials],
    ["IncompleteSignature", 400, credentials],
    ["MissingAuthenticationToken", 403, credentials],
    ["UnrecognizedClientException", 400, credentials],
    ["AccessDenied", 403, "allow it in the AWS policy of these credentials"],
    ["NotAuthorized", 400, "allow it in the AWS policy of these credentials"],
    ["OptInRequired", 403, console],
    // Whatever the status, the code decides.
    ["OptInRequired", 503, console],
    ["SubscriptionRequiredException", 400, console],
    ["AccountSendingPausedException", 400, console],
    ["ConfigurationSetSendingPausedException", 400, console],
    ["MailFromDomainNotVerifiedException", 400, console],
    ["ConfigurationSetDoesNotExist", 400, console],
  ] as const) {
    site.mail.refuse = () => sesError(code, status, "no");
    site.mail.calls.length = 0;
    const { code: exit, stderr } = await site.tick();
    expect(exit).toBe(1);
    expect(stderr).toMatch(
      /^swf-alarms: things: (mail|the mail "[^"]*" \(attempt \d+\)) not sent: SES [^\n]*\n$/,
    );
    expect(stderr).toContain(`: no; ${remedy}; fix the cause; every tick tries again`);
    expect(site.mail.calls, code).toHaveLength(1);
    expect(only(await site.entries("notification")).data).toMatchObject({
      outcome: "failed",
      retryable: false,
    });
  }
  site.mail.refuse = undefined;
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
}, 120_000);

test.for<[string, ErrorResponse]>([
  ["hangs up", hangUp],
  [
    "sends half a response",
    (response) => {
      response.writeHead(200, { "content-type": "text/xml" });
      response.end("<SendRawEmailResponse><SendRawEmailResult><Mess");
    },
  ],
])("a service that %s has one call in a tick, and the next mail says so", async ([, rejection]) => {
  const site = await siteWithA();
  site.mail.refuse = () => rejection;
  expect((await site.tick()).stderr).toMatch(
    /^swf-alarms: things: mail not sent: SES\b[^\n]*; the next tick tries again\n$/,
  );
  expect(site.mail.calls).toHaveLength(1);
  expect(only(await site.entries("notification")).data.may_have_been_sent).toBe(true);
  site.mail.refuse = undefined;
  expect(await site.tick()).toEqual(QUIET);
  expect(only(site.mail.mails).text).toContain("may be a duplicate");
});

test("an endpoint that refuses connections is a failed attempt too", async () => {
  const site = await siteWithA();
  site.configure({ endpoint: "http://127.0.0.1:9" });
  const failed = await site.tick();
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(
    /^swf-alarms: things: mail not sent: SES [^\n]*ECONNREFUSED[^\n]*\n$/,
  );
  expect(only(await site.entries("notification")).data).toMatchObject({
    outcome: "failed",
    retryable: true,
  });
  site.configure({});
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);
});

test("no AWS credentials: the error says what to set, and is not retryable", async () => {
  const site = await siteWithA();
  const failed = await site.command(["run"], {
    env: {
      AWS_ACCESS_KEY_ID: "",
      AWS_SECRET_ACCESS_KEY: "",
      HOME: site.folder,
      AWS_EC2_METADATA_DISABLED: "true",
    },
  });
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(
    /^swf-alarms: [^\n]*CredentialsProviderError[^\n]*set AWS credentials[^\n]*\n$/,
  );
  expect(only(await site.entries("notification")).data).toMatchObject({
    outcome: "failed",
    retryable: false,
  });
  expect(site.mail.calls).toEqual([]);
});

test("one alarm's refused mail does not stop another's", async () => {
  const site = await siteWithA();
  site.module("others.js", THINGS);
  await insertAlarm(site, "others", { recipients: "other@example.org" });
  site.mail.refuse = (call) =>
    call.toString().includes("ops%40example.org") ? sesError("MessageRejected", 400) : undefined;
  expect((await site.tick()).code).toBe(1);
  expect(only(site.mail.mails).to).toEqual(["other@example.org"]);
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({ errors: 1, notifications_sent: 1 });
  expect(perAlarm(run, "alarm_others")).toMatchObject({
    errors: 0,
    bundle_sent: true,
    error_message: "",
  });
  expect(perAlarm(run, "alarm_things")).toMatchObject({ errors: 1, bundle_sent: false });
});

test("a bundle of hundreds lists the first hundred and counts the rest", async () => {
  const site = await siteWithA();
  site.things = Array.from({ length: 350 }, (_, index) => ({
    key: `k${index}`,
    subject: `Thing <${index}> & co: https://h.example/?a=${index}&b=2.`,
  }));
  expect(await site.tick()).toEqual(QUIET);
  const mail = only(site.mail.mails);
  expect(mail.subject).toBe(
    "[alarm_things] 350 detection(s), 350 new, 0 continuing: Thing <0> & co: https://h.example/?a=0&b=2.",
  );
  expect(mail.text.match(/Thing </g)).toHaveLength(100);
  expect(mail.text).toContain("Thing <99> & co");
  expect(mail.html).toContain(
    'Thing &lt;0&gt; &amp; co: <a href="https://h.example/?a=0&amp;b=2">https://h.example/?a=0&amp;b=2</a>.<',
  );
  expect(mail.html).not.toContain("<0>");
  const more = "and 250 more, not listed here. List what is firing: bin/swf-alarms ";
  for (const part of [mail.text, mail.html]) expect(part).toContain(more);
  const command = mail.text.split(more)[1]?.split("\n")[0] ?? "";
  expect(command).toBe("event list --alarm things --limit 0");
  const listed = await site.command(command.split(" "));
  expect(listed.stdout.match(/Thing </g)).toHaveLength(350);
  const events = await site.entries("event");
  expect(events).toHaveLength(350);
  expect(events.every((event) => eventData(event).last_notified !== undefined)).toBe(true);
});

test("texts from rows and detections cannot write mail headers or HTML of their own", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things", {}, { archived: true });
  await insertAlarm(
    site,
    "x",
    { entry_id: "alarm_x\r\nBcc: evil@example.org", module: "things" },
    { content: "Head <script>alert(1)</script>\r\n.\r\nBcc: evil@example.org" },
  );
  site.things = [
    { key: "a", subject: 'A\r\nBcc: evil@example.org <img src="x">', body: "</pre><b>bold</b>" },
  ];
  expect(await site.tick()).toEqual(QUIET);
  const mail = only(site.mail.mails);
  expect(mail.subject).not.toMatch(/[\r\n]/);
  expect(mail.to).toEqual(["ops@example.org"]);
  expect(mail.html).not.toMatch(/<script|<img|<b>|<\/pre><b/);
  expect(mail.html).toContain("&lt;script&gt;");
  expect(only(await site.entries("event")).title).not.toMatch(/[\r\n]/);
});

test("with no [email] everything is recorded, the run says why no mail was sent, and it is not an error", async () => {
  const site = await siteWithA();
  site.configure({ mail: "none" });
  expect(await site.tick()).toEqual(QUIET);
  const run = only(await site.entries("engine_run"));
  expect(perAlarm(run, "alarm_things")).toMatchObject({
    errors: 0,
    bundle_new: 1,
    bundle_sent: false,
  });
  expect(perAlarm(run, "alarm_things").error_message).toContain("[email] is not configured");
  expect(await site.entries("notification")).toEqual([]);
  site.configure({});
  expect(await site.tick()).toEqual(QUIET);
  expect(only(site.mail.mails).subject).toBe(
    "[alarm_things] 1 detection(s), 0 new, 1 continuing: A is wrong",
  );
});

test("mail to a folder is one .eml file for each bundle, and a folder that cannot be written is an error", async () => {
  const site = await siteWithA();
  site.configure({ mail: "file" });
  writeFileSync(join(site.folder, "outbox"), "in the way");
  const failed = await site.tick();
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(/^swf-alarms: things: mail not sent: [^\n]*outbox[^\n]*\n$/);
  expect(only(await site.entries("notification")).data).toMatchObject({
    channel: "email",
    type: "file",
    outcome: "failed",
  });
  site.configure({ mail: "file" });
  rmSync(join(site.folder, "outbox"));
  expect(await site.tick()).toEqual(QUIET);
  const file = only(filesIn(join(site.folder, "outbox")));
  expect(file).toMatch(/^\d{4}-\d\d-\d\dT\d{6}Z-alarm_things-[0-9a-f]{8}\.eml$/);
  expect(only(await site.entries("notification")).data).toMatchObject({
    outcome: "delivered",
    message_ids: [file],
  });
});
