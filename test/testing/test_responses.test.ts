import { describe, expect, test } from "vitest";
import {
  findResponse,
  missingResponse,
  responsesBySource,
  urlOf,
} from "../../src/testing/test_responses.ts";

describe("responses belong to a source", () => {
  test.each([
    ["none at all: there is a main service", {}, { main: {} }],
    ["a path is one of the main service", { "/a/": 1 }, { main: { "/a/": 1 } }],
    ["without a slash in front too", { "a/b": 1 }, { main: { "a/b": 1 } }],
    ["with a query alone", { "/?a=1": 1 }, { main: { "/?a=1": 1 } }],
    ["a name is a source", { gracedb: { x: 1 } }, { main: {}, gracedb: { x: 1 } }],
    [
      "main may be written both ways",
      { "/a": 1, main: { "/b": 2 }, "/c": 3 },
      { main: { "/a": 1, "/b": 2, "/c": 3 } },
    ],
  ])("%s", (_, responses, expected) => {
    const found = responsesBySource(responses);
    const plain = [...found].map(([name, paths]) => [name, Object.fromEntries(paths)]);
    expect(Object.fromEntries(plain)).toEqual(expected);
  });

  test.each([
    ["a list", { tasks: [{ id: 1 }] }],
    ["a text", { tasks: "x" }],
    ["a function", { tasks: () => 1 }],
    ["nothing", { tasks: null }],
  ])("a name with %s is probably a path", (_, responses) => {
    expect(() => responsesBySource(responses)).toThrow(
      /^responses: tasks has no slash and so names a source, but is .*; write \{ tasks: \{ "\/path": … \} \}, or "\/tasks" for a path of the main service$/,
    );
  });
});

describe("a request gets", () => {
  const table = new Map([
    ["/tasks/", "all"],
    ["/tasks/?before=2", "second page"],
    ["/tasks/?before=2&status=done", "second page of done"],
    ["events/?q=a+b", "events a b"],
    ["/x%20y", "encoded"],
  ]);

  test.each([
    ["the path, whatever its query is", "/tasks/", { days: 7, limit: 200 }, "all"],
    ["the path without a slash in front", "tasks/", {}, "all"],
    ["the path with a parameter that it has", "/tasks/", { before: 2, days: 7 }, "second page"],
    [
      "the path with most parameters",
      "/tasks/",
      { status: "done", before: 2 },
      "second page of done",
    ],
    ["not the one with another value", "/tasks/", { before: 3 }, "all"],
    ["the query of the path itself", "/tasks/?before=2", { status: "done" }, "second page of done"],
    ["a query that is encoded in another way", "/events/", { q: "a b" }, "events a b"],
    ["a path that is encoded in another way", "/x y", {}, "encoded"],
    ["nothing without the query", "/events/", {}, undefined],
    ["nothing without the slash at the end", "/tasks", {}, undefined],
    ["nothing for a longer path", "/tasks/1/", {}, undefined],
  ])("%s", (_, path, query, expected) => {
    expect(findResponse(table, urlOf(path, query))?.value).toBe(expected);
  });

  test("a value that is null or undefined, all the same", () => {
    expect(findResponse(new Map([["/a", null]]), urlOf("/a"))).toMatchObject({ value: null });
  });
});

describe("a request that nothing answers is named with", () => {
  test.each([
    [
      "the nearest path",
      "main",
      "/api/tasks/",
      ["/api/task/", "/other/"],
      'detect sent GET /api/tasks/?days=7 to main, which is not in responses (did you mean "/api/task/"?). Add responses: { "/api/tasks/": … }; where the service has no such thing, { status: 404 }.',
    ],
    [
      "all of them where none is near",
      "gracedb",
      "superevents/",
      ["/labels/"],
      'detect sent GET /superevents/?days=7 to gracedb, which is not in responses (known: "/labels/"). Add responses: { gracedb: { "/superevents/": … } }; where the service has no such thing, { status: 404 }.',
    ],
    [
      "its queries where the path is there",
      "main",
      "/a/",
      ["/a/?page=2"],
      'detect sent GET /a/?days=7 to main, which is not in responses with this query (known: "/a/?page=2"). Add responses: { "/a/": … }; where the service has no such thing, { status: 404 }.',
    ],
    [
      "that there are none",
      "main",
      "/a/",
      [],
      'detect sent GET /a/?days=7 to main, which is not in responses (known: none). Add responses: { "/a/": … }; where the service has no such thing, { status: 404 }.',
    ],
  ])("%s", (_, source, path, known, expected) => {
    const url = urlOf(path, { days: 7 });
    const responses = new Map(known.map((each) => [each, {}]));
    expect(missingResponse({ source, method: "GET", url }, responses)).toBe(expected);
  });
});
