import fc from "fast-check";
import { expect, test } from "vitest";
import { frameHead, frameSplitter } from "../../src/worker/frames.ts";

interface Frame {
  readonly text: string;
  readonly body: Buffer;
}

/** The frames that come of these chunks. */
function framesOf(chunks: readonly Buffer[]): readonly Frame[] {
  const frames: Frame[] = [];
  const split = frameSplitter((text, body) => frames.push({ text, body }));
  for (const chunk of chunks) split(chunk);
  return frames;
}

function bytesOf(frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.flatMap(({ text, body }) => [frameHead(text, body), body]));
}

const text = fc.oneof(
  fc.json(),
  fc.string({ unit: "grapheme" }).map((any) => any.replaceAll("\n", " ")),
);
const body = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  // What looks like a message of its own.
  text.map((inner) => frameHead(inner, Buffer.from(inner))),
);
const frames = fc.array(fc.record({ text, body }), { maxLength: 8 });

test("frames come out as they went in, whatever their bodies are and wherever the stream is cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
      const bytes = bytesOf(sent);
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
      places.sort((a, b) => a - b);
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      expect(framesOf(chunks)).toEqual(sent);
    }),
    { numRuns: 500 },
  );
});

test("a stream that comes byte by byte", () => {
  const sent = [
    { text: '{"do":"answer"}', body: Buffer.from("é\n1 x\n") },
    { text: "{}", body: Buffer.alloc(0) },
  ];
  expect(framesOf([...bytesOf(sent)].map((byte) => Buffer.of(byte)))).toEqual(sent);
});

test("an incomplete body is not passed on", () => {
  const bytes = bytesOf([{ text: "{}", body: Buffer.from("abc") }]);
  expect(framesOf([bytes.subarray(0, -1)])).toEqual([]);
});
