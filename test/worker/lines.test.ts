import { StringDecoder } from "node:string_decoder";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineSplitter } from "../../src/worker/lines.ts";

/** The lines that come of these chunks. */
function linesOf(chunks: readonly Buffer[], limit = Number.POSITIVE_INFINITY): readonly string[] {
  const lines: string[] = [];
  const split = lineSplitter(limit, (line) => lines.push(line));
  const decoder = new StringDecoder();
  for (const chunk of chunks) split(decoder.write(chunk));
  return lines;
}

/** A text's bytes, cut at these places. */
function cutAt(text: string, cuts: readonly number[]): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", ""));
const cuts = fc.array(fc.nat(), { maxLength: 20 });

describe("lines come out as they went in", () => {
  test("wherever the stream is cut, in the middle of a character too", () => {
    fc.assert(
      fc.property(fc.array(line), cuts, (lines, places) => {
        const chunks = cutAt(lines.map((each) => `${each}\n`).join(""), places);
        expect(linesOf(chunks)).toEqual(lines);
      }),
    );
  });

  test("and one that has not ended is not passed on", () => {
    expect(linesOf([Buffer.from("a\nb")])).toEqual(["a"]);
    expect(linesOf([Buffer.from("a\nb"), Buffer.from("c\n")])).toEqual(["a", "bc"]);
    expect(linesOf([Buffer.from("\n\n")])).toEqual(["", ""]);
  });
});

describe("a line past the limit is passed on in parts, so that an endless line does not fill the memory", () => {
  test("as soon as it is too long", () => {
    expect(linesOf([Buffer.from("abc"), Buffer.from("def")], 4)).toEqual(["abcdef"]);
    expect(linesOf([Buffer.from("abc"), Buffer.from("d")], 4)).toEqual([]);
  });

  test("and what follows starts anew", () => {
    const chunks = ["abcde", "f\ng\n"].map((text) => Buffer.from(text));
    expect(linesOf(chunks, 4)).toEqual(["abcde", "f", "g"]);
  });

  test("and nothing of it is lost", () => {
    fc.assert(
      fc.property(line, cuts, fc.nat(50), (text, places, limit) => {
        const lines = linesOf([...cutAt(text, places), Buffer.from("\n")], limit);
        expect(lines.join("")).toBe(text);
      }),
    );
  });
});
