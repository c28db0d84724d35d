import { userInfo } from "node:os";
import { expect, test } from "vitest";
import { at, only, readEntries } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

async function site(database: "postgres" | "embedded" = "postgres"): Promise<Site> {
  const made = await makeSite({ database });
  made.module(
    "limited.js",
    `export const TITLE = "Limited things";
export const DESCRIPTION = "Ask the shift.";
export const PARAMS = {
  limit: { type: "number", required: true, min: 0, max: 1, description: "share from which it fires" },
  hosts: { type: "list", default: ["a", "b"], description: "which hosts" },
  mode: { type: "string", choices: ["soft", "hard"], description: "how hard" },
};
export const detect = (client, { limit, hosts }) => hosts.map((host) => ({ dedupeKey: host, subject: host + " is over " + limit, body: "line one\\nline two", data: { share: 0.5 } }));`,
  );
  return made;
}

async function ok(made: Site, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await made.command(args);
  expect({ code, stderr }, args.join(" ")).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function okJson(made: Site, ...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await ok(made, ...args, "--json"));
}

test("an alarm from its module to its first mail, by commands alone", async () => {
  const made = await site();
  expect(await ok(made, "run", "list")).toBe("no tick has run yet\n");
  expect(await okJson(made, "event", "list")).toEqual({ version: 1, total: 0, events: [] });
  expect(await ok(made, "alarm", "list")).toMatch(
    /^limited +off +0 +- +not configured: parameter limit has no value$/m,
  );
  expect(await ok(made, "alarm", "show", "limited")).toContain(
    "none yet; the next tick creates it",
  );

  expect(
    await ok(
      made,
      "team",
      "set",
      "@shift",
      "one@example.org,two@example.org",
      "three@example.org",
      "--title",
      "The shift",
    ),
  ).toContain("@shift");
  const members = ["one@example.org", "two@example.org", "three@example.org"];
  expect(await okJson(made, "team", "list")).toEqual({
    version: 1,
    teams: [{ team: "@shift", title: "The shift", members }],
  });
  expect(await ok(made, "team", "list")).toMatch(
    /^@shift +The shift +one@example\.org two@example\.org three@example\.org$/m,
  );

  await ok(
    made,
    "alarm",
    "set",
    "limited",
    "--param",
    "limit=0.25",
    "mode=soft",
    "--recipients",
    "@shift",
    "extra@example.org",
    "--mail",
    "on",
    "--renotify",
    "12",
    "--title",
    "My things",
  );
  expect(await okJson(made, "alarm", "show", "alarm_limited")).toMatchObject({
    alarm: "limited",
    entry_id: "alarm_limited",
    title: "My things",
    description: "Ask the shift.",
    state: "ready",
    enabled: true,
    recipients: ["@shift", "extra@example.org"],
    renotification_window_hours: 12,
    params: [
      {
        name: "limit",
        type: "number",
        required: true,
        min: 0,
        max: 1,
        description: "share from which it fires",
        value: 0.25,
        from: "row",
      },
      { name: "hosts", value: ["a", "b"] },
      { name: "mode", choices: ["soft", "hard"], value: "soft", from: "row" },
    ],
    events: [],
  });

  expect(await ok(made, "run")).toBe("");
  expect(only(made.mail.mails)).toMatchObject({
    subject: "[alarm_limited] 2 detection(s), 2 new, 0 continuing: a is over 0.25",
    to: ["one@example.org", "two@example.org", "three@example.org", "extra@example.org"],
  });
  expect(await ok(made, "alarm", "list")).toMatch(
    /^limited +on +2 +@shift extra@example\.org +ready$/m,
  );
  expect(await ok(made, "event", "list")).toMatch(
    /^limited +a +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC +firing +\d{4}-.* UTC +a is over 0\.25$/m,
  );
  const shown = await ok(made, "alarm", "show", "limited");
  for (const part of [
    "My things",
    "Ask the shift.",
    "every 12 h while it fires",
    "active events (2):",
    "b is over 0.25",
    "limit",
    "0.25",
  ])
    expect(shown).toContain(part);
  const run = await okJson(made, "run", "list");
  expect(run).toMatchObject({
    total: 1,
    runs: [
      {
        state: "finished",
        alarms_run: 1,
        detected: 2,
        notifications_sent: 1,
        error_count: 0,
        errors: [],
        alarms: [
          { alarm: "engine" },
          { alarm: "limited", detected: 2, error: null, reason: "due" },
        ],
      },
    ],
  });
  expect(await ok(made, "run", "list")).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC +\d+\.\d s +1 +2 +1 +0$/m,
  );
});

