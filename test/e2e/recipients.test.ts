import { expect, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, insertEntry, only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

const ONE = `export const detect = () => [{ dedupeKey: "k", subject: "K" }];`;

async function insertTeam(
  site: Site,
  name: string,
  content: string,
  archived = false,
): Promise<void> {
  await insertEntry(site, {
    kind: "team",
    name,
    title: name,
    content,
    archived,
    data: { entry_id: `team_${name.slice(1)}` },
    context: "teams",
  });
}

const RESOLVED: readonly {
  readonly name: string;
  readonly given: unknown;
  readonly to: readonly string[];
}[] = [
  { name: "one_text", given: "a@x.org", to: ["a@x.org"] },
  {
    name: "every_separator",
    given: "a@x.org, b@x.org;c@x.org\nd@x.org\te@x.org  f@x.org",
    to: ["a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org", "f@x.org"],
  },
  { name: "list", given: ["a@x.org", "b@x.org"], to: ["a@x.org", "b@x.org"] },
  {
    name: "list_of_typed_texts",
    given: ["a@x.org, @shift"],
    to: ["a@x.org", "One@x.org", "two@x.org", "three@x.org"],
  },
  {
    name: "duplicates",
    given: "A@x.org a@X.org @shift one@x.org",
    to: ["A@x.org", "One@x.org", "two@x.org", "three@x.org"],
  },
  {
    name: "one_mailbox_in_three_forms",
    given: "x@bücher.example, X@xn--bcher-kva.example @german",
    to: ["x@xn--bcher-kva.example"],
  },
];

test("recipients resolve as people type them: separators, lists, teams, duplicates, mistakes", async () => {
  const site = await makeSite();
  await insertTeam(site, "@shift", "One@x.org, two@x.org; three@x.org\nTWO@x.org");
  await insertTeam(site, "@german", "x@BU\u0308CHER.example");
  for (const { name, given } of RESOLVED) {
    site.module(`${name}.js`, ONE);
    await insertAlarm(site, name, { recipients: given });
  }
  expect(await site.tick()).toEqual(QUIET);
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({ errors: 0, notifications_sent: RESOLVED.length });
  const events = await site.entries("event");
  for (const { name, to } of RESOLVED) {
    const mail = only(
      site.mail.mails.filter(({ subject }) => subject.startsWith(`[alarm_${name}]`)),
    );
    expect(mail.to, name).toEqual(to);
    expect(perAlarm(run, `alarm_${name}`).recipients, name).toEqual(to);
    const event = only(events.filter(({ data }) => data.entry_id === `event_${name}`));
    // An array of addresses, never a text: the dashboard joins it.
    expect(event.data.recipients, name).toEqual(to);
  }
});

const NO_TEAM = "does not exist or has no members";
const NO_ADDRESS = "is not an email address; write";
const EXAMPLE = "one such as ann@example.org";

/** What stands beside `a@x.org` in a row, and the error. */
const MISTYPED: readonly (readonly [given: string, says: string])[] = [
  ["ben@example.org.", `"ben@example.org." ${NO_ADDRESS} ben@example.org`],
  ["mailto:ben@example.org", `"mailto:ben@example.org" ${NO_ADDRESS} ben@example.org`],
  ["ben@example.org，", `"ben@example.org，" ${NO_ADDRESS} ben@example.org`],
  ["ben@example.org，amy@example.org", `amy@example.org" ${NO_ADDRESS} ${EXAMPLE}`],
  ["Ben <ben@example>", `"<ben@example>" ${NO_ADDRESS} ${EXAMPLE}`],
  ["ben@@example.org", `"ben@@example.org" ${NO_ADDRESS} ben@example.org`],
  ["ben@example", `"ben@example" ${NO_ADDRESS} ${EXAMPLE}`],
  ["ben at example.org", `"ben" ${NO_ADDRESS} ${EXAMPLE}; "at" ${NO_ADDRESS}`],
  ["“ben@example.org”", `"“ben@example.org”" ${NO_ADDRESS} ben@example.org`],
  ["ben@exam\u200Bple.org", `"ben@exam\\u200bple.org" ${NO_ADDRESS} ben@example.org`],
  ["ben@exa_mple.org", `"ben@exa_mple.org" ${NO_ADDRESS} ${EXAMPLE}`],
  [".ben@example.org", `".ben@example.org" ${NO_ADDRESS} ben@example.org`],
  ["ben..x@example.org", `"ben..x@example.org" ${NO_ADDRESS} ben.x@example.org`],
  ["the-shift", `"the-shift" ${NO_ADDRESS} ${EXAMPLE}`],
  ["@nobody", `team @nobody ${NO_TEAM}`],
  ["@Shift", `team @Shift ${NO_TEAM} (did you mean "@shift"?)`],
  ["@gone", `team @gone ${NO_TEAM}`],
  ["@empty", `team @empty ${NO_TEAM}`],
  ["@nested", `"@shift" ${NO_ADDRESS} ${EXAMPLE} in @nested`],
  ["@typo", `"one@x.org." ${NO_ADDRESS} one@x.org in @typo`],
];

test("a mistyped recipient is an error of its alarm in every tick, and the others get the mail", async () => {
  const site = await makeSite();
  await insertTeam(site, "@shift", "one@x.org");
  await insertTeam(site, "@gone", "gone@x.org", true);
  await insertTeam(site, "@empty", " \n ");
  await insertTeam(site, "@nested", "@shift");
  await insertTeam(site, "@typo", "one@x.org.");
  for (const [index, [given]] of MISTYPED.entries()) {
    site.module(`m${index}.js`, ONE);
    await insertAlarm(site, `m${index}`, { recipients: `a@x.org ${given}` });
  }
  site.module("off.js", ONE);
  await insertAlarm(site, "off", { recipients: "ben@example", enabled: false });
  for (let tick = 0; tick < 2; tick++) {
    const { code, stderr } = await site.tick();
    expect(code).toBe(1);
    const errors = new Map(
      stderr.split("\n").map((line) => [/^swf-alarms: (m\d+): /.exec(line)?.[1], line]),
    );
    for (const [index, [, says]] of MISTYPED.entries())
      expect(errors.get(`m${index}`)).toContain(says);
    expect(stderr).not.toContain("off:");
  }
  const [run] = await site.entries("engine_run");
  expect(perAlarm(run ?? only([]), "alarm_m0")).toMatchObject({ errors: 1, bundle_sent: true });
  for (const [index] of MISTYPED.entries()) {
    const mail = only(
      site.mail.mails.filter(({ subject }) => subject.startsWith(`[alarm_m${index}]`)),
    );
    expect(mail.to).toContain("a@x.org");
  }
  const shown = await site.command(["alarm", "show", "m0"]);
  expect(shown.stdout).toMatch(
    /^state +ready; "ben@example\.org\." is not an email address; write/m,
  );
  const status = await site.command(["status"]);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain("m0 is failing");
  expect(status.stdout).toMatch(/^m0 +failing .*"ben@example\.org\." is not an email address/m);

  await site.query(
    `UPDATE entry SET data = jsonb_set(data, '{recipients}', '"a@x.org"') WHERE kind = 'alarm'`,
  );
  expect(await site.tick()).toEqual(QUIET);
  expect((await site.command(["status"])).code).toBe(0);
});

test("alarm set, team set and [email] refuse what is an error in a row, in the same words", async () => {
  const site = await makeSite();
  await insertTeam(site, "@shift", "one@x.org");
  site.module("k.js", ONE);
  await insertAlarm(site, "k");
  for (const [given, says] of MISTYPED.slice(0, 16).filter(([text]) => text !== "@gone")) {
    const set = await site.command(["alarm", "set", "k", "--recipients", given]);
    if (given.startsWith("@")) {
      expect(set).toMatchObject({ code: 1, stdout: "" });
      continue;
    }
    expect(set.code, given).toBe(2);
    expect(set.stderr).toContain(says.split('; "at')[0]);
    const team = await site.command(["team", "set", "@shift", given]);
    expect(team.code, given).toBe(2);
    expect(team.stderr).toContain(says.split('; "at')[0]);
  }
  for (const empty of ["", ",", " ; "])
    expect((await site.command(["team", "set", "@shift", empty])).code).toBe(2);
  expect((await site.command(["team", "set", "@shift", "@shift"])).stderr).toContain("do not nest");
  const { stdout } = await site.command(["team", "list"]);
  expect(stdout).toContain("one@x.org");
  for (const [key, value] of [
    ["operators", ["ben@example.org."]],
    ["operators", ["ben@example"]],
    ["from", "alarms@example.org."],
    ["from", "alarms@exa_mple.org"],
  ] as const) {
    site.configure({
      mail: "none",
      more: `[email]\nprovider = "file"\n${key} = ${JSON.stringify(value)}`,
    });
    const { code, stderr } = await site.tick();
    expect(code).toBe(2);
    expect(stderr).toContain(`email.${key}: must be`);
  }
});

test("wrong operators are an error of every tick, and the others get the mail", async () => {
  const site = await makeSite();
  await insertTeam(site, "@shift", "one@x.org.");
  site.configure({ more: 'operators = ["ops@x.org", "@nobody", "@shift"]' });
  expect((await site.tick()).stderr).toBe(
    `swf-alarms: engine: [email] operators: team @nobody ${NO_TEAM}; [email] operators: "one@x.org." ${NO_ADDRESS} one@x.org in @shift\n`,
  );
  expect(only(site.mail.mails).to).toEqual(["ops@x.org"]);
});

test("a team in use is removed only with --force, which says who still names it", async () => {
  const site = await makeSite();
  site.configure({ more: 'operators = ["@both"]' });
  for (const name of ["@shift", "@both", "@idle"]) await insertTeam(site, name, "one@x.org");
  await insertAlarm(site, "a", { recipients: ["x@x.org, @shift"], enabled: false });
  await insertAlarm(site, "b", { recipients: "@shift @both" });
  await insertAlarm(site, "old", { recipients: "@idle @shift" }, { archived: true });
  const remove = async (...args: string[]) => await site.command(["team", "remove", ...args]);
  expect(await remove("@shift")).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "swf-alarms: did not remove @shift: it is used by the alarm a, the alarm b; change their recipients first, or add --force\n",
  });
  expect((await remove("@both")).stderr).toContain("the alarm b, [email] operators");
  expect((await site.command(["team", "list"])).stdout).toContain("@shift");
  expect(await remove("@idle")).toEqual({
    code: 0,
    stdout: "removed @idle\nthe archived alarm old still names it\n",
    stderr: "",
  });
  expect(await remove("@shift", "--force")).toEqual({
    code: 0,
    stdout:
      "removed @shift\nthe alarm a still names it\nthe alarm b still names it\nthe archived alarm old still names it\n",
    stderr: "",
  });
  expect((await remove("@shift", "--force")).stderr).toContain('there is no team "@shift"');
});

