import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isJsonObject } from "../../src/text/json.ts";
import { runEngine } from "../support/process.ts";
import { at, insertAlarm, insertEntry } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const PAGE = readFileSync(new URL("../../docs/json.md", import.meta.url), "utf8");
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
/** Keys of times, and of what was a time in seconds before there was a version. */
const TIME_KEY = /_at$|_time$|_since$|^since$|^first_seen$|^last_seen$|^not_before$|^until$/;
/** Their keys are those of modules and rows, or reasons. */
const OPEN = ["data", "params", "omitted", "notified", "to", "reminders"];

/** The commands of the program that have the option, from its help, each in words. */
async function jsonCommands(words: readonly string[] = []): Promise<readonly string[]> {
  const { stdout } = await runEngine([...words, "--help"]);
  const [, list = ""] = /\nCommands:\n((?: .*\n?)*)/.exec(stdout) ?? [];
  const names = Array.from(list.matchAll(/^ {2}(\w\S*)/gm), ([, name = ""]) => name);
  const found = names.filter((name) => name !== "help");
  const inside = await Promise.all(found.map((name) => jsonCommands([...words, name])));
  return [...(/^ {2}--json /m.test(stdout) ? [words.join(" ")] : []), ...inside.flat()];
}

/** A site on which each command has something to show. */
async function fullSite(): Promise<Site> {
  const site = await makeSite({ mail: "file", more: "[retention]\nnotifications_days = 30" });
  site.module("things.js", THINGS);
  site.module("waits.js", 'export const PARAMS = { limit: { type: "number", required: true } };');
  site.module("fails.js", 'export const detect = () => { throw new Error("no luck"); };');
  await insertAlarm(site, "things");
  await insertAlarm(site, "fails");
  await site.command(["team", "set", "@shift", "one@example.org"]);
  const now = Date.now() / 1000;
  const old = { attempted_at: now - 40 * 86_400, outcome: "delivered" };
  await site.withDatabase(async (db) => {
    await insertEntry(db, { kind: "notification", created: old.attempted_at, data: old });
    const skipped = { at: now - 60, host: "h", pid: 1, reason: "busy" };
    await insertEntry(db, { kind: "skipped_tick", created: skipped.at, data: skipped });
    await insertEntry(db, { kind: "engine_run", created: now - 90, data: {} });
  });
  site.things = ["a", "b"].map((key) => ({ key, subject: `${key} is wrong`, data: { n: 1 } }));
  for (let tick = 0; tick < 4; tick++) {
    if (tick === 3) site.things = site.things.slice(0, 1);
    await site.tick();
  }
  return site;
}

/** What is wrong with the values of a JSON text, each with its path. */
function faults(value: unknown, path: string, key = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => faults(item, `${path}[]`, key));
  if (isJsonObject(value))
    return Object.entries(value).flatMap(([name, item]) => {
      const own = `${path}.${name}`;
      if (OPEN.includes(key)) return [];
      const wrong = /[A-Z]|^dedupe_key$|^per_alarm$/.test(name) ? [`${own}: not a key`] : [];
      const undocumented = PAGE.includes(`\`${name}\``) ? [] : [`${own}: not in docs/json.md`];
      return [...wrong, ...undocumented, ...faults(item, own, name)];
    });
  if (TIME_KEY.test(key) && value !== null && !TIME.test(String(value)))
    return [`${path}: ${value} is not a time`];
  if (typeof value === "number" && value > 1e9) return [`${path}: ${value} may be a time`];
  return [];
}

test("every command that has --json prints one object with a version, times with their zone, and keys that the page names", async () => {
  const site = await fullSite();
  const list = await site.command(["notification", "list", "--json"]);
  const [newest] = JSON.parse(list.stdout).notifications;
  const id = String(at(newest, "id"));
  /** The arguments of those that need some; a command without them here runs alone. */
  const args: { readonly [words: string]: readonly (readonly string[])[] } = {
    run: [["--plan"]],
    prune: [["--dry-run"], ["--yes"]],
    migrate: [[], ["--embedded"]],
    why: [
      ["things", "a"],
      ["things", "b"],
      ["things", "c"],
    ],
    "why-not": [
      ["things", "a"],
      ["fails", "a"],
    ],
    "alarm show": [["things"], ["waits"], ["fails"], ["engine"]],
    "alarm new": [["fresh"]],
    "alarm try": [["things"], ["fails"]],
    "event list": [["--all"], ["--pending"]],
    "event show": [
      ["things", "a"],
      ["things", "b"],
    ],
    "channel test": [["email", "--to", "@shift"]],
    "notification show": [[id]],
  };
  const commands = await jsonCommands();
  expect(commands).toContain("run list");
  for (const words of commands)
    for (const given of args[words] ?? [[]]) {
      const line = [...words.split(" "), ...given, "--json"];
      const { code, stdout, stderr } = await site.command(line);
      expect([code, stderr], `${line.join(" ")}\n${stdout}`).toEqual([expect.any(Number), ""]);
      const json: unknown = JSON.parse(stdout);
      expect(at(json, "version"), line.join(" ")).toBe(1);
      expect.soft(faults(json, words)).toEqual([]);
      expect.soft(PAGE, words).toContain(`\n## ${words}\n`);
    }
}, 120_000);
