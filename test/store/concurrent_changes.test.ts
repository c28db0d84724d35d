import { expect, onTestFinished, test } from "vitest";
import { changeAlarm, createAlarm } from "../../src/store/alarms.ts";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { listTeams, setTeam } from "../../src/store/teams.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { only, readEntries } from "../support/rows.ts";

const NOW = 1_800_000_000;
const COMMANDS = 8;

/** Sessions of so many commands that run at the same time. */
async function openMany(): Promise<readonly Database[]> {
  const dsn = await createPostgres();
  const all = await Promise.all(Array.from({ length: COMMANDS }, () => openPostgres(loginTo(dsn))));
  onTestFinished(async () => {
    await Promise.all(all.map((db) => db.close()));
  });
  await migrate(only(all.slice(0, 1)));
  return all;
}

test("of changes of one alarm at the same time none is lost, and each has its version", async () => {
  const all = await openMany();
  const [db] = all;
  const wish = { name: "x", title: undefined, description: undefined, params: { old: 1 } };
  const row = await only(all.slice(0, 1)).transaction((tx) => createAlarm(tx, wish, NOW));
  await Promise.all(
    all.map((own, n) =>
      own.transaction((tx) =>
        changeAlarm(tx, row.id, { data: {}, params: { [`p${n}`]: n }, unset: ["old"] }, "me", NOW),
      ),
    ),
  );
  const { data } = only(await readEntries(only(all.slice(0, 1)), "alarm"));
  const params = Object.fromEntries(all.map((_, n) => [`p${n}`, n]));
  expect(data.params).toEqual(params);
  const versions = await db?.query("SELECT version_num FROM entry_version ORDER BY version_num");
  expect(versions?.map((version) => version.version_num)).toEqual(all.map((_, n) => n + 1));
});

test("a team that several commands make at the same time is one team, and the last members stay", async () => {
  const all = await openMany();
  await Promise.all(
    all.map((own, n) =>
      own.transaction((tx) =>
        setTeam(tx, { name: "@t", title: "T", members: [`u${n}@example.org`] }, "me", NOW),
      ),
    ),
  );
  const team = (await listTeams(only(all.slice(0, 1)))).get("@t");
  expect(team?.members).toHaveLength(1);
  const versions = await all[0]?.query("SELECT version_num FROM entry_version");
  expect(versions).toHaveLength(COMMANDS - 1);
});