test.for([
  { name: "nobody at all", given: "" },
  { name: "an empty list", given: [] },
  { name: "nothing", given: null },
])(
  "with $name to mail, the bundle is held with a reason, is no error, and goes out when somebody is named",
  async ({ given }) => {
    const site = await makeSite();
    site.module("k.js", ONE);
    await insertAlarm(site, "k", { recipients: given });
    expect(await site.tick()).toEqual(QUIET);
    const run = only(await site.entries("engine_run"));
    expect(runData(run)).toMatchObject({ errors: 0, error_details: "", notifications_sent: 0 });
    expect(perAlarm(run, "alarm_k")).toMatchObject({
      errors: 0,
      bundle_new: 1,
      bundle_sent: false,
      recipients: [],
    });
    expect(perAlarm(run, "alarm_k").error_message).toContain("no recipients");
    const event = only(await site.entries("event"));
    expect(event.data.recipients).toEqual([]);
    expect(event.data).not.toHaveProperty("last_notified");
    expect(await site.entries("notification")).toEqual([]);

    await insertTeam(site, "@shift", "a@x.org");
    await site.query(
      `UPDATE entry SET data = jsonb_set(data, '{recipients}', '"@shift"') WHERE kind = 'alarm'`,
    );
    expect(await site.tick()).toEqual(QUIET);
    expect(only(site.mail.mails)).toMatchObject({
      to: ["a@x.org"],
      subject: "[alarm_k] 1 detection(s), 0 new, 1 continuing: K",
    });
  },
);

test.for([
  [{ to: "a@x.org" }, '"{\\"to\\":\\"a@x.org\\"}" is not an email address'],
  ["@nobody", `team @nobody ${NO_TEAM}`],
  ["shift", `"shift" ${NO_ADDRESS} ${EXAMPLE}`],
])(
  "with nobody to mail because of %j, the event is recorded and mailed later",
  async ([given, says]) => {
    const site = await makeSite();
    site.module("k.js", ONE);
    await insertAlarm(site, "k", { recipients: given });
    const result = await site.tick();
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain(`swf-alarms: k: ${says}`);
    expect(perAlarm(only(await site.entries("engine_run")), "alarm_k").error_message).toMatch(
      /is not an email|does not exist.*; no recipients; mail not sent$/,
    );
    expect(await site.entries("event")).toHaveLength(1);
    await site.command(["alarm", "set", "k", "--recipients", "a@x.org"]);
    expect(await site.tick()).toEqual(QUIET);
    expect(only(site.mail.mails).to).toEqual(["a@x.org"]);
  },
);
