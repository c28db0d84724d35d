import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { at, changeAlarm, insertAlarm } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

async function json(site: Site, ...args: readonly string[]) {
  const { stdout, stderr } = await site.command([...args, "--json"]);
  expect(stderr, args.join(" ")).toBe("");
  return JSON.parse(stdout);
}

/** Without the minute of the tick. */
function timeless(text: unknown): string {
  return String(text).replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, "TIME");
}

/** By channel and recipients, what `alarm try` or the record of a notification says of it. */
function messageOf(facts: unknown): string {
  const [to, text] = [at(facts, "recipients") ?? at(facts, "to"), timeless(at(facts, "text"))];
  return JSON.stringify([at(facts, "channel"), to, at(facts, "subject"), text]);
}

const ODD = `
export const TITLE = "Odd things";
export const detect = () => [
  { dedupeKey: "a", subject: "a is odd", severity: "error" },
  { dedupeKey: "b", subject: "b is odd", body: "see\\n\\nthere", recipients: ["b@example.org"] },
];
`;

test("alarm try shows each message as the next tick sends it, and then why there is none", async () => {
  const chat = '[channels.chat]\ntype = "command"\ncommand = ["/bin/true"]\n';
  const site = await makeSite({ mail: "file", more: chat });
  site.module("odd.js", ODD);
  await insertAlarm(site, "odd", { channels: ["email", "chat"] });
  const tried = await json(site, "alarm", "try", "odd");
  expect(await site.entries("notification")).toEqual([]);
  expect(await site.entries("event")).toEqual([]);
  await site.tick();
  const { notifications } = await json(site, "notification", "list");
  const sent: unknown[] = [];
  for (const { id } of notifications) sent.push(await json(site, "notification", "show", id));
  expect(sent.length).toBeGreaterThanOrEqual(3);
  expect(tried.messages.map(messageOf).sort()).toEqual(sent.map(messageOf).sort());
  for (const message of tried.messages)
    expect(message).toMatchObject({ notifies: true, reason: null });

  const again = await site.command(["alarm", "try", "odd"]);
  expect(again).toMatchObject({ code: 0, stderr: "" });
  for (const channel of ["email", "chat"])
    expect(again.stdout.split("\n")).toContain(
      `channel ${channel}: no message: there is nothing to say; 2 event(s): already mailed`,
    );
});

test("alarm try shows the message of an alarm that sends none yet, and what keeps it from that", async () => {
  const site = await makeSite({ mail: "none" });
  site.module("odd.js", ODD.replace('recipients: ["b@example.org"]', ""));
  const fresh = await site.command(["alarm", "try", "odd"]);
  expect(fresh).toMatchObject({ code: 0, stderr: "" });
  const held = /^channel email: a tick would not send this\n(( {2}\S.*\n)*)/m.exec(
    fresh.stdout,
  )?.[1];
  expect(held?.trimEnd().split("\n")).toEqual([
    "  notifications are off; to turn them on, run: bin/swf-alarms alarm set odd --mail on",
    expect.stringMatching(/^ {2}the channel is not configured; to send mail, add \[email\] /),
    "  there are no recipients; to add some, run: bin/swf-alarms alarm set odd --recipients ADDRESS",
  ]);
  expect(fresh.stdout).toContain(
    "    Subject: [alarm_odd] 2 detection(s), 2 new, 0 continuing: ERROR: a is odd\n",
  );
  expect(fresh.stdout).toContain("\n      [2] b is odd\n          see\n\n          there\n");
  expect(fresh.stdout).toContain("\n    Why you get this: the alarm notifies ADDRESS@HOST.\n");
  site.configure({ mail: "file" });
  await insertAlarm(site, "odd", { settle: 3 });
  const settling = await json(site, "alarm", "try", "odd");
  expect(settling.messages).toEqual([
    {
      channel: "email",
      notifies: false,
      reason: expect.stringMatching(/^its detections do not fire yet: not settled: /),
      to: ["ops@example.org"],
      subject: expect.stringContaining("2 new"),
      text: expect.stringContaining("a is odd"),
    },
  ]);
  await changeAlarm(site, "odd", { settle: null, recipients: "" });
  const { messages } = await json(site, "alarm", "try", "odd");
  const nobody =
    "there are no recipients; to add some, run: bin/swf-alarms alarm set odd --recipients ADDRESS";
  expect(messages).toMatchObject([{ notifies: false, reason: nobody, to: [] }]);
  expect(await site.entries("event")).toEqual([]);
});

