import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listAlarms } from "../../src/alarm/alarm_list.ts";
import type { AlarmRow } from "../../src/core/model.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

/** A live row named by its entry id, with its own module unless another is given. */
function row(entryId: string, changes: Partial<AlarmRow> = {}): AlarmRow {
  const name = entryId.replace(/^alarm_/, "");
  return {
    id: `id of ${entryId}`,
    entryId,
    name,
    module: name,
    title: "",
    description: "",
    enabled: true,
    channels: [],
    notifyClear: false,
    recipients: [],
    renotify: NO_REMINDERS,
    severity: undefined,
    settle: undefined,
    clearAfter: undefined,
    params: {},
    limits: {},
    archived: false,
    faults: [],
    blocker: undefined,
    ...changes,
  };
}

/** The roster as short texts: `kind entry_id`, and the newModules. */
function told(modules: readonly string[], rows: readonly AlarmRow[]) {
  const { items, newModules } = listAlarms(modules, rows);
  return { items: items.map((item) => `${item.kind} ${item.row.entryId}`), newModules };
}

describe("folder and rows make the roster", () => {
  const rows: readonly [
    string,
    readonly string[],
    readonly AlarmRow[],
    readonly string[],
    readonly string[],
  ][] = [
    ["an empty site has none", [], [], [], []],
    ["a module with its row runs", ["a"], [row("alarm_a")], ["run alarm_a"], []],
    ["a module without a row is new", ["a", "b"], [row("alarm_a")], ["run alarm_a"], ["b"]],
    ["a row without a module is unusable", [], [row("alarm_a")], ["unusable alarm_a"], []],
    [
      "an archived row stops the alarm, and its module is no newcomer",
      ["a"],
      [row("alarm_a", { archived: true })],
      ["archived alarm_a"],
      [],
    ],
    [
      "an archived row without a module is archived, no error",
      [],
      [row("alarm_a", { archived: true })],
      ["archived alarm_a"],
      [],
    ],
    [
      "an archived row with a fault is archived, no error",
      ["a"],
      [row("alarm_a", { archived: true, blocker: "bad" })],
      ["archived alarm_a"],
      [],
    ],
    [
      "many alarms may share a module that has a row of its own",
      ["generic"],
      [
        row("alarm_b", { module: "generic" }),
        row("alarm_a", { module: "generic" }),
        row("alarm_generic"),
      ],
      ["run alarm_a", "run alarm_b", "run alarm_generic"],
      [],
    ],
    [
      "a row that names another module does not need one of its own name",
      ["other"],
      [row("alarm_a", { module: "other" }), row("alarm_other")],
      ["run alarm_a", "run alarm_other"],
      [],
    ],
    [
      "a row that names a module that is not there is unusable, its own module or not",
      ["a"],
      [row("alarm_a", { module: "gone" })],
      ["unusable alarm_a"],
      [],
    ],
    [
      "a row that cannot run for a fault of its own is unusable",
      ["a"],
      [row("alarm_a", { blocker: "bad" })],
      ["unusable alarm_a"],
      [],
    ],
    [
      "a second row for the same alarm is not run",
      ["a"],
      [row("alarm_a"), row("alarm_a", { id: "later" })],
      ["run alarm_a", "second row alarm_a"],
      [],
    ],
    ["a row without the prefix keeps its module from being new", ["a"], [row("a")], ["run a"], []],
    [
      "a module named like the row of another alarm is new all the same",
      ["alarm_a", "a"],
      [row("alarm_a")],
      ["run alarm_a"],
      ["alarm_a"],
    ],
    [
      "an archived row leaves its place to a live one, whichever is first",
      ["a"],
      [row("alarm_a", { archived: true }), row("alarm_a", { id: "live" })],
      ["archived alarm_a", "run alarm_a"],
      [],
    ],
    [
      "a path in a row is only a name that nobody has",
      ["a"],
      [row("alarm_../../etc/passwd"), row("alarm_b", { module: "../a" })],
      ["unusable alarm_../../etc/passwd", "unusable alarm_b"],
      ["a"],
    ],
    [
      "a name that every object has is not in the folder",
      ["a"],
      [row("alarm_constructor")],
      ["unusable alarm_constructor"],
      ["a"],
    ],
    [
      "they come in the order of entry_id",
      ["a", "b", "c"],
      [row("alarm_c"), row("alarm_a"), row("alarm_b")],
      ["run alarm_a", "run alarm_b", "run alarm_c"],
      [],
    ],
  ];
  test.each(rows)("%s", (_, modules, given, items, newModules) => {
    const roster = told(modules, given);
    expect(roster.items.toSorted()).toEqual([...items].toSorted());
    expect(roster.newModules).toEqual(newModules);
  });
});

function messages(modules: readonly string[], rows: readonly AlarmRow[]): string[] {
  return listAlarms(modules, rows).items.flatMap((item) => ("message" in item ? item.message : []));
}

test("a row made without the prefix names the same alarm as one with it: only one runs", () => {
  for (const name of ["a", "z"]) {
    const { items } = listAlarms([name], [row(name), row(`alarm_${name}`)]);
    expect(items.map(({ kind }) => kind).toSorted()).toEqual(["run", "second row"]);
  }
});

test("the order is that of entry_id, whatever the order of the rows", () => {
  const rows = [row("alarm_c"), row("alarm_b", { archived: true }), row("alarm_a")];
  expect(told(["a", "c"], rows).items).toEqual(["run alarm_a", "archived alarm_b", "run alarm_c"]);
});

describe("what keeps a row from running is said for the person who edits it", () => {
  test("a module that is not there, with those that are", () => {
    expect(messages(["b", "c"], [row("alarm_a")])).toEqual([
      'there is no module "a" in the alarms folders (they have: b, c); add the file, or archive the row',
    ]);
  });

  test("folders without modules say so", () => {
    expect(messages([], [row("alarm_a")])[0]).toContain("(they are empty)");
  });

  test("the row's own fault comes before a module that is not there", () => {
    expect(messages([], [row("alarm_a", { blocker: "data.module must be a text" })])).toEqual([
      "data.module must be a text",
    ]);
  });

  test("two rows: which is used and which to archive; the first given one is used", () => {
    const rows = [row("alarm_a", { id: "old" }), row("alarm_a", { id: "new" })];
    expect(messages(["a"], rows)).toEqual([
      "two rows configure the alarm a; row old is used; archive row new",
    ]);
  });
});

test("whatever rows there are, each is in the list once, an alarm runs at most once, and only from the folder", () => {
  const name = fc.constantFrom("a", "b", "c", "../a");
  const anyRow = fc
    .record({
      entryId: fc.oneof(
        name,
        name.map((n) => `alarm_${n}`),
      ),
      archived: fc.boolean(),
      module: name,
    })
    .map(({ entryId, ...changes }) => row(entryId, changes));
  fc.assert(
    fc.property(fc.subarray(["a", "b", "c", "alarm_a"]), fc.array(anyRow), (modules, rows) => {
      const { items, newModules } = listAlarms(modules, rows);
      expect(new Set(items.map((item) => item.row))).toEqual(new Set(rows));
      expect(items).toHaveLength(rows.length);
      const ran = items.filter(({ kind }) => kind === "run").map((item) => item.row);
      expect(new Set(ran.map((item) => item.name)).size).toBe(ran.length);
      for (const item of ran) expect(modules).toContain(item.module);
      const named = new Set(rows.map((item) => item.name));
      expect(newModules).toEqual(modules.filter((module) => !named.has(module)));
    }),
  );
});
