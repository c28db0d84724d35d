import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPostgres } from "../../src/store/postgres.ts";
import { createPostgres } from "../support/databases.ts";
import { runEngine } from "../support/process.ts";

const ALARM = `
export const SOURCES = [];
export function* detect(client) {
  yield { dedupeKey: client.now % 2 < 1 ? "even" : "odd", subject: "a second" };
  yield { dedupeKey: "always", subject: "always" };
}
`;

test("the grants in docs/database.md are all that ticks and commands need", async () => {
  const docs = readFileSync(new URL("../../docs/database.md", import.meta.url), "utf8");
  const grants = /## Grants.*?```sql\n(.*?)```/su.exec(docs)?.[1] ?? "";
  const dsn = new URL(await createPostgres());
  const role = `r_${dsn.pathname.slice(3)}`;
  const site = mkdtempSync(join(tmpdir(), "swf-alarms-grants-"));
  const config = (): void =>
    writeFileSync(
      join(site, "config.toml"),
      `[engine]\nalarms_dir = "alarms"\n[db]\ndsn = "${dsn.href}"\n[email]\nprovider = "file"\n`,
    );
  const engine = async (...args: string[]): Promise<void> =>
    expect(await runEngine(args, { cwd: site })).toMatchObject({ code: 0, stderr: "" });
  try {
    mkdirSync(join(site, "alarms"));
    writeFileSync(join(site, "alarms", "seconds.mjs"), ALARM);
    config();
    await engine("migrate");
    const owner = await openPostgres({ dsn: dsn.href });
    await owner.script(
      `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; ${grants.replaceAll("swf_alarms;", `${role};`)}`,
    );
    await owner.close();

    dsn.username = role;
    dsn.password = "secret";
    config();
    await engine("team", "set", "@t", "a@example.org");
    await engine("team", "set", "@t", "b@example.org");
    await engine("run");
    await engine("alarm", "set", "seconds", "--mail", "on", "--recipients", "@t");
    await engine("run");
    await engine("run", "--plan");
    await engine("alarm", "try", "seconds");
    await engine("run", "list");
    await engine("event", "list", "--all");
    await engine("team", "remove", "@t");
    const db = await openPostgres({ dsn: dsn.href });
    await expect(db.query("DELETE FROM entry")).rejects.toThrow("permission denied");
    await db.close();
  } finally {
    rmSync(site, { recursive: true, force: true });
  }
}, 300_000);
