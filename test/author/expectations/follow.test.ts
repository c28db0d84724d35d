import { describe, expect, test } from "vitest";
import type { Expectation, Sight } from "../../../src/author/expectations/expectation.ts";
import { type FollowFacts, follow } from "../../../src/author/expectations/follow.ts";

interface Crate {
  readonly id: string;
  readonly began: number;
  /** What is known, by what is looked for. */
  readonly sights: Map<string, Sight>;
  /** What each fact shows once it is loaded. */
  readonly facts: { readonly [need: string]: { readonly [want: string]: Sight } };
}

const MAP: Expectation<string> = { name: "map", want: "map", within: 100, severity: "error" };
const NOTICE: Expectation<string> = {
  name: "notice",
  want: "notice",
  within: 60,
  after: ["map"],
  owner: "ana",
  words: "first notice",
};

async function followed(
  sights: { readonly [want: string]: Sight },
  now: number,
  more: Partial<FollowFacts<string, Crate>> & { readonly facts?: Crate["facts"] } = {},
) {
  const loaded: string[] = [];
  const unknown: string[] = [];
  const notes: string[] = [];
  const crate: Crate = {
    id: "S1",
    began: 1000,
    sights: new Map(Object.entries(sights)),
    facts: more.facts ?? {},
  };
  const items: unknown[] = [];
  const all = follow<string, Crate>(
    {
      graph: { expectations: [MAP, NOTICE] },
      now,
      id: ({ id }) => id,
      start: ({ began }) => began,
      look: (entity, want) => entity.sights.get(want) ?? false,
      load: async (entity, need) => {
        loaded.push(need);
        for (const [want, sight] of Object.entries(entity.facts[need] ?? {}))
          entity.sights.set(want, sight);
      },
      unknown: (reason, key) => void unknown.push(`${key} | ${reason}`),
      note: (text) => void notes.push(text),
      ...more,
    },
    crate,
  );
  for await (const item of all) items.push(item);
  return { items, loaded, unknown, notes };
}

