import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { QUIET } from "../support/quiet.ts";
import { only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/** The package lies here, and each site's configuration in a folder of its own elsewhere. */
const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));
const SHIPPED_NAMES = [
  "enrgdaq_healthcheck",
  "enrgdaq_supervisor",
  "gracedb_alert_flow",
  "gracedb_awaiting_decision",
  "gracedb_event_rate",
  "gracedb_followup",
  "gracedb_heartbeat",
  "gracedb_label_consistency",
  "host_resources",
  "http_endpoints",
  "panda_failure_rate_eic_all",
  "panda_failure_rate_owner",
  "panda_task_without_movement",
  "supervisord_events",
  "supervisord_processes",
];
const OWNER = "panda_failure_rate_owner";

const defaultSite = (): Promise<Site> => makeSite({ alarmsDir: null });

function says(subject: string): string {
  return `export const SOURCES = [];\nexport const detect = () => [{ dedupeKey: "k", subject: ${JSON.stringify(subject)} }];`;
}

/** Without the built-in alarm. */
async function listed(site: Site): Promise<unknown> {
  const { code, stdout, stderr } = await site.command(["alarm", "list", "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const items: readonly { alarm: string }[] = JSON.parse(stdout).alarms;
  return items.filter(({ alarm }) => alarm !== "engine");
}

test.for([
  {
    what: "no folder of its own",
    make: (site: Site) => rmSync(site.alarmsDir, { recursive: true }),
  },
  { what: "an empty folder", make: () => {} },
  {
    what: "a folder that is a link to the shipped one, as in a checkout",
    make: (site: Site) => {
      rmSync(site.alarmsDir, { recursive: true });
      symlinkSync(SHIPPED, site.alarmsDir);
    },
  },
])(
  "a site with $what has the shipped alarms, which are quiet until they are set up",
  async ({ make }) => {
    const site = await defaultSite();
    make(site);
    expect(await site.tick()).toEqual(QUIET);
    const after = site.log();
    for (const _ of [1, 2]) expect(await site.tick()).toEqual(QUIET);
    const later = site.log().slice(after.length).trimEnd().split("\n");
    expect(later.map((line) => line.replace(/^\S+ \S+ UTC /, ""))).toEqual(
      Array(2).fill("info tick done: 0 alarm(s) run, 0 error(s), 0 mail(s) sent"),
    );
    for (const name of SHIPPED_NAMES)
      expect(after.split(`${name} is not configured: `)).toHaveLength(2);
    expect(await listed(site)).toMatchObject(
      SHIPPED_NAMES.map((alarm) => ({ alarm, replaces: [] })),
    );
  },
);

test("a site's module runs beside the shipped ones", async () => {
  const site = await defaultSite();
  site.module("own.ts", says("Ours"));
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).title).toBe("Ours");
  expect((await site.entries("alarm")).map(({ data }) => data.entry_id).sort()).toEqual(
    [...SHIPPED_NAMES, "own"].map((name) => `alarm_${name}`).sort(),
  );
});

test("a site's module takes the place of a shipped one, and alarm list and show name both files", async () => {
  const site = await defaultSite();
  site.module(`${OWNER}.js`, says("Ours"));
  const [file, replaced] = [join(site.alarmsDir, `${OWNER}.js`), join(SHIPPED, `${OWNER}.ts`)];
  for (const _ of [1, 2]) expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).title).toBe("Ours");
  expect(site.log()).not.toContain("replaces");
  const line = `${OWNER} uses ${file}, which replaces ${replaced}`;
  expect((await site.tick("-v")).stdout).toContain(`debug ${line}\n`);

  const { stdout } = await site.command(["alarm", "list"]);
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(line);
  expect(await listed(site)).toMatchObject(
    SHIPPED_NAMES.map((alarm) =>
      alarm === OWNER
        ? { alarm, module: file, replaces: [replaced] }
        : { alarm, module: join(SHIPPED, `${alarm}.ts`), replaces: [] },
    ),
  );
  const shown = await site.command(["alarm", "show", OWNER]);
  expect(shown.stdout).toContain(`\nmodule       ${file}\nreplaces     ${replaced}\n`);
  const facts = await site.command(["alarm", "show", OWNER, "--json"]);
  expect(JSON.parse(facts.stdout)).toMatchObject({ module: file, replaces: [replaced] });
});