test("the same on the embedded database, as on a site without anything else", async () => {
  const made = await site("embedded");
  await ok(made, "team", "set", "shift", "one@example.org");
  await ok(made, "alarm", "set", "limited", "--param", "limit=0.25", "--recipients", "@shift");
  await ok(made, "alarm", "set", "limited", "--mail", "on");
  expect(await ok(made, "run")).toBe("");
  expect(only(made.mail.mails).to).toEqual(["one@example.org"]);
  expect(await okJson(made, "alarm", "list")).toEqual({
    version: 1,
    notes: [],
    alarms: [
      expect.objectContaining({ alarm: "engine", enabled: true, state: "ready" }),
      {
        alarm: "limited",
        entry_id: "alarm_limited",
        title: "Limited things",
        state: "ready",
        reasons: [],
        enabled: true,
        events_firing: 2,
        recipients: ["@shift"],
        module: `${made.alarmsDir}/limited.js`,
        replaces: [],
      },
    ],
  });
  expect(at(await okJson(made, "event", "list", "--alarm", "limited"), "events")).toHaveLength(2);
  expect(await okJson(made, "run", "list")).toMatchObject({
    runs: [{ notifications_sent: 1, error_count: 0 }],
  });
});

test("alarm set keeps the state before as a version, as the dashboard's editor does", async () => {
  const made = await site();
  await ok(made, "alarm", "set", "limited", "--param", "limit=0.5");
  await ok(made, "alarm", "set", "limited", "--description", "New text.", "--unset", "limit");
  const { versions, alarm } = await made.withDatabase(async (db) => ({
    versions: await db.query("SELECT * FROM entry_version ORDER BY version_num"),
    alarm: only(await readEntries(db, "alarm")),
  }));
  expect(versions).toMatchObject([
    {
      version_num: 1,
      title: "Limited things",
      content: "Ask the shift.",
      entry_id: alarm.id,
      changed_by: `cli:${userInfo().username}`,
    },
    {
      version_num: 2,
      title: "Limited things",
      content: "Ask the shift.",
      entry_id: alarm.id,
      data: { params: { limit: 0.5 } },
    },
  ]);
  expect(alarm).toMatchObject({
    content: "New text.",
    data: {
      entry_id: "alarm_limited",
      enabled: false,
      recipients: [],
      renotification_window_hours: 0,
    },
  });
  expect(alarm.data.params).not.toHaveProperty("limit");
});

test("settings are set, shown in words and as JSON, and taken back", async () => {
  const made = await site("embedded");
  const set = (...args: readonly string[]) => ok(made, "alarm", "set", "limited", ...args);
  const show = () => ok(made, "alarm", "show", "limited");
  const usual = /^mail .*\nrecipients .*\nchannel .*\nrenotified +never: one mail per event$/m;
  expect(await show()).toMatch(usual);

  const rules = ["--severity", "warning", "--settle", "2/3", "--clear-after", "10m"];
  const course = ["--renotify-growth", "2", "--renotify-max-hours", "24", "--renotify-count", "5"];
  await set(...rules, "--notify-clear", "on", "--renotify", "1", ...course);
  const shown = await show();
  expect(shown).toMatch(/^severity +warning\nsettles +after 2 of the last 3 outcomes with it$/m);
  expect(shown).toMatch(/^clears +after .+ without it\nnotify clear on$/m);
  expect(shown).toMatch(
    /^renotified +after 1 h, then each wait 2 times as long, at most 24 h; 5 times, the last marked FINAL$/m,
  );
  expect(await okJson(made, "alarm", "show", "limited")).toMatchObject({
    severity: "warning",
    settle: "2/3",
    clear_after: "10m",
    notify_clear: true,
    renotification_window_hours: 1,
    renotification_growth: 2,
    renotification_max_hours: 24,
    renotification_count: 5,
  });

  expect(await set("--renotify", "0")).toContain(
    "it sends no reminders, so --renotify-growth, --renotify-max-hours, --renotify-count have no effect",
  );
  const off = ["--severity", "none", "--settle", "off", "--clear-after", "off"];
  const none = ["--renotify-growth", "1", "--renotify-max-hours", "off", "--renotify-count", "off"];
  await set(...off, "--notify-clear", "off", ...none);
  expect(await show()).toMatch(usual);
  const { data } = only(await made.withDatabase((db) => readEntries(db, "alarm")));
  expect(data).toMatchObject({ severity: null, settle: null, renotification_count: null });
});

