import { expect, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { insertAlarm, insertEntry, only } from "../support/rows.ts";
import { makeSite, THINGS } from "../support/site.ts";

const PARAMS = `export const PARAMS = { limit: { type: "number", required: true, min: 0, description: "x" }, owner: { type: "string", choices: ["a", "b"], description: "y" } };`;
const ONE = `export const detect = () => [{ dedupeKey: "k", subject: "K" }];`;

interface Broken {
  readonly name: string;
  /** The module's text; none where the file is missing. */
  readonly text?: string;
  readonly data?: { readonly [key: string]: unknown };
  readonly says: RegExp;
}

/** Each fails by itself, before its detect could run. */
const BROKEN: readonly Broken[] = [
  { name: "no_module", says: /no module "no_module" in the alarms folder/ },
  {
    name: "syntax_error",
    text: "export function* detect( {",
    says: /cannot load .*syntax_error\.js/,
  },
  {
    name: "import_error",
    text: `import "./not_there.js"; ${ONE}`,
    says: /cannot load .*import_error\.js.*not_there/,
  },
  {
    name: "throws_at_import",
    text: `throw new Error("at import"); ${ONE}`,
    says: /cannot load .*at import/,
  },
  {
    name: "no_detect",
    text: `export const TITLE = "x";`,
    says: /must export a function detect\(client, params\), found undefined/,
  },
  {
    name: "detect_no_function",
    text: "export const detect = 5;",
    says: /must export a function detect\(client, params\), found number/,
  },
  {
    name: "bad_params",
    text: `export const PARAMS = { limit: { type: "float" } }; ${ONE}`,
    says: /PARAMS\.limit: type must be one of/,
  },
  {
    name: "flat_params",
    text: `export const PARAMS = { limit: 0.5 }; ${ONE}`,
    says: /PARAMS\.limit: must be an object/,
  },
  {
    name: "bad_default",
    text: `export const PARAMS = { limit: { type: "integer", default: 1.5, description: "" } }; ${ONE}`,
    says: /PARAMS\.limit: default must be an integer/,
  },
  {
    name: "wrong_type",
    text: `${PARAMS} ${ONE}`,
    data: { params: { limit: "0.03" } },
    says: /parameter limit: must be a number, found "0\.03"/,
  },
  {
    name: "out_of_bounds",
    text: `${PARAMS} ${ONE}`,
    data: { params: { limit: -1 } },
    says: /parameter limit: must be at least 0, found -1/,
  },
  {
    name: "wrong_choice",
    text: `${PARAMS} ${ONE}`,
    data: { params: { limit: 1, owner: "c" } },
    says: /parameter owner: must be one of "a", "b", found "c"/,
  },
  {
    name: "params_list",
    text: ONE,
    data: { params: [1] },
    says: /the row's params are \[1\]; they must be an object/,
  },
  {
    name: "params_text",
    text: ONE,
    data: { params: "{}" },
    says: /the row's params are "\{\}"; they must be an object/,
  },
  {
    name: "module_path",
    data: { module: "../../x" },
    says: /names the module "..\/..\/x", which is not a module name/,
  },
  {
    name: "module_absolute",
    data: { module: "/etc/passwd" },
    says: /names the module "\/etc\/passwd", which is not a module name/,
  },
  { name: "module_dotted", data: { module: "lib/helper" }, says: /names the module "lib\/helper"/ },
  { name: "module_number", data: { module: 5 }, says: /names the module 5/ },
  {
    name: "module_elsewhere",
    data: { module: "not_here" },
    says: /no module "not_here" in the alarms folder/,
  },
  {
    name: "wrong_title",
    text: `export const TITLE = 5; ${ONE}`,
    says: /TITLE must be a string, found/,
  },
  {
    name: "wrong_sources",
    text: `export const SOURCES = "gracedb"; ${ONE}`,
    says: /SOURCES must be a list/,
  },
];

test("each broken alarm has a result of its own, and the healthy one beside them works", async () => {
  const site = await makeSite();
  site.module("healthy.js", THINGS);
  await insertAlarm(site, "healthy");
  site.things = [{ key: "a", subject: "A is wrong" }];
  for (const { name, text, data } of BROKEN) {
    if (text !== undefined) site.module(`${name}.js`, text);
    await insertAlarm(site, name, data);
  }
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });

  const run = only(await site.entries("engine_run"));
  for (const { name, says } of BROKEN) {
    const entry = perAlarm(run, `alarm_${name}`);
    expect(entry, name).toMatchObject({
      enabled: true,
      alarms_seen: 0,
      errors: 1,
      bundle_new: 0,
      bundle_sent: false,
    });
    expect(entry.error_message, name).toMatch(says);
    expect(result.stderr).toMatch(says);
  }
  // One line for each on stderr, as cron mails it.
  const lines = result.stderr.trimEnd().split("\n");
  expect(lines.map((line) => /^swf-alarms: (\w+): /.exec(line)?.[1]).sort()).toEqual(
    BROKEN.map(({ name }) => name).sort(),
  );
  expect(runData(run)).toMatchObject({
    errors: BROKEN.length,
    alarms_run: 1,
    alarms_seen: 1,
    notifications_sent: 1,
  });
  for (const { name } of BROKEN) expect(runData(run).error_details).toContain(`${name}: `);
  expect(perAlarm(run, "alarm_healthy")).toMatchObject({
    errors: 0,
    alarms_seen: 1,
    bundle_sent: true,
  });
  expect(only(await site.entries("event")).data.entry_id).toBe("event_healthy");
  expect(only(site.mail.mails).subject).toBe(
    "[alarm_healthy] 1 detection(s), 1 new, 0 continuing: A is wrong",
  );
});