test("alarm try --at judges at that time, and --timeout ends detect", async () => {
  const site = await makeSite({ mail: "file" });
  site.module(
    "timed.js",
    `export const PARAMS = { waits: { type: "boolean", default: false, description: "" } };
export async function* detect(client, { waits }) {
  client.remember({ seen: client.now });
  yield { dedupeKey: "now " + client.now };
  if (waits) await new Promise(() => setInterval(() => {}, 1000));
}`,
  );
  await insertAlarm(site, "timed");
  const time = Date.UTC(2026, 10, 21, 9, 5) / 1000;
  const given = ["--at", "2026-11-21T10:05+01:00"];
  const tried = await json(site, "alarm", "try", "timed", ...given);
  expect(tried).toMatchObject({
    now: "2026-11-21T09:05:00Z",
    outcome: "complete",
    detections: [{ key: `now ${time}` }],
    memory: { bytes: 19, value: { seen: time } },
    messages: [{ text: expect.stringContaining("tick of 2026-11-21 09:05 UTC") }],
  });
  const text = await site.command(["alarm", "try", "timed", ...given]);
  expect(text).toMatchObject({ code: 0, stderr: "" });
  for (const line of [
    "time         2026-11-21 09:05:00 UTC instead of now",
    `memory       19 bytes, not kept now: {"seen":${time}}`,
  ])
    expect(text.stdout.split("\n")).toContain(line);
  const late = await site.command([
    "alarm",
    "try",
    "timed",
    "--param",
    "waits=true",
    "--timeout",
    "2.5",
  ]);
  expect(late).toMatchObject({ code: 1, stderr: "" });
  expect(late.stdout).toMatch(
    /^outcome failed: 1 detection\(s\) in \d+\.\d\d s; nothing was written$/m,
  );
  expect(late.stdout).toMatch(/^ {2}out of time: .*within 2\.5 s/m);
  for (const [args, says] of [
    [["--at", "yesterday"], "write a time such as 12:00"],
    [["--timeout", "0"], "write a number of seconds from 0.1 to 3600, such as 120"],
    [["--timeout", "1e3"], "write a number of seconds"],
  ] as const) {
    const wrong = await site.command(["alarm", "try", "timed", ...args]);
    expect(wrong).toMatchObject({ stdout: "", stderr: expect.stringContaining(says) });
    expect(wrong.code).toBe(2);
  }
});

test("a table is set from a file, shown, and used by every command that takes parameters", async () => {
  const site = await makeSite({ mail: "file" });
  site.module(
    "up.js",
    `export const PARAMS = {
  least: { type: "integer", default: 1, description: "how many" },
  endpoints: { type: "table", required: true, description: "what is watched", columns: {
    url: { type: "string", required: true, description: "where" },
    status: { type: "integer", default: 200, min: 100, description: "what it answers" },
  } },
};
export const detect = (client, { endpoints }) => endpoints.map(({ url, status }) => ({ dedupeKey: url, subject: url + " " + status }));`,
  );
  await insertAlarm(site, "up");
  const file = join(site.folder, "up.toml");
  const write = (text: string) => writeFileSync(file, text);
  const options = ["--param-file", file];
  write('[[endpoints]]\nurl = "/a"\n\n[[endpoints]]\nurl = "/b"\nstatus = 404\n');
  const tried = await json(site, "alarm", "try", "up", ...options, "--param", "least=2");
  expect(tried.detections).toMatchObject([{ subject: "/a 200" }, { subject: "/b 404" }]);
  const plan = await site.tick("--plan", "--alarm", "up", ...options);
  expect(plan.stdout).toContain(
    "up: outcome complete, 2 detected\n  open   /a: newly detected: /a 200\n",
  );
  const whyNot = await json(site, "why-not", "up", "/b", ...options);
  expect(whyNot).toMatchObject({ detected: true, subject: "/b 404" });
  expect((await json(site, "alarm", "show", "up")).state).toBe("not configured");

  expect(await site.command(["alarm", "set", "up", ...options])).toMatchObject({
    code: 0,
    stderr: "",
  });
  const [row] = await site.entries("alarm");
  expect(at(row?.data, "params")).toEqual({
    endpoints: [{ url: "/a" }, { url: "/b", status: 404 }],
  });
  const shown = await site.command(["alarm", "show", "up"]);
  const [, table] = /^(PARAMETER[\s\S]*?)\n\nactive events/m.exec(shown.stdout) ?? [];
  expect(table?.split("\n")).toEqual([
    "PARAMETER  VALUE     FROM     TYPE     DESCRIPTION",
    "least      1         default  integer  how many",
    "endpoints  2 row(s)  row      table    what is watched",
    "",
    "COLUMN            DEFAULT            TYPE           DESCRIPTION",
    "endpoints.url     -        REQUIRED  string         where",
    "endpoints.status  200      optional  integer ≥ 100  what it answers",
    "",
    "endpoints     url   status",
    'endpoints[0]  "/a"  200',
    'endpoints[1]  "/b"  404',
  ]);
  expect((await json(site, "alarm", "show", "up")).params[1]).toEqual({
    name: "endpoints",
    type: "table",
    required: true,
    description: "what is watched",
    columns: [
      { name: "url", type: "string", required: true, description: "where" },
      { name: "status", type: "integer", default: 200, min: 100, description: "what it answers" },
    ],
    value: [{ url: "/a" }, { url: "/b", status: 404 }],
    from: "row",
  });
  expect((await site.tick()).code).toBe(0);

  write('[[endpoints]]\nurl = "/c"\nstats = 1\n');
  for (const command of [
    ["alarm", "set", "up"],
    ["alarm", "try", "up"],
    ["run", "--plan", "--alarm", "up"],
    ["why-not", "up", "/a"],
  ]) {
    const wrong = await site.command([...command, ...options]);
    expect(wrong, command.join(" ")).toEqual({
      code: 2,
      stdout: "",
      stderr: `swf-alarms: ${file}: parameter endpoints[0]: unknown column stats (did you mean status?)\n`,
    });
  }
  write("");
  const nothing = await site.command(["alarm", "set", "up", ...options]);
  expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining("nothing to change") });
});
