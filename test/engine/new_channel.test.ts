import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readChannels, TYPES } from "../../src/channel/registry.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { createPostgres } from "../support/databases.ts";
import { BARE, loginTo } from "../support/login.ts";
import { noticeBoard } from "../support/notice_board.ts";
import { insertAlarm, only, readEntries } from "../support/rows.ts";
import { engineAt } from "./engine_at.ts";

/** What adds a kind of channel: its file, and its line in the registry. */
const WITH_BOARD = { ...TYPES, board: noticeBoard };

function configure(settings: object) {
  const table = { path: ["channels", "hall"], settings: { type: "board", ...settings } };
  return readChannels({ tables: new Map([["hall", table]]), around: BARE }, WITH_BOARD);
}

test("one file and one line add a kind of channel, which a tick delivers through", async () => {
  const engine = await engineAt(async () => openPostgres(loginTo(await createPostgres())));
  const board = `${engine.alarmsDir}/board.txt`;
  engine.channels = configure({ board, default: true });
  await insertAlarm(engine.db, "x");
  engine.says("x", { keys: ["a"] });
  expect((await engine.tick())?.errors).toEqual([]);
  expect(readFileSync(board, "utf8")).toBe(
    "[alarm_x] 1 detection(s), 1 new, 0 continuing: a is wrong\n",
  );
  expect(only(await readEntries(engine.db, "notification")).data).toMatchObject({
    channel: "hall",
    type: "board",
    to: [board],
    state: "delivered",
  });
});

test("its settings are checked as those of any other", () => {
  expect(configure({ bord: "/x" }).get("hall")?.faults).toEqual([
    "channels.hall.bord: unknown key (did you mean board?)",
  ]);
});
