import { checkRecipe, DOWN, GONE, PROXY_404 } from "../../support/recipes.ts";

const runs = (...names: string[]) => names.map((name) => ({ name, ended: "2026-11-27T12:00:00" }));
checkRecipe("two services", [
  [
    "fires for a run that the catalog does not know, and ends when it does",
    {
      responses: {
        "/runs/": [...runs("a/1", "b"), { name: "new", ended: "2026-11-27T17:30:00" }],
        catalog: { "datasets/a%2F1": GONE, "datasets/b": { files: 3 } },
      },
      firing: ["run:b"],
      detects: ["run:a/1"],
      ends: ["run:b"],
    },
  ],
  [
    "a run that has left the list fires until its data is there",
    {
      responses: { "/runs/": [], catalog: { "datasets/a": GONE } },
      firing: ["run:a"],
      detects: ["run:a"],
    },
  ],
  [
    "nothing ends where one of the services is down",
    {
      responses: { "/runs/": DOWN, catalog: { "datasets/a": { files: 3 } } },
      firing: ["run:a"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "the page of a proxy is not an answer of the catalog",
    {
      responses: { "/runs/": runs("a"), catalog: { "datasets/a": PROXY_404 } },
      firing: ["run:a", "run:b"],
      detects: [],
      reports: ["not from the service itself"],
    },
  ],
  [
    "a run whose end cannot be read ends nothing",
    {
      responses: {
        "/runs/": [...runs("a"), { name: "b", ended: null }],
        catalog: { "datasets/a": { files: 3 } },
      },
      firing: ["run:a"],
      detects: [],
      reports: ["run b has the end null"],
    },
  ],
]);

const items = (...states: (string | undefined)[]) => ({
  inventory: { "/items/": states.map((state, at) => ({ serial: `m${at}`, state })) },
});
checkRecipe("login and certificates", [
  [
    "fires for what is broken, and ends for what is not",
    {
      responses: items("good", "broken"),
      firing: ["module:m0"],
      detects: ["module:m1"],
      ends: ["module:m0"],
    },
  ],
  [
    "a login that is refused ends nothing",
    {
      responses: { inventory: { "/items/": { status: 401, body: { detail: "no" } } } },
      firing: ["module:m0"],
      detects: [],
      reports: ["status 401"],
    },
  ],
  [
    "a state that is missing is not good",
    {
      responses: items(undefined, "broken"),
      firing: ["module:m0"],
      detects: ["module:m1"],
      reports: ["module m0 has no state"],
    },
  ],
  [
    "an empty inventory ends nothing",
    {
      responses: items(),
      firing: ["module:m0"],
      detects: [],
      reports: ["the inventory is empty"],
    },
  ],
]);

const crates = (answers: { readonly [crate: string]: object }) => ({
  "/crates/": Object.keys(answers),
  ...Object.fromEntries(
    Object.entries(answers).map(([crate, answer]) => [`/crates/${crate}/channels/`, answer]),
  ),
});
const volts = (value: unknown) => [{ name: "ch0", volts: value }];
checkRecipe("one request for each entity", [
  [
    "fires for a wrong voltage, and ends for a right one",
    {
      responses: crates({ a: volts(4.5), b: volts(5.1) }),
      firing: ["crate:b:ch0"],
      detects: ["crate:a:ch0"],
      ends: ["crate:b:ch0"],
    },
  ],
  [
    "a crate that does not answer keeps its events, and those of the others end",
    {
      responses: crates({ a: { status: 504 }, a2: volts(5), b: volts(5) }),
      firing: ["crate:a:ch0", "crate:a2:ch0", "crate:b:down"],
      detects: ["crate:a:down"],
      ends: ["crate:a2:ch0", "crate:b:down"],
      reports: ["status 504"],
    },
  ],
  [
    "the events of a crate end where the service says that it is gone, and not where a proxy does",
    {
      responses: crates({ a: GONE, b: PROXY_404, c: volts(5) }),
      firing: ["crate:a:ch0", "crate:b:ch0"],
      detects: ["crate:b:down"],
      ends: ["crate:a:ch0"],
      reports: ["not from the service itself"],
    },
  ],
  [
    "a voltage that is missing keeps the events of its crate",
    {
      responses: crates({ a: volts(null), b: volts(5) }),
      firing: ["crate:a:ch0", "crate:b:ch0"],
      detects: [],
      ends: ["crate:b:ch0"],
      reports: ["ch0 of crate a has null V"],
    },
  ],
  [
    "without the list of crates nothing ends",
    {
      responses: { "/crates/": DOWN },
      firing: ["crate:a:ch0"],
      detects: [],
      reports: ["status 503"],
    },
  ],
  [
    "an empty list of crates ends nothing",
    {
      responses: crates({}),
      firing: ["crate:a:ch0"],
      detects: [],
      reports: ["the list of crates is empty"],
    },
  ],
]);
