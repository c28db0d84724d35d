import { describe, expect, test } from "vitest";
import { kindFault } from "../../../src/source/client/kind_fault.ts";

describe("each kind of source has its methods", () => {
  test.each([
    ["http", "get", undefined],
    ["http", "pages", undefined],
    [
      "http",
      "call",
      'call is not for the source "box", whose kind is "http"; use get or find or pages or request',
    ],
    ["xmlrpc", "call", undefined],
    ["xmlrpc", "get", 'get is not for the source "box", whose kind is "xmlrpc"; use call'],
    ["spool", "pages", undefined],
    ["spool", "request", 'request is not for the source "box", whose kind is "spool"; use pages'],
  ] as const)("%s: %s", (kind, method, expected) => {
    expect(kindFault(method, "box", { kind })).toBe(expected);
  });
});
