import { describe, expect, test } from "vitest";
import { withParts } from "./document.ts";
import {
  type Figure,
  judge,
  median,
  ratio,
  renderSpread,
  renderValue,
  type Unit,
} from "./figures.ts";
import { FIRST_ID, isFailing, page, pandaTask } from "./panda_tasks.ts";
import { axis, renderPicture } from "./picture.ts";
import { messageReader } from "./statement_count.ts";
import { renderSection } from "./tables.ts";

const FIGURE: Figure = { work: "a tick", measure: "wall", unit: "s", values: [3, 1, 2] };

const HALF = { name: "raw", values: [0.5] };

describe("what is said of the values", () => {
  test.each([
    ["of one", [7], 7],
    ["of an odd number the middle one", [9, 1, 2], 2],
    ["of an even number between the middle two", [4, 1, 2, 9], 3],
  ])("the median %s", (_, values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test.each<[string, Partial<Figure>, ReturnType<typeof judge>]>([
    ["at the target it is reached", { target: 2 }, "reached"],
    ["above it is not", { target: 1.9 }, "missed"],
    ["at so many times the floor it is reached", { targetRatio: 4, floor: HALF }, "reached"],
    ["above that it is not", { targetRatio: 3.9, floor: HALF }, "missed"],
    ["without a floor no ratio was measured", { targetRatio: 4 }, "not measured"],
    ["without a target there is nothing to reach", {}, "no target"],
    ["without values nothing was measured", { target: 2, values: [] }, "not measured"],
  ])("%s", (_, part, expected) => {
    expect(judge({ ...FIGURE, ...part })).toBe(expected);
  });

  test.each<[string, Partial<Figure>, number | undefined]>([
    ["the medians of both", { floor: { name: "raw", values: [1, 0.5, 0.2] } }, 4],
    ["nothing without a floor", {}, undefined],
    ["nothing by a floor of nothing", { floor: { name: "raw", values: [0] } }, undefined],
    ["nothing where the floor was not measured", { floor: { name: "raw", values: [] } }, undefined],
  ])("the ratio is %s", (_, part, expected) => {
    expect(ratio({ ...FIGURE, ...part })).toBe(expected);
  });

  test.each<[number, Unit, string]>([
    [0.0213, "s", "0.021 s"],
    [0.2, "s", "0.20 s"],
    [12.34, "MB", "12.3 MB"],
    [1234.5, "B", "1,235 B"],
    [3, "", "3"],
    [1.3, "×", "1.30 ×"],
  ])("%d of %j is %s", (value, unit, expected) => {
    expect(renderValue(value, unit)).toBe(expected);
  });

  test("a spread is from the least to the most", () => {
    expect(renderSpread([0.3, 0.1, 0.2])).toBe("0.10…0.30");
    expect(renderSpread([0.3])).toBe("one run");
  });
});

test("a section is a table that says what is missed, and by how much its floor is", () => {
  const text = renderSection({
    title: "Ticks",
    figures: [{ ...FIGURE, target: 1, floor: { name: "raw SQL", values: [0.5] } }],
    notes: ["A note."],
  });
  expect(text.replaceAll(/ {2,}/g, " ").replaceAll(/-+/g, "-")).toBe(
    [
      "### Ticks",
      "",
      "| work | measured | median | spread | to reach | | floor | ratio |",
      "| - | - | - | - | - | - | - | - |",
      "| a tick | wall | 2 s | 1…3 | ≤ 1 s | **missed** | raw SQL: 0.50 s | 4 × |",
      "",
      "A note.",
    ].join("\n"),
  );
});

test("only what is between a part's marks is written anew", () => {
  const document = "Prose.\n<!-- idle -->\nold\n<!-- /idle -->\nMore prose.\n";
  const written = withParts(document, { idle: "new" });
  expect(written).toBe("Prose.\n<!-- idle -->\nnew\n<!-- /idle -->\nMore prose.\n");
  expect(withParts(written, { idle: "new" })).toBe(written);
  expect(() => withParts(document, { tasks: "new" })).toThrow("<!-- tasks -->");
});

describe("a picture", () => {
  test("has axes of whole powers of ten", () => {
    const { decades, place } = axis([10, 100_000], 0, 400);
    expect(decades).toEqual([10, 100, 1_000, 10_000, 100_000]);
    expect([10, 1_000, 100_000].map(place)).toEqual([0, 200, 400]);
  });

  test("is SVG with a mark for each point and with every name", () => {
    const svg = renderPicture({
      title: "Time & floor",
      x: "events",
      y: "seconds",
      lines: [
        {
          name: "tick",
          colour: "#000000",
          points: [
            [10, 0.1],
            [100, 0.2],
          ],
        },
        { name: "floor", colour: "#888888", points: [[10, 0.01]] },
      ],
    });
    expect(svg.startsWith("<svg ") && svg.endsWith("</svg>\n")).toBe(true);
    // Three points, and a sample of each line.
    expect(svg.match(/<circle /g)).toHaveLength(5);
    for (const words of ["Time &amp; floor", "events", "seconds", ">tick<", ">floor<"])
      expect(svg).toContain(words);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

test("pages lead through the whole list, newest first, and end", () => {
  const ids: number[] = [];
  let before: number | undefined;
  for (let more = true; more; ) {
    const { items, has_more, next_before_id } = page(450, (id) => ({ id }), 200, before);
    ids.push(...items.flatMap((item) => ("id" in item ? [Number(item.id)] : [])));
    expect(next_before_id === null).toBe(!has_more);
    before = next_before_id ?? undefined;
    more = has_more;
  }
  expect(ids).toEqual(Array.from({ length: 450 }, (_, place) => FIRST_ID + 449 - place));
  expect(ids.filter(isFailing)).toHaveLength(360);
  expect(page(0, pandaTask, 200, undefined)).toEqual({
    items: [],
    has_more: false,
    next_before_id: null,
  });
});

test("messages to Postgres are told by type, however the bytes arrive", () => {
  const message = (type: string, body: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(4 + body.length);
    return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
  };
  const sent = Buffer.concat([
    message("", "user swf_alarms"),
    message("Q", "BEGIN"),
    message("P", "SELECT Q"),
    message("E", ""),
    message("S", ""),
  ]);
  for (const size of [1, 3, 1_000]) {
    const types: string[] = [];
    const read = messageReader((type) => types.push(type));
    for (let at = 0; at < sent.length; at += size) read(sent.subarray(at, at + size));
    expect(types.join("")).toBe("QPES");
  }
});

test("every part can be measured: the files that it loads are in the build", async () => {
  const { PARTS } = await import("./parts.ts");
  expect([...PARTS.keys()]).toContain("startup");
});
