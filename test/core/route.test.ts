import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Team } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { DueItem, ItemReason } from "../../src/core/notice.ts";
import { type RouteFacts, routeItems } from "../../src/core/route.ts";

const TEAMS = new Map<string, Team>([
  ["@ops", { name: "@ops", title: "", members: ["ann@h.example", "bob@h.example"] }],
]);
const BY_MAIL: RouteFacts = {
  alarm: { recipients: ["@ops"] },
  teams: TEAMS,
  channel: "email",
  target: undefined,
};

/** An item with recipients of its own; `to` are those whom the last mail went to. */
function item(
  eventId: string,
  recipients: readonly string[] = [],
  reason: ItemReason = "new",
  to?: readonly string[],
): DueItem {
  const notices = { ...NO_NOTICES, recipients, to: to === undefined ? {} : { email: to } };
  return { eventId, dedupeKey: eventId, fireTime: 0, notices, reason };
}

/** The routes as short texts: `events -> addresses [as written; own]`. */
function routed(items: readonly DueItem[], changes: Partial<RouteFacts> = {}) {
  return routeItems(items, { ...BY_MAIL, ...changes }).routes.map((route) => {
    const ids = route.items.map(({ eventId }) => eventId).join();
    return `${ids} -> ${route.recipients.join()} [${route.to.join()}; ${route.own.join()}]`;
  });
}

describe("items go by sets of recipients", () => {
  const OPS = "ann@h.example,bob@h.example";
  const rows: readonly [string, readonly DueItem[], Partial<RouteFacts>, readonly string[]][] = [
    ["nothing to say has no route", [], {}, []],
    [
      "without own recipients all are in one",
      [item("a"), item("b")],
      {},
      [`a,b -> ${OPS} [@ops; ]`],
    ],
    [
      "own recipients are added to those of the alarm",
      [item("a"), item("b", ["cy@h.example"]), item("c")],
      {},
      [`a,c -> ${OPS} [@ops; ]`, `b -> ${OPS},cy@h.example [@ops,cy@h.example; cy@h.example]`],
    ],
    [
      "the same people by other names are one set",
      [item("a"), item("b", ["Bob@h.example", "ANN@h.example"])],
      {},
      [`a,b -> ${OPS} [@ops; ]`],
    ],
    [
      "the order of own recipients does not matter",
      [item("a", ["x@h.example", "y@h.example"]), item("b", ["y@h.example", "x@h.example"])],
      { alarm: { recipients: [] } },
      ["a,b -> x@h.example,y@h.example [x@h.example,y@h.example; x@h.example,y@h.example]"],
    ],
    [
      "a clear goes to those whom the last mail went to, whoever the recipients are now",
      [item("a", ["cy@h.example"], "cleared", ["old@h.example"])],
      {},
      ["a -> old@h.example [old@h.example; old@h.example]"],
    ],
    [
      "a clear of which nobody is on record goes to those of now",
      [item("a", ["cy@h.example"], "cleared")],
      {},
      [`a -> ${OPS},cy@h.example [@ops,cy@h.example; cy@h.example]`],
    ],
    [
      "so does one that cleared before it could be mailed",
      [item("a", [], "cleared before it could be mailed", ["old@h.example"])],
      {},
      [`a -> ${OPS} [@ops; ]`],
    ],
    [
      "those whom another channel wrote to do not count",
      [item("a", [], "cleared", ["old@h.example"])],
      { channel: "mail2" },
      [`a -> ${OPS} [@ops; ]`],
    ],
    [
      "without recipients there is a route to nobody, which keeps the items",
      [item("a")],
      { alarm: { recipients: [] } },
      ["a ->  [; ]"],
    ],
    [
      "a channel with a target gets all in one, whatever the recipients",
      [item("a"), item("b", ["cy@h.example"]), item("c", [], "cleared", ["old@h.example"])],
      { channel: "chat", target: "alarms" },
      ["a,b,c -> alarms [alarms; ]"],
    ],
    ["nothing to say has none there either", [], { target: "alarms" }, []],
  ];
  test.each(rows)("%s", (_, items, changes, expected) => {
    expect(routed(items, changes)).toEqual(expected);
  });

  test("wrong own recipients are faults, once each; those of the alarm are faults of its row", () => {
    const alarm = { recipients: ["@gone", "ann@h.example"] };
    const items = [item("a", ["nobody"]), item("b", ["nobody", "cy@h.example"])];
    const { routes, faults } = routeItems(items, { ...BY_MAIL, alarm });
    expect(faults).toEqual(['"nobody" is not an email address; write one such as ann@example.org']);
    expect(routes.map(({ recipients }) => recipients)).toEqual([
      ["ann@h.example"],
      ["ann@h.example", "cy@h.example"],
    ]);
  });

  test("each item is in one route, in the order given, and no two routes have the same recipients", () => {
    const token = fc.constantFrom(
      "@ops",
      "@gone",
      "ann@h.example",
      "ANN@h.example",
      "cy@h.example",
    );
    const tokens = fc.array(token, { maxLength: 3 });
    const reason = fc.constantFrom<ItemReason>("new", "unsent", "cleared");
    const items = fc.array(fc.tuple(tokens, reason, fc.option(tokens, { nil: undefined })));
    fc.assert(
      fc.property(items, tokens, (given, recipients) => {
        const all = given.map(([own, why, to], at) => item(String(at), own, why, to));
        const { routes } = routeItems(all, { ...BY_MAIL, alarm: { recipients } });
        const found = routes.flatMap((route) => route.items);
        expect(new Set(found)).toEqual(new Set(all));
        expect(found).toHaveLength(all.length);
        for (const route of routes)
          expect(route.items).toEqual(all.filter((each) => route.items.includes(each)));
        const sets = routes.map((route) =>
          route.recipients
            .map((each) => each.toLowerCase())
            .toSorted()
            .join(),
        );
        expect(new Set(sets).size).toBe(routes.length);
      }),
    );
  });
});
