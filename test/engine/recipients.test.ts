import { beforeEach, expect, test } from "vitest";
import { undelivered } from "../../src/core/delivery.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { setTeam } from "../../src/store/teams.ts";
import { configured } from "../support/configured.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { delivered } from "../support/mails.ts";
import { eventsOf, insertAlarm } from "../support/rows.ts";
import { type EngineAt, engineAt } from "./engine_at.ts";

const DOWN = { message: "down", retryable: true, scope: "channel", mayBeDelivered: false } as const;

let engine: EngineAt;
let isDown: boolean;
/** What was delivered: the channel, the recipients, and the sections with their subjects. */
let got: string[];

beforeEach(async () => {
  engine = await engineAt(async () => openPostgres(loginTo(await createPostgres())));
  [isDown, got] = [false, []];
  const channel = (name: string, target?: string) =>
    configured(
      name,
      {
        deliver: async ({ recipients, bundle }) => {
          if (isDown) return undelivered(recipients, DOWN);
          const keys = (items: readonly { dedupeKey: string }[] = [], sign: string) =>
            items.map(({ dedupeKey }) => sign + dedupeKey);
          const { fresh, continuing, cleared } = bundle ?? {};
          const what = [...keys(fresh, "+"), ...keys(continuing, "+"), ...keys(cleared, "-")];
          got.push(`${name} ${recipients.join(" ")}: ${what.join(" ")}`);
          return delivered(recipients, []);
        },
      },
      { isDefault: true, ...(target !== undefined && { target }) },
    );
  engine.channels = new Map([
    ["email", channel("email")],
    ["chat", channel("chat", "#alarms")],
  ]);
  const team = { name: "@site", title: "", members: ["site@example.org"] };
  await engine.db.transaction((tx) => setTeam(tx, team, "test", engine.now));
  await insertAlarm(engine.db, "x", { recipients: ["ops@example.org"] });
});

/** What one tick delivers, and its errors. */
async function next(): Promise<readonly string[]> {
  got = [];
  engine.now += 300;
  const errors = (await engine.tick())?.errors ?? ["no tick"];
  return [...got, ...errors].toSorted();
}

const recipients = { b: ["@site"], c: ["OPS@example.org"], d: ["nobody"] };

test("one bundle for each set of recipients; each event is in one of them on each channel", async () => {
  engine.says("x", { keys: ["a", "b", "c"], recipients });
  expect(await next()).toEqual([
    "chat #alarms: +a +b +c",
    "email ops@example.org site@example.org: +b",
    "email ops@example.org: +a +c",
  ]);
  expect(await next()).toEqual([]);
  const events = await eventsOf(engine.db, "x");
  expect(events.map(({ data }) => [data.dedupe_key, data.recipients]).toSorted()).toEqual([
    ["a", ["ops@example.org"]],
    ["b", ["ops@example.org", "site@example.org"]],
    ["c", ["ops@example.org"]],
  ]);
});

test("what cleared before it was sent goes to its own recipients too", async () => {
  engine.says("x", { keys: ["a", "b"], recipients });
  isDown = true;
  await next();
  engine.says("x", {});
  await next();
  isDown = false;
  expect((await next()).filter((each) => !each.startsWith("chat"))).toEqual([
    "email ops@example.org site@example.org: -b",
    "email ops@example.org: -a",
  ]);
});

test("a recipient that is wrong is an error of the alarm, and the others get it", async () => {
  engine.says("x", { keys: ["a", "d"], recipients });
  expect(await next()).toEqual([
    "chat #alarms: +a +d",
    "email ops@example.org: +a +d",
    expect.stringMatching(/^x: "nobody" is not an email address/),
  ]);
});

test("a detection with other recipients than before goes to those, until it was notified", async () => {
  isDown = true;
  engine.says("x", { keys: ["b"], recipients: { b: ["wrong@example.org"] } });
  await next();
  engine.says("x", { keys: ["b"], recipients });
  isDown = false;
  expect((await next()).filter((each) => each.includes("site"))).toHaveLength(1);
});

test("what waits for recipients on one channel does not keep another from hearing of its clears", async () => {
  await engine.db.query("UPDATE entry SET data = data - 'recipients' WHERE kind = 'alarm'");
  engine.configure({ clearGuardShare: 1 });
  engine.says("x", { keys: Array.from({ length: 1001 }, (_, n) => `k${n}`) });
  await next();
  engine.says("x", {});
  await next();
  isDown = true;
  engine.says("x", { keys: ["late"] });
  await next();
  engine.says("x", {});
  await next();
  isDown = false;
  expect(await next()).toContain("chat #alarms: -late");
});
