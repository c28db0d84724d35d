import { expect, test } from "vitest";
import { SEVERITIES } from "../../src/core/level.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { CountingDatabase } from "../support/counting_database.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { engineAt } from "./engine_at.ts";

/**
 * Statements of a tick beside those of its alarms: its record, the rows that it reads, the end of its record, the
 * removal of old rows, and what makes the writes among them three transactions.
 */
const PER_TICK = 19;

async function site() {
  let db: CountingDatabase | undefined;
  const at = await engineAt(async () => {
    db = new CountingDatabase(await openPostgres(loginTo(await createPostgres())));
    return db;
  });
  at.configure({ clearGuardShare: 1 });
  /** How many statements a tick sends. */
  const sent = async (): Promise<number> => {
    db?.take();
    expect((await at.tick())?.errors).toEqual([]);
    at.now += 300;
    return db?.take().length ?? 0;
  };
  return { at, sent };
}

function keys(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `k${n}`);
}

test("a tick sends as many statements for 3,000 detections as for 10, with its mail", async () => {
  const { at, sent } = await site();
  at.says("one", {});
  await sent();
  const course = async (count: number): Promise<readonly number[]> => {
    const counts: number[] = [];
    for (const detected of [keys(count), keys(count), keys(count).slice(1), []]) {
      at.says("one", { keys: detected });
      counts.push(await sent());
    }
    return counts;
  };
  expect(await course(3_000)).toEqual(await course(10));
  await at.db.query(
    `UPDATE entry SET data = data || '{"enabled": true, "recipients": ["a@example.org"]}' WHERE kind = 'alarm'`,
  );
  expect(await course(3_000)).toEqual(await course(10));
  expect(at.mails()).toHaveLength(2);
});

test("it sends as many for any number of severities that change, and of clears with a reason of their own", async () => {
  const { at, sent } = await site();
  at.says("one", {});
  await sent();
  const course = async (count: number): Promise<readonly number[]> => {
    const all = keys(count);
    const each = (value: (key: string, n: number) => string) =>
      Object.fromEntries(all.map((key, n) => [key, value(key, n)]));
    const counts: number[] = [];
    for (const said of [
      { keys: all },
      { keys: all, severities: each((_, n) => SEVERITIES[n % 4] ?? "") },
      { keys: all, severities: each(() => "error") },
      { keys: all.slice(1), severities: each(() => "warning"), clears: { k0: "over" } },
      { clears: each((key) => `${key} is over`) },
    ]) {
      at.says("one", said);
      counts.push(await sent());
    }
    return counts;
  };
  const written = `SELECT count(DISTINCT data->>'clear_reason')::int AS reasons, count(*) FILTER (WHERE data->'swf' ? 'fired')::int AS changed
    FROM entry WHERE kind = 'event'`;
  expect(await course(3_000)).toEqual(await course(12));
  expect(await at.db.query(written)).toEqual([{ reasons: 3_000, changed: 3_012 }]);
  await at.db.query(
    `UPDATE entry SET data = data || '{"enabled": true, "recipients": ["a@example.org"], "notify_clear": true}' WHERE kind = 'alarm'`,
  );
  expect(await course(3_000)).toEqual(await course(12));
});

test.each([1, 2, 20])(
  "a tick of %d alarms with nothing to do sends few statements",
  async (count) => {
    const { at, sent } = await site();
    for (const name of keys(count)) at.says(name, {});
    await sent();
    expect(await sent()).toBeLessThanOrEqual(PER_TICK + count);
  },
);
