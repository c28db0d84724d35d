import { expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { DATABASES } from "../support/databases.ts";
import { insertAlarm, only, readEntries } from "../support/rows.ts";
import { engineAt } from "./engine_at.ts";

/** What a database refuses: the statements that the test says, as if a row could not be read. */
function refusing(db: Database, isRefused: (sql: string, alarm: unknown) => boolean): Database {
  return {
    query: async (sql, params) => {
      if (isRefused(sql, params?.[0])) throw new Error("this row cannot be read");
      return await db.query(sql, params);
    },
    transaction: (work) => db.transaction(work),
    script: (sql) => db.script(sql),
    tryLock: (name, limit) => db.tryLock(name, limit),
    isLocked: (name) => db.isLocked(name),
    close: () => db.close(),
  };
}

test("where an alarm's active events cannot be read, none is opened twice, cleared or mailed again", async () => {
  const { open } = only(DATABASES.slice(0, 1));
  let broken = false;
  const engine = await engineAt(async () =>
    refusing(
      await open(),
      (sql, alarm) => broken && sql.includes('AS "clearHeldAt"') && alarm === "event_x",
    ),
  );
  for (const name of ["x", "y"]) {
    await insertAlarm(engine.db, name);
    engine.says(name, { keys: ["a", "b"] });
  }
  await engine.tick();
  const before = await readEntries(engine.db, "event");
  const ofX = before.filter(({ data }) => data.entry_id === "event_x");
  expect(ofX).toHaveLength(2);
  expect(engine.mails()).toHaveLength(2);

  broken = true;
  engine.now += 300;
  engine.says("x", { keys: ["b", "c"] });
  engine.says("y", { keys: ["b", "c"] });
  const report = await engine.tick();
  expect(report?.errors).toEqual([expect.stringMatching(/^x: .*this row cannot be read/)]);
  const after = await readEntries(engine.db, "event");
  expect(after.filter(({ data }) => data.entry_id === "event_x")).toStrictEqual(ofX);
  const activeOfY = after.filter(
    ({ data }) => data.entry_id === "event_y" && data.clear_time === null,
  );
  expect(activeOfY.map(({ data }) => data.dedupe_key).sort()).toEqual(["b", "c"]);
  expect(engine.mails()).toHaveLength(3);

  broken = false;
  engine.now += 300;
  expect((await engine.tick())?.errors).toEqual([]);
  const keys = (await readEntries(engine.db, "event"))
    .filter(({ data }) => data.entry_id === "event_x" && data.clear_time === null)
    .map(({ data }) => data.dedupe_key);
  expect(keys.sort()).toEqual(["b", "c"]);
  expect(engine.mails()).toHaveLength(4);
});
