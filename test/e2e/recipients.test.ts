import { expect, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { QUIET } from "../support/quiet.ts";
import { at, insertAlarm, insertEntry, only } from "../support/rows.ts";
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
  { name: "unknown_team_beside_an_address", given: "@nobody a@x.org", to: ["a@x.org"] },
  { name: "case_of_team_counts", given: "@Shift a@x.org", to: ["a@x.org"] },
  { name: "archived_team", given: "@gone a@x.org", to: ["a@x.org"] },
  { name: "empty_team", given: "@empty a@x.org", to: ["a@x.org"] },
  { name: "teams_do_not_nest", given: "@nested", to: ["z@x.org"] },
  { name: "no_address_among_them", given: "a@x.org, the-shift, b@", to: ["a@x.org"] },
  { name: "with_a_name", given: "Ann Bell <a@x.org>", to: ["a@x.org"] },
];

test("recipients resolve as people type them: separators, lists, teams, duplicates, mistakes", async () => {
  const site = await makeSite();
  await insertTeam(site, "@shift", "One@x.org, two@x.org; three@x.org\nTWO@x.org");
  await insertTeam(site, "@gone", "gone@x.org", true);
  await insertTeam(site, "@empty", " \n ");
  await insertTeam(site, "@nested", "@shift z@x.org");
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
  expect(at(perAlarm(run, "alarm_unknown_team_beside_an_address"), "notes")).toEqual([
    "team @nobody does not exist or has no members",
  ]);
  expect(at(perAlarm(run, "alarm_no_address_among_them"), "notes")).toEqual([
    '"the-shift" is not an email address',
    '"b@" is not an email address',
  ]);
});

test.for([
  { name: "nobody at all", given: "", says: "no recipients" },
  { name: "an empty list", given: [], says: "no recipients" },
  { name: "nothing", given: null, says: "no recipients" },
  { name: "only a team that is not there", given: "@shift", says: "team @shift does not exist" },
  {
    name: "only texts that are no addresses",
    given: "shift",
    says: '"shift" is not an email address',
  },
])(
  "with $name to mail, the bundle is held with a reason, is no error, and goes out when somebody is named",
  async ({ given, says }) => {
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
    expect(perAlarm(run, "alarm_k").error_message).toContain(says);
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
      subject: "[alarm_k] 1 detection(s), 0 new, 1 continuing",
    });
  },
);

test("recipients of a kind that means nothing are an error that says what to write", async () => {
  const site = await makeSite();
  site.module("k.js", ONE);
  await insertAlarm(site, "k", { recipients: { to: "a@x.org" } });
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: k: the row's recipients contain [^\n]*must be a string or a list of strings\n$/,
  );
  expect(await site.entries("event")).toHaveLength(1);
});