describe("an entity is followed along a graph", () => {
  test("what is missing is detected, with its deadline, once for what waits for it too", async () => {
    expect(await followed({}, 1200)).toEqual({
      items: [
        {
          dedupeKey: "S1:map",
          subject: "S1: map is missing",
          body: "It was expected by 1970-01-01 00:18:20 UTC.",
          severity: "error",
          data: {
            state: "missing",
            expectation: "map",
            expected_by: "1970-01-01 00:18:20 UTC",
            owner: undefined,
          },
        },
      ],
      loaded: [],
      unknown: [],
      notes: [],
    });
  });

  test("what is unusable is detected in other words", async () => {
    const { items } = await followed({ map: 1010, notice: { bad: "it is empty" } }, 1020);
    expect(items).toMatchObject([
      {
        dedupeKey: "S1:notice",
        subject: "S1: first notice is unusable",
        body: "It is there, but unusable: it is empty.",
        data: { state: "bad", owner: "ana" },
      },
    ]);
  });

  test("what came late ends its event, and says by how much", async () => {
    expect((await followed({ map: 1130.2 }, 1140)).items).toEqual([
      { dedupeKey: "S1:map", clear: "late by 31 s" },
    ]);
  });

  test("what came late before it was reported is noted, and ends nothing", async () => {
    const firing = new Set(["S1:notice"]);
    const { items, notes } = await followed({ map: 1130.2 }, 1140, { firing });
    expect({ items, notes }).toEqual({ items: [], notes: ["S1: map came 31 s late"] });
    const told = await followed({ map: 1130.2 }, 1140, { firing: new Set(["S1:map"]) });
    expect(told.notes).toEqual([]);
    const words = await followed({ map: 1010, notice: 1071 }, 1140, { firing });
    expect(words).toMatchObject({ items: [{ clear: "late by 1 s" }], notes: [] });
    const named = await followed({ map: 1010, notice: 1071 }, 1140, { firing: new Set() });
    expect(named).toMatchObject({ items: [], notes: ["S1: first notice came 1 s late"] });
  });

  test("what cannot be looked at is reported with its key", async () => {
    const firing = new Set<string>();
    expect(await followed({ map: { unknown: "504" } }, 1200, { firing })).toEqual({
      items: [],
      loaded: [],
      unknown: ["S1:map | S1:map: 504"],
      notes: [],
    });
  });

  test("what may be firing and waits for what cannot be looked at is reported too, whatever is between", async () => {
    const DRAFT = { name: "draft", want: "draft", within: 5, after: ["notice"] };
    const graph = { expectations: [MAP, NOTICE, DRAFT] };
    const unknown = async (...firing: string[]) => {
      const sights = { map: { unknown: "504" } };
      return (await followed(sights, 1200, { graph, firing: new Set(firing) })).unknown;
    };
    const map = "S1:map | S1:map: 504";
    const draft = 'S1:draft | S1:draft: it waits for "map", which is unknown';
    expect(await unknown()).toEqual([map]);
    expect(await unknown("S1:draft", "S2:notice")).toEqual([map, draft]);
    expect((await followed({ map: { unknown: "504" } }, 1200, { graph })).unknown).toEqual([
      map,
      'S1:notice | S1:notice: it waits for "map", which is unknown',
      draft,
    ]);
    // It waits for what is missing, so that its event may end.
    const all = new Set(["S1:notice", "S1:draft"]);
    expect((await followed({}, 1200, { graph, firing: all })).unknown).toEqual([]);
  });

  test("an event does not end because nothing can be looked at before the deadline", async () => {
    const firing = new Set(["S1:map"]);
    const outage = { map: { unknown: "504" } };
    expect((await followed(outage, 1050, { firing })).unknown).toEqual(["S1:map | S1:map: 504"]);
    expect((await followed(outage, 1050, { firing: new Set() })).unknown).toEqual([]);
    // What comes after it is firing, because it was bad.
    const child = await followed(outage, 1050, { firing: new Set(["S1:notice"]) });
    expect(child.unknown).toEqual([
      "S1:map | S1:map: 504",
      'S1:notice | S1:notice: it waits for "map", which is unknown',
    ]);
  });

  test("nor because the time of what it comes after cannot be looked at any more", async () => {
    const look = (_: Crate, want: string, timed: boolean): Sight => {
      if (want !== "map") return false;
      return timed ? { unknown: "504" } : true;
    };
    const reported = ['S1:notice | S1:notice: the time of "map" is not known: 504'];
    const firing = new Set(["S1:notice"]);
    const quiet = new Set<string>();
    expect((await followed({}, 1060, { look, firing })).unknown).toEqual(reported);
    expect((await followed({}, 1060, { look, firing: quiet })).unknown).toEqual([]);
    // Now it may be overdue.
    expect((await followed({}, 1061, { look, firing: quiet })).unknown).toEqual(reported);
  });

  test("nor because an alternative that was in time earlier is not loaded any more", async () => {
    const graph = { expectations: [{ ...MAP, want: { any: ["map", "file"] } }, NOTICE] };
    const sights = { map: 1020, file: { need: "files" } };
    const facts = { files: { file: 1010 } };
    const firing = new Set(["S1:notice"]);
    const { items, loaded } = await followed(sights, 1075, { graph, facts, firing });
    expect(items).toMatchObject([{ dedupeKey: "S1:notice", data: { state: "missing" } }]);
    expect(loaded).toEqual(["files"]);
    const quiet = await followed(sights, 1075, { graph, facts, firing: new Set() });
    expect(quiet).toMatchObject({ items: [], loaded: [] });
  });

  test("what became of each expectation is passed on, once", async () => {
    const seen: unknown[] = [];
    await followed({ map: 1010 }, 1080, {
      seen: (entity, verdicts) =>
        void seen.push([
          entity,
          verdicts.map(({ expectation, state }) => [expectation.name, state]),
        ]),
    });
    expect(seen).toEqual([
      [
        "S1",
        [
          ["map", "met"],
          ["notice", "missing"],
        ],
      ],
    ]);
  });

  test("a fact that nothing loads is an error of the module", async () => {
    await expect(followed({ map: { need: "files" } }, 1200, { load: undefined })).rejects.toThrow(
      "S1: look needs files, and there is no load",
    );
  });

  test("a fact is loaded only if it decides something, and once", async () => {
    const sights = { map: { need: "files" }, notice: { need: "notices" } };
    const facts = { files: { map: 1010 }, notices: { notice: false as const } };
    expect((await followed(sights, 1050, { facts })).loaded).toEqual([]);
    const { loaded, items } = await followed(sights, 1150, { facts });
    expect(loaded).toEqual(["files", "notices"]);
    expect(items).toMatchObject([{ dedupeKey: "S1:notice" }]);
  });

  test("the exact time of what is firing is loaded, to say how late it came", async () => {
    const look = (entity: Crate, want: string, timed: boolean): Sight => {
      const sight = entity.sights.get(want) ?? false;
      return want === "map" && sight === true && timed ? { need: "labels" } : sight;
    };
    const facts = { labels: { map: 1150 } };
    const quiet = await followed({ map: true, notice: true }, 1300, {
      look,
      facts,
      firing: new Set(),
    });
    expect(quiet).toEqual({ items: [], loaded: [], unknown: [], notes: [] });
    const firing = new Set(["S1:map"]);
    const { items, loaded } = await followed({ map: true, notice: true }, 1300, {
      look,
      facts,
      firing,
    });
    expect(loaded).toEqual(["labels"]);
    expect(items).toEqual([{ dedupeKey: "S1:map", clear: "late by 50 s" }]);
  });

  test("the module's own words replace the usual ones, and its data are added", async () => {
    const describe = () => ({ subject: "no map", body: "call Ana", data: { run: "O4" } });
    const { items } = await followed({}, 1200, { describe });
    expect(items).toMatchObject([
      {
        subject: "no map",
        body: "call Ana",
        severity: "error",
        data: { state: "missing", run: "O4" },
      },
    ]);
  });

  test("a fact that stays unknown after it was loaded is an error of the module", async () => {
    await expect(followed({ map: { need: "files" } }, 1200)).rejects.toThrow(
      "S1: look needs files, which was loaded already",
    );
  });
});
