import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ENGINE_KEYS,
  parseDetection,
  type SafeClear,
  unescapeKey,
} from "../../src/core/detection.ts";
import { alarmEntryId, alarmName, eventEntryId, isAlarmName } from "../../src/core/event_key.ts";
import { SEVERITIES } from "../../src/core/level.ts";
import type { SafeDetection } from "../../src/core/model.ts";
import { linkAddresses } from "../../src/message/links.ts";
import { renderMessage } from "../../src/message/render.ts";
import { escapeHtml, headerText, plainText } from "../../src/text/escape.ts";
import { makeBundle, makeItem } from "../support/bundles.ts";
import { anyText, anything, bake, ONE_LINE } from "./arbitraries.ts";
import { runs } from "./runs.ts";

const yielded = fc.oneof(
  anything,
  fc.record(
    {
      dedupeKey: fc.oneof(anyText, anything),
      subject: fc.oneof(anyText, anything),
      body: fc.oneof(anyText, anything),
      data: fc.oneof(
        anything,
        fc.dictionary(fc.oneof(fc.constantFrom(...ENGINE_KEYS), anyText), anything, { maxKeys: 5 }),
      ),
      severity: fc.oneof(fc.constantFrom(...SEVERITIES), anyText, anything),
      stage: fc.oneof(anyText, anything),
    },
    { requiredKeys: [] },
  ),
  fc.record({ dedupeKey: anyText, clear: fc.oneof(anyText, anything) }),
  fc.record({
    dedupeKey: anyText,
    subject: anyText,
    body: anyText,
    data: fc.dictionary(fc.oneof(fc.constantFrom(...ENGINE_KEYS), anyText), anything, {
      maxKeys: 5,
    }),
  }),
);

test("whatever is yielded is a detection that can be stored, the same once more when read back, or a fault in one line", () => {
  fc.assert(
    fc.property(yielded, (value) => {
      const parsed = parseDetection(bake(value));
      if (!parsed.ok) {
        expect(parsed.error).toMatch(ONE_LINE);
        expect(parsed.error.length).toBeLessThan(1_000);
        return;
      }
      if ("clear" in parsed) {
        expectStorableClear(parsed.clear);
        return;
      }
      expectStorable(parsed.detection);
      const dedupeKey = unescapeKey(parsed.detection.dedupeKey);
      const again = parseDetection(JSON.parse(JSON.stringify({ ...parsed.detection, dedupeKey })));
      // As texts, because JSON has no negative zero.
      expect(JSON.stringify(again)).toBe(JSON.stringify(parsed));
    }),
    runs(10),
  );
});

function expectStorableClear({ dedupeKey, reason }: SafeClear): void {
  expectStorableText({ dedupeKey, reason });
  expect(reason).toMatch(ONE_LINE);
  expect(reason.trim()).not.toBe("");
  expect(reason.length).toBeLessThanOrEqual(500);
  const again = parseDetection({ dedupeKey: unescapeKey(dedupeKey), clear: reason });
  expect(again).toEqual({ ok: true, clear: { dedupeKey, reason } });
}

/** Its JSON has nothing that Postgres rejects. */
function expectStorableText(value: object): void {
  const text = JSON.stringify(value).replaceAll("\\\\", "");
  expect(text).not.toContain("\\u0000");
  expect(text).not.toMatch(/\\ud[89a-f]/);
}

function expectStorable(detection: SafeDetection): void {
  const { dedupeKey, subject, body, data, severity = "", stage = "" } = detection;
  expectStorableText(detection);
  expect(severity.length).toBeLessThanOrEqual(100);
  expect(stage.length).toBeLessThanOrEqual(100);
  expect(dedupeKey.trim()).not.toBe("");
  expect(dedupeKey.length).toBeLessThanOrEqual(500);
  expect(subject.trim()).not.toBe("");
  expect(subject.length).toBeLessThanOrEqual(2_000);
  expect(body.length).toBeLessThanOrEqual(50_000);
  for (const key of Object.keys(data)) expect(ENGINE_KEYS.has(key)).toBe(false);
}

test("what a mail shows of any detection has no mark-up, header or control character of its own", () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, anyText, (title, subject, body, caveat) => {
      const {
        subject: line,
        text,
        html,
      } = renderMessage(
        makeBundle({
          entryId: alarmEntryId(title),
          title,
          description: body,
          fresh: [makeItem("k", { subject, body })],
          caveats: [caveat],
        }),
      );
      expect(line).toMatch(ONE_LINE);
      expect(text).toMatch(/^[\P{Cc}\n\t]*$/u);
      expect(html).toMatch(/^[\P{Cc}\n\t]*$/u);
      const tags = new Set(linkAddresses(html).match(/<\/?[^\s>]*/g));
      for (const tag of tags) expect(TAGS).toContain(tag.replace("/", ""));
    }),
    runs(5),
  );
});

const TAGS =
  "<!DOCTYPE <html <head <meta <title <style <body <p <hr <h2 <div <strong <pre <a".split(" ");

test("any text is safe in HTML, in a header and on a terminal", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']/);
      expect(escapeHtml(text)).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/);
      expect(headerText(text)).toMatch(ONE_LINE);
      expect(headerText(headerText(text))).toBe(headerText(text));
      expect(plainText(text)).toMatch(/^[\P{Cc}\n\t]*$/u);
      expect(plainText(plainText(text))).toBe(plainText(text));
    }),
    runs(10),
  );
});

test("an alarm's name comes back from its row's key, and only a plain one names a file", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(alarmName(alarmEntryId(text))).toBe(text);
      expect(eventEntryId(text)).toBe(`event_${text}`);
      if (isAlarmName(text)) expect(text).toMatch(/^[a-z0-9_]{1,200}$/);
    }),
    runs(10),
  );
});
