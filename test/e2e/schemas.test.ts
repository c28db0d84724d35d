import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { busySite } from "../support/busy_site.ts";
import { asAdmin, createPostgres } from "../support/databases.ts";
import { MONITOR_TABLES } from "../support/django_tables.ts";
import { loginTo } from "../support/login.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const GRANTS = readFileSync(new URL("../../deploy/grants.sql", import.meta.url), "utf8");

async function inSchema(site: Site, schema: string, sql: string): Promise<void> {
  const db = await openPostgres({ ...loginTo(site.dsn ?? ""), schema });
  await db.script(sql).finally(() => db.close());
}

/** A site whose alarm finds one thing; its tables are made by the test. */
async function emptySite(more = ""): Promise<Site> {
  const site = await makeSite({ bare: true, mail: "none", more });
  site.module("things.js", THINGS);
  site.things = [{ key: "a", subject: "A 🦊 is wrong" }];
  return site;
}

const tablesIn = (site: Site) =>
  asAdmin(
    site.dsn ?? "",
    "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE tablename ~ '^(entry|swf)' ORDER BY 1",
  );

test("Django's tables in another schema are found by [db] schema, and never made a second time", async () => {
  const site = await emptySite();
  await asAdmin(site.dsn ?? "", 'CREATE SCHEMA "App Data"');
  await inSchema(site, "App Data", MONITOR_TABLES);
  const before = await tablesIn(site);
  expect(await site.tick()).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/run: .* migrate/),
  });
  expect(await site.command(["migrate"])).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(
      /^swf-alarms: the table "App Data"\.entry is not on the search path of the role postgres: to use it, set \[db\] schema = "App Data"; .*\n$/,
    ),
  });
  expect(await tablesIn(site)).toEqual(before);

  site.configure({ mail: "none", more: 'schema = "app data"' });
  for (const args of [["run"], ["migrate"], ["status"]])
    expect(await site.command(args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^swf-alarms: the database \w+ has no schema "app data" .*\n$/),
    });

  site.configure({ mail: "none", more: 'schema = "App Data"' });
  const migrated = await site.command(["migrate"]);
  const name = new URL(site.dsn ?? "").pathname.slice(1);
  const found = ["entry", "entry_context", "entry_version"].map(
    (table) => `found "App Data".${table}, database ${name}, role postgres\n`,
  );
  expect(migrated).toMatchObject({ code: 0, stderr: "" });
  expect(migrated.stdout).toMatch(new RegExp(`^${found.join("")}applied 0001_entry_tables`));
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.command(["event", "list"])).toMatchObject({
    stdout: expect.stringContaining("A 🦊 is wrong"),
  });
  expect(await tablesIn(site)).toEqual(
    expect.arrayContaining([{ name: "App Data.entry" }, { name: "App Data.swf_alarms_migration" }]),
  );
  expect(await tablesIn(site)).toHaveLength(4);

  // A set of their own beside them, because the schema is named.
  site.configure({ mail: "none", more: 'schema = "public"' });
  const { tables } = JSON.parse((await site.command(["migrate", "--json"])).stdout);
  expect(tables.map((row: { table: string; state: string }) => [row.table, row.state])).toEqual([
    ...["entry", "entry_context", "entry_version"].map((table) => [
      `"App Data".${table}`,
      "not used",
    ]),
    ...["entry", "entry_context", "entry_version"].map((table) => [`public.${table}`, "made"]),
  ]);
});

