import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { listTeams, removeTeam, setTeam } from "../../src/store/teams.ts";
import { DATABASES } from "../support/databases.ts";
import { insertEntry, only, type RawEntry } from "../support/raw_entries.ts";

const NOW = 1_790_000_000.5;

describe.each(DATABASES)("teams on $kind", ({ open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  beforeEach(() => db.script("DELETE FROM entry_version; DELETE FROM entry"));
  afterAll(() => db.close());

  const written = (rest: Partial<RawEntry>) =>
    insertEntry(db, { kind: "team", context: "teams", ...rest });
  const set = (members: readonly string[], title = "On shift", now = NOW) =>
    db.transaction((tx) => setTeam(tx, { name: "@shift", title, members }, "cli:me", now));
  const rows = () => db.query("SELECT * FROM entry ORDER BY name");

  test("a new team is the contract's row, which Django reads", async () => {
    await set(["a@h.example", "b@h.example"]);
    expect(await rows()).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        title: "On shift",
        content: "a@h.example\nb@h.example",
        kind: "team",
        name: "@shift",
        data: { entry_id: "team_shift" },
        priority: null,
        status: "active",
        archived: false,
        timestamp_created: NOW,
        timestamp_modified: NOW,
        deleted_at: null,
        parent_id: null,
        context_id: "teams",
      },
    ]);
    const team = { name: "@shift", title: "On shift", members: ["a@h.example", "b@h.example"] };
    expect(await listTeams(db)).toEqual(new Map([["@shift", team]]));
  });

  test.each([
    ["spaces", "a@h.example b@h.example"],
    ["commas", "a@h.example,b@h.example"],
    ["semicolons", "a@h.example; b@h.example;"],
    ["line breaks of both kinds", "a@h.example\r\nb@h.example\n"],
    ["tabs", "\ta@h.example\t\tb@h.example"],
    ["all at once", " ,a@h.example ;,\n\t b@h.example,; "],
  ])("members that people separated with %s are read", async (_sentence, content) => {
    await written({ name: "@typed", title: "Typed", content });
    const members = ["a@h.example", "b@h.example"];
    expect((await listTeams(db)).get("@typed")).toEqual({
      name: "@typed",
      title: "Typed",
      members,
    });
  });

  const unseen: readonly (readonly [string, Partial<RawEntry>])[] = [
    ["an archived team", { archived: true }],
    ["a deleted team", { deletedAt: 5 }],
    ["a row of another kind", { kind: "alarm" }],
    ["a row in another context", { context: "swf-alarms" }],
  ];
  test.each(unseen)("not a team in use: %s", async (_sentence, rest) => {
    await written({ name: "@x", content: "a@h.example", ...rest });
    expect(await listTeams(db)).toEqual(new Map());
  });

  test("a team row without a name is no team", async () => {
    await written({ content: "a@h.example" });
    expect(await listTeams(db)).toEqual(new Map());
  });

  test("names are told apart by case, and a team may be empty", async () => {
    await written({ name: "@Shift", content: "a@h.example" });
    await written({ name: "@shift", content: " " });
    const teams = await listTeams(db);
    expect(teams.get("@Shift")?.members).toEqual(["a@h.example"]);
    expect(teams.get("@shift")?.members).toEqual([]);
  });

  test("a change replaces title and members, keeps the state before, and leaves the rest of the row", async () => {
    const data = { entry_id: "team_shift", note: "by hand" };
    const id = await written({ name: "@shift", title: "Old", content: "old@h.example", data });
    const before = only(await rows());
    await set(["new@h.example"], "N".repeat(300));
    expect(await rows()).toEqual([
      {
        ...before,
        title: "N".repeat(255),
        content: "new@h.example",
        timestamp_modified: NOW,
      },
    ]);
    expect(
      await db.query(
        "SELECT version_num, title, content, data, changed_by FROM entry_version WHERE entry_id = $1",
        [id],
      ),
    ).toEqual([
      { version_num: 1, title: "Old", content: "old@h.example", data, changed_by: "cli:me" },
    ]);
  });

  test("a removed team is out of use and stays as a row; set again it comes back as the same row", async () => {
    await set(["a@h.example"]);
    const [made] = await rows();
    expect(await db.transaction((tx) => removeTeam(tx, "@shift", NOW + 1))).toBe(true);
    expect(await listTeams(db)).toEqual(new Map());
    expect(await rows()).toEqual([
      { ...made, archived: true, deleted_at: NOW + 1, timestamp_modified: NOW + 1 },
    ]);
    expect(await db.transaction((tx) => removeTeam(tx, "@shift", NOW + 2))).toBe(false);

    await set(["b@h.example"], "Back", NOW + 3);
    expect(await rows()).toEqual([
      { ...made, title: "Back", content: "b@h.example", timestamp_modified: NOW + 3 },
    ]);
    expect([...(await listTeams(db)).keys()]).toEqual(["@shift"]);
  });

  test("removing touches one team only; an unknown one is told", async () => {
    await set(["a@h.example"]);
    await written({ name: "@Shift", content: "a@h.example" });
    await written({ name: "@shift", kind: "alarm", context: "swf-alarms" });
    await written({ name: "@note", kind: "note" });
    expect(await db.transaction((tx) => removeTeam(tx, "@note", NOW))).toBe(false);
    expect(await db.transaction((tx) => removeTeam(tx, "@night", NOW))).toBe(false);
    expect(await db.transaction((tx) => removeTeam(tx, "@shift", NOW))).toBe(true);
    expect([...(await listTeams(db)).keys()]).toEqual(["@Shift"]);
    const live = await db.query("SELECT 1 FROM entry WHERE archived = false");
    expect(live).toHaveLength(3);
  });

  test("quotes and other scripts are only text", async () => {
    const name = `@o'"\\漢`;
    await db.transaction((tx) =>
      setTeam(tx, { name, title: `'; --`, members: ["o'brien@h.example"] }, "cli:me", NOW),
    );
    expect((await listTeams(db)).get(name)).toEqual({
      name,
      title: `'; --`,
      members: ["o'brien@h.example"],
    });
  });
});
