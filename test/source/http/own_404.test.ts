import { describe, expect, test } from "vitest";
import { foreign404, ResponseTypes } from "../../../src/source/http/own_404.ts";

const PAGE = "<!DOCTYPE HTML><html><title>404 Not Found</title>";
type Seen = readonly (readonly [type: string | undefined, as: "json" | "text"])[];

describe("a 404 is", () => {
  type As = "json" | "text";
  test.each<
    [sentence: string, type: string | undefined, body: string, seen: Seen, own: boolean, as?: As]
  >([
    [
      "the service's own if it is JSON",
      "application/json",
      '{"error": "Task 9 not found"}',
      [],
      true,
    ],
    ["its own with parameters and in capitals", "Application/JSON; charset=utf-8", "{}", [], true],
    ["its own in a JSON format with a name", "application/problem+json", "{}", [], true],
    [
      "a proxy's if it is a page",
      "text/html; charset=iso-8859-1",
      PAGE,
      [["application/json", "json"]],
      false,
    ],
    ["a proxy's if it is empty", "application/json", "", [["application/json", "json"]], false],
    [
      "a proxy's if it is blank, whatever the type",
      "text/plain",
      " \n",
      [["text/plain", "text"]],
      false,
      "text",
    ],
    ["a proxy's if it only says that it is JSON", "application/json", PAGE, [], false],
    ["a proxy's without a type", undefined, "{}", [["application/json", "json"]], false],
    [
      "its own if its texts have that type",
      "text/plain",
      "no such site",
      [["text/plain; charset=utf-8", "text"]],
      true,
      "text",
    ],
    [
      "a proxy's page if the service has such pages, and JSON was asked for",
      "text/html",
      PAGE,
      [
        ["text/html", "text"],
        ["application/json", "json"],
      ],
      false,
    ],
    [
      "a proxy's if its texts have another type",
      "text/plain",
      "no such site",
      [["text/csv", "text"]],
      false,
      "text",
    ],
    ["its own JSON where text was asked for", "application/json", "{}", [], true, "text"],
    [
      "a proxy's page if the service sends its JSON as text/html",
      "text/html",
      PAGE,
      [["text/html", "json"]],
      false,
    ],
    [
      "its own JSON if the service sends its JSON as text/html",
      "text/html",
      '{"error": 1}',
      [["text/html", "json"]],
      true,
    ],
    [
      "its own JSON if none of its responses has a type",
      undefined,
      "{}",
      [[undefined, "json"]],
      true,
    ],
  ])("%s", (_sentence, type, body, seen, own, as = "json") => {
    const types = new ResponseTypes();
    for (const [seenType, as] of seen) types.add(seenType, as);
    expect(types.isOwn404(type, body, as)).toBe(own);
  });
});

describe("the reason names what came", () => {
  test.each([
    ["a page", "text/html; charset=x", PAGE, 'text/html HTML page "404 Not Found"'],
    ["nothing", "text/html", "", "text/html with an empty body"],
    ["a body without a type", undefined, "gone", "no content type, gone"],
  ])("%s", (_sentence, type, body, says) => {
    expect(foreign404(type, body)).toBe(
      `status 404, but not from the service itself: ${says}; check base_url, and any proxy in front of it`,
    );
  });
});
