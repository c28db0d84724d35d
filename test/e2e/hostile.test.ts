import { copyFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { commandLines } from "../support/command_lines.ts";
import { perAlarm, runData } from "../support/contract.ts";
import { CASES, type HostileCase } from "../support/hostile_cases.ts";
import { json } from "../support/http_server.ts";
import { insertAlarm, insertEntry, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const FOLDER = fileURLToPath(new URL("../hostile", import.meta.url));

/** Small enough to be reached soon, large enough for the healthy ones on a busy machine. */
const LIMITS =
  "alarm_timeout = 200\nalarm_memory = 192\nmax_detections = 20000\nrequest_timeout = 20";

const SECRET = "s3cret-of-the-engine";

/** Seconds that all of them together may take: the tick's own, and its closing. */
const BOUND = 260;

/** Healthy neighbours, of three kinds. */
const HEALTHY: { readonly [name: string]: string } = {
  healthy_asks: THINGS,
  a_healthy_list: `export const detect = () => [{ dedupeKey: "one" }, { dedupeKey: "two" }];`,
  z_healthy_none: `export async function* detect() { await new Promise((done) => setTimeout(done, 20)); }`,
};

const NAMES = readdirSync(FOLDER).map((file) => basename(file, ".mjs"));
/** One of each kind of end; the database makes no difference to the others. */
const SOME = [
  "exits",
  "kills_itself",
  "loops_after_yield",
  "eats_buffers",
  "changes_globals",
  "yields_garbage",
];

test("each file of the folder has its case, and each case its file", () => {
  expect(Object.keys(CASES).toSorted()).toEqual(NAMES.toSorted());
});

describe.each([
  ["postgres", NAMES],
  ["embedded", SOME],
] as const)("on %s", (database, names) => {
  test("every hostile module costs its own outcome, and nothing else", {
    timeout: 300_000,
  }, async () => {
    const site = await hostileSite(database, names);
    const started = Date.now();
    const result = await site.command(["run"], { env: { SITE_SECRET: SECRET } });
    expect((Date.now() - started) / 1000).toBeLessThan(BOUND);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);

    const run = only(await site.entries("engine_run"));
    const found: { [name: string]: unknown } = {};
    const expected: { [name: string]: unknown } = {};
    for (const name of names) {
      const { outcome, error_message: message } = perAlarm(run, `alarm_${name}`);
      const { status, says } = caseOf(name);
      found[name] = { outcome, message };
      expected[name] = { outcome: status, message: says };
    }
    expect(found).toEqual(expected);

    for (const name of Object.keys(HEALTHY))
      expect(perAlarm(run, `alarm_${name}`), name).toMatchObject({
        errors: 0,
        outcome: "complete",
      });
    const events = await site.entries("event");
    const active = new Set(
      events
        .filter(({ data }) => data.clear_time === null)
        .map(({ data }) => `${data.entry_id} ${data.dedupe_key}`),
    );
    for (const name of names) {
      const { status, before } = caseOf(name);
      expect(active.has(`event_${name} before`), `${name}: what was yielded before`).toBe(before);
      expect(active.has(`event_${name} old`), `${name}: what was active`).toBe(
        status !== "complete",
      );
    }
    for (const key of ["healthy_asks thing", "a_healthy_list one", "a_healthy_list two"])
      expect(active).toContain(`event_${key}`);
    expect(active).not.toContain("event_z_healthy_none old");

    expect(JSON.stringify(events)).not.toContain(SECRET);
    expect(JSON.stringify(events)).not.toContain(site.config);
    expect(runData(run).errors).toBe(
      names.filter((name) => caseOf(name).status !== "complete").length,
    );
    expect(processesOf(site)).toEqual([]);
  });
});

function caseOf(name: string): HostileCase {
  const found = CASES[name];
  if (found === undefined) throw new Error(`no case for test/hostile/${name}.mjs`);
  return found;
}

/** A site with all of them and the healthy ones, in each of which one event is active. */
async function hostileSite(
  database: "postgres" | "embedded",
  names: readonly string[],
): Promise<Site> {
  const site = await makeSite({
    database,
    engine: LIMITS,
    more: `[sources.other]\nbase_url = "http://127.0.0.1:9"\ntoken_env = "SITE_SECRET"`,
  });
  for (const name of names)
    copyFileSync(join(FOLDER, `${name}.mjs`), join(site.alarmsDir, `${name}.mjs`));
  for (const [name, text] of Object.entries(HEALTHY)) site.module(`${name}.js`, text);
  site.source.answer = (_, response, url) => {
    if (url.pathname === "/things/")
      json(response, { items: [{ key: "thing" }], has_more: false, next_before_id: null });
    else json(response, { detail: "not here" }, 404);
  };
  await site.withDatabase(async (db) => {
    for (const name of [...names, ...Object.keys(HEALTHY)]) {
      const id = await insertAlarm(db, name, { enabled: false, ...CASES[name]?.row });
      await insertEntry(db, {
        kind: "event",
        title: "Old",
        content: "",
        status: "active",
        data: {
          entry_id: `event_${name}`,
          alarm_config_id: id,
          dedupe_key: "old",
          subject: "Old",
          recipients: [],
          fire_time: 1_700_000_000,
          last_seen: 1_700_000_000,
          clear_time: null,
        },
      });
    }
  });
  return site;
}

/** Command lines of processes that still have to do with the site's modules, or with the commands that they start. */
function processesOf(site: Site): readonly string[] {
  return commandLines().filter((line) => line.includes(site.folder) || line.includes("sleep 1007"));
}
