import { expect, test } from "vitest";
import { passTime } from "../golden/golden_ticks.ts";
import { LISTS, QUARANTINED, SOURCES, writeEarlierVersion } from "../support/earlier_version.ts";
import { startHookServer } from "../support/hook_server.ts";
import { json } from "../support/http_server.ts";
import { STILL_THERE, writePreviousVersion } from "../support/previous_version.ts";
import { at } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const SLOW = 240_000;
const FAILS =
  "export const SOURCES = []; export const detect = () => { throw new Error('boom'); };";
const WORKS = "export const SOURCES = []; export const detect = () => [];";
/** What is wrong, by alarm. */
const WRONG = new Map<string, readonly string[]>([
  ["things", ["mailed", "failed"]],
  ["many", ["partial"]],
  ["killed", ["unknown"]],
  ["lost", ["lost"]],
]);

/** The mails of a tick, by recipients: the counts in the subject, and what the text lists. */
async function mailsOfTick(site: Site): Promise<object> {
  const before = site.mail.mails.length;
  await site.tick();
  const mails = site.mail.mails.slice(before).map(({ to, subject, text }) => {
    const [counts = ""] = /^[^:]*/.exec(subject) ?? [];
    const lines = text
      .split("\n")
      .filter((line) => /^([A-Z ]+ \(\d+\):| {2}\[\d+\] .*)$/.test(line));
    const listed = lines.map((line) =>
      line.replace(/^ {2}\[\d+\] /, "").replace(/(\d{4}-\d\d-\d\d )?\d\d:\d\d UTC/, "TIME"),
    );
    return [`${to.toSorted().join()} ${counts}`, listed] as const;
  });
  expect(new Set(mails.map(([name]) => name)).size).toBe(mails.length);
  return Object.fromEntries(mails);
}

const BOSS = "boss@example.org [alarm_engine]";
const BOTH = "boss@example.org,ops@example.org [alarm_engine]";
const REPEAT = "(may be a duplicate: an earlier mail may have been sent)";
const CRASH = "a tick crashed: the one of TIME did not finish";

test.each(["postgres", "embedded"] as const)(
  "a database of the version before on %s: what was mailed is not mailed again, what was unsent is mailed once",
  async (database) => {
    const site = await makeSite({ database, bare: true });
    site.configure({
      more: [
        'operators = ["boss@example.org"]',
        ...SOURCES.map((name) => `[sources.${name}]\nbase_url = "${site.source.url}/${name}"`),
      ].join("\n"),
    });
    const down = new Set(["dark", "dim"]);
    site.source.answer = (_, response, url) => {
      const [, name = ""] = url.pathname.split("/");
      if (down.has(name)) return json(response, { error: "down" }, 400);
      const items = (WRONG.get(name) ?? []).map((key) => ({ key, subject: `${key} is wrong` }));
      json(response, { items, has_more: false, next_before_id: null });
    };
    for (const name of LISTS)
      site.module(
        `${name}.js`,
        `export async function* detect(client) {
           for await (const { key, subject } of client.pages("/${name}/")) yield { dedupeKey: key, subject };
         }`,
      );
    for (const name of SOURCES)
      site.module(
        `${name}.js`,
        `export const SOURCES = ["${name}"];
         export async function* detect(client) { yield* client.source("${name}").pages("/x/"); }`,
      );
    for (const name of QUARANTINED)
      site.module(`${name}.js`, ["broken", "dead"].includes(name) ? FAILS : WORKS);
    await site.withDatabase((db) => writeEarlierVersion(db, Date.now() / 1000));

    expect(await site.command(["migrate"])).toMatchObject({ code: 0, stderr: "" });
    expect(await mailsOfTick(site)).toEqual({
      "ops@example.org [alarm_things] 1 detection(s), 0 new, 1 continuing, 1 already cleared": [
        "CONTINUING (1):",
        "failed is wrong (firing since TIME, first notification)",
        "ALREADY CLEARED (1):",
        "unsent is wrong",
      ],
      "p2@example.org [alarm_many] 1 detection(s), 1 new, 0 continuing": [
        "NEW (1):",
        "as it was mailed",
      ],
      "ops@example.org [alarm_killed] 1 detection(s), 0 new, 1 continuing": [
        "CONTINUING (1):",
        `unknown is wrong ${REPEAT}`,
      ],
      "ops@example.org [alarm_lost] 1 detection(s), 0 new, 1 continuing": [
        "CONTINUING (1):",
        `lost is wrong ${REPEAT}`,
      ],
      [`${BOSS} 2 detection(s), 2 new, 0 continuing, 1 cleared`]: [
        "NEW (2):",
        "source dim unreachable since TIME",
        CRASH,
        "CLEARED (1):",
        "source back is unreachable",
      ],
      [`${BOTH} 1 detection(s), 1 new, 0 continuing, 1 already cleared, 1 cleared`]: [
        "NEW (1):",
        "alarm dead is quarantined: it failed 4 times in a row",
        "CLEARED (1):",
        "alarm mended is quarantined",
        "ALREADY CLEARED (1):",
        "alarm unheard is quarantined",
      ],
    });
    expect(await mailsOfTick(site)).toEqual({
      [`${BOSS} 0 detection(s), 0 new, 0 continuing, 1 cleared`]: ["CLEARED (1):", CRASH],
    });
    down.clear();
    site.module("broken.js", WORKS);
    expect(await mailsOfTick(site)).toEqual({
      [`${BOSS} 0 detection(s), 0 new, 0 continuing, 2 cleared`]: [
        "CLEARED (2):",
        "source dark is unreachable",
        "source dim unreachable since TIME",
      ],
      [`${BOTH} 0 detection(s), 0 new, 0 continuing, 1 cleared`]: [
        "CLEARED (1):",
        "alarm broken is quarantined",
      ],
    });
    expect(await mailsOfTick(site)).toEqual({});
  },
  SLOW,
);

