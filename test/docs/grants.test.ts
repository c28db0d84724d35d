import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { type ProcessResult, runEngine } from "../support/process.ts";

const FILE = fileURLToPath(new URL("../../deploy/grants.sql", import.meta.url));

/** The file's statements, without what only psql understands. */
function statements(role: string): string {
  const text = readFileSync(FILE, "utf8").replaceAll(/^(--|\\).*$/gm, "");
  expect(text).toContain(':"role"');
  return text.replaceAll(':"role"', `"${role}"`);
}

/** Every right that the file grants, each on its own. */
function rights(): readonly { readonly right: string; readonly table: string }[] {
  return [...statements("x").matchAll(/GRANT ([A-Z, ]+) ON (\w+) TO/g)].flatMap(
    ([, list = "", table = ""]) => list.split(", ").map((right) => ({ right, table })),
  );
}

/** Opens one event for good and one for a tick, and asks nobody. */
const ALARM = `
export const SOURCES = [];
export function* detect(client) {
  yield { dedupeKey: client.now % 2 < 1 ? "even" : "odd", subject: "a second" };
  yield { dedupeKey: "always", subject: "always" };
}
`;

/** What a site does every day, every kind of row included. */
const WORK: readonly (readonly string[])[] = [
  ["team", "set", "@t", "a@example.org"],
  ["team", "set", "@t", "b@example.org"],
  ["run"],
  ["alarm", "set", "seconds", "--mail", "on", "--recipients", "@t"],
  ["run"],
  ["run", "--plan"],
  ["alarm", "list"],
  ["alarm", "show", "seconds"],
  ["alarm", "try", "seconds"],
  ["run", "list"],
  ["event", "list", "--all"],
  ["team", "list"],
  ["team", "remove", "@t", "--force"],
  ["prune", "--dry-run"],
  ["prune", "--yes"],
];

interface Grantee {
  readonly role: string;
  /** As the owner of the tables. */
  owner(sql: string): Promise<void>;
  /** As the role. */
  query(sql: string): Promise<unknown>;
  engine(args: readonly string[]): Promise<ProcessResult>;
  readonly ownerDsn: string;
}

/** A migrated database, and a site that works on it as a role that may nothing yet. */
async function makeGrantee(): Promise<Grantee> {
  const dsn = new URL(await createPostgres());
  const ownerDsn = dsn.href;
  const role = `r_${dsn.pathname.slice(3)}`;
  const site = mkdtempSync(join(tmpdir(), "swf-alarms-grants-"));
  const configure = (): void =>
    writeFileSync(
      join(site, "config.toml"),
      `[engine]\nalarms_dir = "alarms"\n[db]\ndsn = "${dsn.href}"\n[email]\nprovider = "file"\n`,
    );
  const withDatabase = async (url: string, sql: string): Promise<void> => {
    const db = await openPostgres(loginTo(url));
    try {
      await db.script(sql);
    } finally {
      await db.close();
    }
  };
  mkdirSync(join(site, "alarms"));
  writeFileSync(join(site, "alarms", "seconds.mjs"), ALARM);
  configure();
  const engine = async (args: readonly string[]) => await runEngine(args, { cwd: site });
  expect(await engine(["migrate"])).toMatchObject({ code: 0, stderr: "" });
  await withDatabase(ownerDsn, `CREATE ROLE "${role}" LOGIN PASSWORD 'a-role-of-its-own'`);
  onTestFinished(async () => {
    await withDatabase(ownerDsn, `DROP OWNED BY "${role}"; DROP ROLE "${role}"`);
    rmSync(site, { recursive: true, force: true });
  });
  dsn.username = role;
  dsn.password = "a-role-of-its-own";
  configure();
  return {
    role,
    ownerDsn,
    owner: (sql) => withDatabase(ownerDsn, sql),
    query: (sql) => withDatabase(dsn.href, sql),
    engine,
  };
}

test("the grants of deploy/grants.sql are all that ticks and commands need", async () => {
  const site = await makeGrantee();
  await site.owner(statements(site.role));
  for (const args of WORK)
    expect(await site.engine(args), args.join(" ")).toMatchObject({ code: 0, stderr: "" });
  for (const sql of [
    "DELETE FROM entry_version",
    "DELETE FROM swf_alarms_migration",
    "TRUNCATE entry",
    "DROP TABLE entry",
    "CREATE TABLE own (id int)",
    "UPDATE entry_version SET title = ''",
    "INSERT INTO swf_alarms_migration VALUES ('x', 1)",
    "INSERT INTO entry_context (name) VALUES ('x')",
  ])
    await expect(site.query(sql), sql).rejects.toThrow(/permission denied|must be owner/);
}, 300_000);

test.for(rights())(
  "without $right on $table something fails",
  { timeout: 300_000 },
  async ({ right, table }) => {
    const site = await makeGrantee();
    await site.owner(`${statements(site.role)}; REVOKE ${right} ON ${table} FROM "${site.role}"`);
    for (const args of WORK) {
      const { code, stderr } = await site.engine(args);
      if (code === 0) continue;
      expect(stderr, args.join(" ")).toContain(`permission denied for table ${table}`);
      expect(stderr).toMatch(/docs\/database\.md|deploy\/grants\.sql/);
      return;
    }
    expect.fail(`${right} on ${table} is granted and not needed`);
  },
);

const hasPsql = spawnSync("psql", ["--version"]).status === 0;

test.skipIf(!hasPsql)(
  "psql takes the file as it is, twice, and a role of any name",
  async () => {
    const site = await makeGrantee();
    const psql = (role: string) =>
      promisify(execFile)("psql", ["-X", "-q", "-v", `role=${role}`, "-f", FILE, site.ownerDsn]);
    for (let i = 0; i < 2; i++) expect(await psql(site.role)).toEqual({ stdout: "", stderr: "" });
    expect(await site.engine(["run"])).toMatchObject({ code: 0, stderr: "" });
    // A name is never SQL, and without the role nothing is granted.
    await expect(psql('x" ; DROP TABLE entry_version; --')).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringContaining("does not exist"),
    });
    expect(await site.engine(["run"])).toMatchObject({ code: 0, stderr: "" });
  },
  300_000,
);

test("docs/database.md sends its readers to the file", () => {
  const docs = readFileSync(new URL("../../docs/database.md", import.meta.url), "utf8");
  expect(/## Grants.*?\n## /su.exec(docs)?.[0]).toContain("deploy/grants.sql");
});