test("a checkout's own alarms are used by an engine that is installed elsewhere; equal copies are not mentioned", async () => {
  const site = await defaultSite();
  cpSync(SHIPPED, site.alarmsDir, { recursive: true });
  site.module("own.ts", says("Ours"));
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).title).toBe("Ours");
  const { stdout } = await site.command(["alarm", "list"]);
  expect(stdout).not.toContain("replaces");
  const names = [...SHIPPED_NAMES, "own"].sort();
  expect(await listed(site)).toMatchObject(
    names.map((alarm) => ({
      alarm,
      module: join(site.alarmsDir, `${alarm}.ts`),
      replaces: [],
    })),
  );
  writeFileSync(
    join(site.alarmsDir, `${OWNER}.ts`),
    `${readFileSync(join(SHIPPED, `${OWNER}.ts`), "utf8")}// ours\n`,
  );
  expect((await site.command(["alarm", "list"])).stdout).toContain(`${OWNER} uses `);
});

test("a module builds on a shipped alarm and on the shipped library", async () => {
  const site = await defaultSite();
  site.module(
    `${OWNER}.ts`,
    `export * from "swf-alarms/alarms/${OWNER}";\nexport const TITLE = "Our tasks";`,
  );
  site.module(
    "own.ts",
    `import { numberOf } from "swf-alarms/lib/fields";
     export const SOURCES = [];
     export async function* detect() {
       const { show } = await import("swf-alarms/lib/fields.js");
       yield { dedupeKey: "k", subject: show(numberOf(3)) };
     }`,
  );
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).title).toBe("3");
  const { stdout } = await site.command(["alarm", "show", OWNER, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    title: "Our tasks",
    state: "not configured",
    reasons: ["parameter threshold has no value", "parameter username has no value"],
  });
});

test("an import of what the package does not have costs its own alarm, and the error lists what there is", async () => {
  const site = await makeSite();
  site.module("broken.ts", `import { a } from "swf-alarms/lib/nope";\n${says("x")}\na();`);
  site.module("own.ts", says("Ours"));
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: broken: cannot load \S+broken\.ts: cannot find "swf-alarms\/lib\/nope", [^\n]*; the package has in swf-alarms\/lib\/ [^\n]*failure_rate, [^\n]*\n$/,
  );
  expect(only(await site.entries("event")).title).toBe("Ours");
});

test("two files of one name in a folder are an error of that alarm alone, until one is removed", async () => {
  const site = await makeSite();
  site.module("own.ts", says("Ours"));
  site.module("twice.ts", says("TypeScript"));
  site.module("twice.js", says("JavaScript"));
  const message = `swf-alarms: twice: did not load ${join(site.alarmsDir, "twice.js")}: it has the same alarm name as twice.ts in the same folder; remove one of them\n`;
  // The third failure in a row quarantines the alarm.
  for (const _ of [1, 2, 3])
    expect(await site.tick()).toEqual({ code: 1, stdout: "", stderr: message });
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event")).title).toBe("Ours");
  rmSync(join(site.alarmsDir, "twice.js"));
  expect(await site.tick()).toEqual(QUIET);
  expect((await site.entries("event")).map(({ title }) => title)).toEqual(["Ours", "TypeScript"]);
});

test("folders that are named replace the default, and the last one that has a module wins", async () => {
  const site = await makeSite();
  const team = join(site.folder, "team");
  mkdirSync(team);
  for (const name of ["own", "both"]) site.module(`${name}.ts`, says("first"));
  for (const name of ["both", "other"]) writeFileSync(join(team, `${name}.ts`), says("second"));
  site.configure({ alarmsDir: ["alarms", "./team", "./alarms/../team"] });
  expect(await site.tick()).toEqual(QUIET);
  const events = await site.entries("event");
  expect(events.map(({ data, title }) => `${data.entry_id} ${title}`).sort()).toEqual([
    "event_both second",
    "event_other second",
    "event_own first",
  ]);
});

test("every folder is checked for who can write it", async () => {
  const site = await defaultSite();
  const team = join(site.folder, "team");
  mkdirSync(team);
  chmodSync(team, 0o777);
  site.configure({ alarmsDir: ["alarms", "team"] });
  const refused = await site.tick();
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain(`refused the alarms folder ${team}`);
  chmodSync(site.alarmsDir, 0o777);
  site.configure({ alarmsDir: null });
  expect((await site.tick()).stderr).toContain(`refused the alarms folder ${site.alarmsDir}`);
});

test.for([
  { what: "one of several that are named", alarmsDir: ["alarms", "gone"], says: "gone: ENOENT" },
  {
    what: "a list without any",
    alarmsDir: [],
    says: "engine.alarms_dir: must be a folder",
  },
])("no tick is possible without its folders: $what", async ({ alarmsDir, says }) => {
  const site = await makeSite({ alarmsDir });
  const result = await site.tick();
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toContain(says);
});