test("a database of the version before severities: nothing is sent twice, nothing seems risen, nothing clears", async () => {
  const [chat, pager] = [await startHookServer(), await startHookServer({ status: 500 })];
  const site = await makeSite({
    more: [
      'operators = ["boss@example.org"]',
      `[channels.chat]\ntype = "mattermost"\nurl = "${chat.url}"`,
      `[channels.pager]\ntype = "webhook"\nurl = "${pager.url}"`,
    ].join("\n"),
  });
  site.module("things.js", THINGS);
  site.module(
    "paged.js",
    "export const SOURCES = []; export const detect = () => [{ dedupeKey: 'page' }];",
  );
  await site.withDatabase((db) => writePreviousVersion(db, Date.now() / 1000));
  site.things = STILL_THERE;
  const active = async () =>
    (await site.entries("event"))
      .filter(({ data }) => data.clear_time === null)
      .map(({ id }) => id)
      .sort();
  const before = await active();

  // One outcome of two was on record: this is the second one.
  expect(await mailsOfTick(site)).toEqual({
    [`${BOSS} 1 detection(s), 1 new, 0 continuing`]: [
      "NEW (1):",
      expect.stringMatching(/^channel pager does not deliver: .* \(first seen TIME\)$/),
    ],
  });
  expect(chat.requests.map(({ body }) => body)).toEqual([
    expect.stringMatching(
      /1 detection\(s\), 0 new, 1 continuing, 1 already cleared.*half is wrong\*\*(?!.*rose).*gone is wrong.*: no longer detected/s,
    ),
  ]);
  expect(await active()).toEqual(before);

  expect(await mailsOfTick(site)).toEqual({});
  expect(chat.requests).toHaveLength(1);

  await passTime(site, 24 * 3600);
  expect(await mailsOfTick(site)).toEqual({
    "ops@example.org [alarm_things] 6 detection(s), 0 new, 6 continuing": [
      "CONTINUING (6):",
      ...STILL_THERE.map(({ subject }) => expect.stringContaining(subject)),
    ],
  });
  expect(await mailsOfTick(site)).toEqual({});
  expect(chat.requests).toHaveLength(2);
  const reminded = (await site.entries("event")).filter(({ data }) => at(data, "swf", "reminders"));
  expect(reminded).toHaveLength(STILL_THERE.length);
  for (const { data } of reminded)
    expect(data).toMatchObject({ severity: "warning", swf: { reminders: { email: 1, chat: 1 } } });
});
