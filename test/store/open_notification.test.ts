import fc from "fast-check";
import { expect, test } from "vitest";
import { renderMessage } from "../../src/message/render.ts";
import { readOpen } from "../../src/store/open_notification.ts";
import { anyFacts, makeBundle, makeItem, WITH_FACTS } from "../support/bundles.ts";

/** The bundle as its record keeps it, read again. */
function stored(bundle: object) {
  const row = { id: "n", title: "", content: "", data: { attempted_at: 1, bundle } };
  return readOpen(JSON.parse(JSON.stringify(row)))?.bundle;
}

test("a retry says what the first attempt said", () => {
  const bundle = stored(WITH_FACTS);
  expect(bundle).toEqual(WITH_FACTS);
  expect(renderMessage(bundle ?? makeBundle())).toEqual(renderMessage(WITH_FACTS));
});

test("whatever facts its events have", () => {
  const facts = anyFacts(fc.string({ unit: "binary" }), fc.integer());
  const items = fc.array(facts.map((each) => makeItem("a", each)));
  fc.assert(
    fc.property(items, items, items, (fresh, continuing, cleared) => {
      const bundle = makeBundle({ fresh, continuing, cleared });
      expect(stored(bundle)).toEqual(bundle);
    }),
  );
});

test("a severity that does not exist makes the bundle unreadable, and the record's text is sent", () => {
  const [item] = WITH_FACTS.fresh;
  expect(stored({ ...WITH_FACTS, fresh: [{ ...item, severity: "fatal" }] })).toBeUndefined();
});