test("a row with a wrong setting that has a safe reading runs, and its fault is an error", async () => {
  const site = await makeSite();
  const cases = [
    {
      name: "hours_soon",
      data: { renotification_window_hours: "soon" },
      says: /renotification_window_hours is "soon", treated as 0/,
    },
    {
      name: "hours_negative",
      data: { renotification_window_hours: -1 },
      says: /renotification_window_hours is -1, treated as 0/,
    },
    { name: "enabled_text", data: { enabled: "yes" }, says: /enabled is "yes", treated as true/ },
  ];
  for (const { name, data } of cases) {
    site.module(`${name}.js`, ONE);
    await insertAlarm(site, name, data);
  }
  const result = await site.tick();
  expect(result.code).toBe(1);
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({
    errors: 3,
    alarms_run: 3,
    alarms_seen: 3,
    notifications_sent: 3,
  });
  for (const { name, says } of cases) {
    expect(perAlarm(run, `alarm_${name}`)).toMatchObject({
      errors: 1,
      alarms_seen: 1,
      bundle_sent: true,
    });
    expect(perAlarm(run, `alarm_${name}`).error_message).toMatch(says);
  }
  expect(await site.entries("event")).toHaveLength(3);
});

test("an unknown parameter is a note, not an error", async () => {
  const site = await makeSite();
  site.module("k.js", `${PARAMS} ${ONE}`);
  await insertAlarm(site, "k", { params: { limit: 1, limmit: 2 } });
  expect(await site.tick()).toEqual({ code: 0, stdout: "", stderr: "" });
  const run = only(await site.entries("engine_run"));
  expect(perAlarm(run, "alarm_k")).toMatchObject({
    errors: 0,
    alarms_seen: 1,
    params: { limit: 1 },
    notes: ["unknown parameter limmit (did you mean limit?)"],
  });
});

test("rows that name no alarm are errors of the run and leave the others alone", async () => {
  const site = await makeSite();
  site.module("healthy.js", ONE);
  await insertAlarm(site, "healthy");
  const ids = [
    await insertEntry(site, { kind: "alarm", title: "data null", data: null }),
    await insertEntry(site, { kind: "alarm", title: "data a list", data: [] }),
    await insertEntry(site, { kind: "alarm", title: "no entry_id", data: { enabled: true } }),
    await insertEntry(site, { kind: "alarm", title: "number", data: { entry_id: 7 } }),
  ];
  await insertEntry(site, { kind: "alarm", title: "archived", data: null, archived: true });
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({ errors: 4, alarms_run: 1, notifications_sent: 1 });
  expect(Object.keys(runData(run).per_alarm)).toEqual(["alarm_engine", "alarm_healthy"]);
  for (const id of ids) {
    expect(result.stderr).toContain(id);
    expect(runData(run).error_details).toContain(id);
  }
  expect(result.stderr.trimEnd().split("\n")).toHaveLength(4);
});

test("of two rows for one alarm the older is used and the other is named", async () => {
  const site = await makeSite();
  site.module("k.js", ONE);
  await insertAlarm(site, "k", { recipients: "old@example.org" }, { created: 1_700_000_000 });
  const younger = await insertAlarm(
    site,
    "k",
    { recipients: "new@example.org" },
    { created: 1_700_000_001 },
  );
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toContain(younger);
  expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(only(site.mail.mails).to).toEqual(["old@example.org"]);
  expect(await site.entries("event")).toHaveLength(1);
});

test("an alarm that breaks keeps its events, and continues them when it is mended", async () => {
  const site = await makeSite();
  site.module("k.js", ONE);
  await insertAlarm(site, "k");
  await site.tick();
  const event = only(await site.entries("event"));
  site.module("k.js", "export const broken = ;");
  expect((await site.tick()).code).toBe(1);
  expect(only(await site.entries("event"))).toStrictEqual(event);
  site.module("k.js", ONE);
  expect((await site.tick()).code).toBe(0);
  expect(only(await site.entries("event")).id).toBe(event.id);
  expect(site.mail.mails).toHaveLength(1);
});