test("a table of another program with the same name is not taken for Django's", async () => {
  const site = await emptySite();
  await asAdmin(site.dsn ?? "", "CREATE SCHEMA shop; CREATE TABLE shop.entry (id int, data text)");
  const { code, stdout } = await site.command(["migrate"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^made public\.entry, .*\nmade public\.entry_context, .*\nmade public\.entry_version, /,
  );
});

test("a table of another program where ours would be, and a part of ours elsewhere, are refused", async () => {
  for (const [sql, says] of [
    ["CREATE TABLE entry (id serial)", /public\.entry belongs to another program.*\[db\] schema/],
    ["CREATE VIEW entry AS SELECT '{}'::jsonb AS data", /public\.entry belongs to another program/],
    [
      "CREATE SCHEMA app; CREATE TABLE app.entry (data jsonb); CREATE TABLE entry_context (data jsonb)",
      /the table app\.entry is not on the search path of the role postgres.*schema = "app"/,
    ],
  ] as const) {
    const site = await emptySite();
    await asAdmin(site.dsn ?? "", sql);
    const before = await tablesIn(site);
    const { code, stderr } = await site.command(["migrate"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
    expect(await tablesIn(site)).toEqual(before);
  }
});

test("migrate --dsn migrates as another role; the engine's own role needs no more than its grants", async () => {
  const site = await emptySite();
  const dsn = new URL(site.dsn ?? "");
  const role = `r_${randomUUID().replaceAll("-", "")}`;
  await asAdmin(dsn.href, `CREATE ROLE ${role} LOGIN PASSWORD 'own-pw'`);
  onTestFinished(async () => {
    await asAdmin(dsn.href, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
  const own = Object.assign(new URL(dsn), { username: role, password: "own-pw" }).href;
  site.configure({ mail: "none", dsn: own });
  expect(await site.command(["migrate"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /permission denied for schema public; run migrate as the owner of the tables \(see --dsn\)/,
    ),
  });
  const migrated = await site.command(["migrate", "--dsn", dsn.href]);
  expect(migrated).toMatchObject({ code: 0, stderr: "" });
  expect(migrated.stdout).toContain(
    `made public.entry, database ${dsn.pathname.slice(1)}, role postgres\n`,
  );
  const grants = GRANTS.replaceAll(/^(--|\\).*$/gm, "").replaceAll(':"role"', role);
  await asAdmin(dsn.href, grants);
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.command(["migrate", "--dsn", dsn.href])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^found public\.entry, .*the database is up to date\n$/s),
  });
  // A wrong one is an error that shows no password, and never falls back to [db].
  for (const wrong of ["owner:s3cret@h", dsn.href.replace("password", "s3cret")]) {
    const refused = await site.command(["migrate", "--dsn", wrong]);
    expect(refused).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.not.stringContaining("s3cret"),
    });
  }
});

test.each(["LATIN1", "SQL_ASCII"])("nothing is written to a database in %s", async (encoding) => {
  const site = await busySite({});
  const dsn = await createPostgres(`ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`);
  site.configure({ dsn });
  for (const args of [["run"], ["migrate"], ["team", "set", "@t", "a@example.org"]])
    expect(await site.command(args)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        new RegExp(`^swf-alarms: the database \\w+ has the encoding ${encoding}, .*UTF8.*\\n$`),
      ),
    });
  expect(site.mail.mails).toEqual([]);
  expect(await asAdmin(dsn, "SELECT FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
});

test("with serializable as the default and another program that writes, every alarm is recorded", async () => {
  const site = await busySite({});
  const dsn = site.dsn ?? "";
  for (const name of ["b", "c"]) {
    site.module(`${name}.js`, THINGS);
    await insertAlarm(site, name);
  }
  await asAdmin(
    dsn,
    `ALTER DATABASE ${new URL(dsn).pathname.slice(1)} SET default_transaction_isolation = 'serializable'`,
  );
  let writing = true;
  const writer = (async () => {
    while (writing)
      await asAdmin(
        dsn,
        "UPDATE entry SET timestamp_modified = timestamp_modified + 1 WHERE kind IN ('event', 'alarm', 'engine_state')",
      ).catch(() => {});
  })();
  try {
    for (let count = 0; count < 3; count++) expect(await site.tick()).toEqual(QUIET);
  } finally {
    writing = false;
    await writer;
  }
  expect(await site.entries("event")).toHaveLength(3);
});