test("alarm set rejects what a tick would reject, and changes nothing", async () => {
  const made = await site();
  for (const [args, says] of [
    [["limited", "--param", "limit=lots"], /limit/],
    [["limited", "--param", "limit=2"], /limit/],
    [["limited", "--param", "limmit=0.1"], /limmit/],
    [["limited", "--param", "limit=0.1", "limit=0.2"], /limit is given twice/],
    [["limited", "--param", "limit=0.1", "--unset", "limit"], /limit is given twice/],
    [
      ["limited", "--param", "mode=9007199254740993"],
      /one of "soft", "hard", found "9007199254740993"/,
    ],
    [["limited", "--param", "hosts=a,b"], /write --param hosts='\["a","b"\]'/],
    [["limited", "--unset", "limmit"], /unknown parameter limmit \(did you mean limit\?\)/],
    [["limited", "--recipients", "nobody"], /"nobody"/],
    [["limited"], /nothing to change/],
  ] as const) {
    const result = await made.command(["alarm", "set", ...args]);
    expect(result, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(says);
    expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
  }
  expect(await made.entries("alarm")).toEqual([]);
});

test("alarm try detects, and writes nothing and mails nobody", async () => {
  const made = await site();
  const tried = await ok(made, "alarm", "try", "limited", "--param", "limit=0.1", 'hosts=["x"]');
  for (const line of ["x: x is over 0.1", "    line one", "    line two", '    data {"share":0.5}'])
    expect(tried.split("\n")).toContain(line);
  expect(tried).toMatch(/outcome complete: 1 detection\(s\) in \d+\.\d\d s; nothing was written/);
  expect(await okJson(made, "alarm", "try", "limited", "--param", "limit=0.1")).toMatchObject({
    alarm: "limited",
    outcome: "complete",
    detections: [{ key: "a" }, { key: "b" }],
  });
  for (const [param, says] of [
    ["limmit=0.1", "unknown parameter limmit (did you mean limit?)"],
    ["limit", 'found "limit"; write name=value'],
    ["limit=lots", 'must be a number, found "lots"'],
  ] as const) {
    const wrong = await made.command(["alarm", "try", "limited", "--param", param]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain(says);
  }
  const unset = await made.command(["alarm", "try", "limited"]);
  expect(unset).toMatchObject({ code: 1, stderr: "" });
  expect(unset.stdout).toContain("not configured: parameter limit has no value");
  const counts = await made.query("SELECT count(*)::int AS n FROM entry");
  expect(counts).toEqual([{ n: 0 }]);
  expect(made.mail.calls).toEqual([]);
});

test("alarm try shows severity, stage, clears and what is wrong with them", async () => {
  const made = await site();
  made.module(
    "levels.js",
    `export const STAGES = ["initial", "final"];
export const detect = () => [
  { dedupeKey: "a", severity: "error", stage: "final" },
  { dedupeKey: "b", severity: "bad" },
  { dedupeKey: "c", clear: "late by 120 s" },
];`,
  );
  const tried = (await ok(made, "alarm", "try", "levels")).split("\n");
  for (const line of ["    severity error, stage final", "c: the module ends it: late by 120 s"])
    expect(tried).toContain(line);
  const note = expect.stringMatching(/^ *"b" has the severity "bad", which does not exist/);
  expect(tried).toContainEqual(note);
  expect(await okJson(made, "alarm", "try", "levels")).toMatchObject({
    notes: [note],
    detections: [
      { key: "a", severity: "error", stage: "final" },
      { key: "b", severity: null, stage: null },
    ],
    clears: [{ key: "c", reason: "late by 120 s" }],
  });
});

test("archiving stops an alarm, and it stays to be seen and started again", async () => {
  const made = await site();
  await ok(made, "alarm", "set", "limited", "--param", "limit=0.5");
  await ok(made, "run");
  await ok(made, "alarm", "set", "limited", "--archive");
  expect(await ok(made, "run")).toBe("");
  expect(await ok(made, "alarm", "list")).toMatch(/^limited .* archived$/m);
  expect(await okJson(made, "run", "list")).toMatchObject({
    runs: [{ alarms_run: 0 }, { alarms_run: 1 }],
  });
  await ok(made, "alarm", "set", "limited", "--unarchive");
  expect(await ok(made, "alarm", "list")).toMatch(/^limited .* ready$/m);
});

test("a team that is removed is gone until it is set again, and its versions stay", async () => {
  const made = await site();
  await ok(made, "team", "set", "shift", "one@example.org");
  await ok(made, "team", "remove", "@shift");
  expect(await ok(made, "team", "list")).toBe("no teams\n");
  const again = await made.command(["team", "remove", "@shift"]);
  expect(again).toEqual({
    code: 1,
    stdout: "",
    stderr: 'swf-alarms: there is no team "@shift"; see: bin/swf-alarms team list\n',
  });
  await ok(made, "team", "set", "shift", "two@example.org");
  const { teams, versions } = await made.withDatabase(async (db) => ({
    teams: await readEntries(db, "team"),
    versions: await db.query("SELECT version_num, content FROM entry_version"),
  }));
  expect(only(teams)).toMatchObject({
    name: "@shift",
    content: "two@example.org",
    archived: false,
    deleted_at: null,
    context_id: "teams",
    data: { entry_id: "team_shift" },
  });
  expect(versions).toEqual([{ version_num: 1, content: "one@example.org" }]);
  const nested = await made.command(["team", "set", "@all", "@shift"]);
  expect(nested).toMatchObject({ code: 2, stdout: "" });
  expect(nested.stderr).toContain("teams do not nest");
});

test("a name that does not exist is exit code 1 and one line", async () => {
  const made = await site();
  for (const args of [
    ["alarm", "show", "nothing"],
    ["alarm", "try", "nothing"],
    ["alarm", "set", "nothing", "--mail", "on"],
  ]) {
    const result = await made.command(args);
    expect(result, args.join(" ")).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(
      /^swf-alarms: there is no alarm "nothing"; see: bin\/swf-alarms alarm list\n$/,
    );
  }
  const path = await made.command(["alarm", "show", "../../etc/passwd"]);
  expect(path).toMatchObject({ code: 1, stdout: "" });
});
