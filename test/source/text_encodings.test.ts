import { afterEach, expect, test } from "vitest";
import { answer, send, startFaultyServer } from "../support/faulty_server.ts";
import { closeSources, getJson, makeSource } from "../support/sources.ts";

afterEach(closeSources);

const NAME = "Zoë's µ-task";
const TEXT = JSON.stringify({ key: NAME });
const LATIN = Buffer.from(TEXT, "latin1");

test.for([
  ["UTF-8 that nobody mentions", Buffer.from(TEXT), "application/json"],
  ["UTF-8 after a byte order mark", Buffer.from(`\ufeff${TEXT}`), "application/json"],
  ["UTF-8 by another name", Buffer.from(TEXT), 'application/json; charset="UTF8"'],
  ["Latin-1", LATIN, "application/json; charset=iso-8859-1"],
  ["Windows-1252", LATIN, "application/json;charset=windows-1252; x=y"],
  ["UTF-16", Buffer.from(TEXT, "utf16le"), "application/json; charset=utf-16"],
  [
    "UTF-16 after a byte order mark",
    Buffer.from(`\ufeff${TEXT}`, "utf16le"),
    "a/b; charset=utf-16",
  ],
  ["UTF-16 the other way round", Buffer.from(TEXT, "utf16le").swap16(), "a/b; charset=utf-16be"],
] as const)("a name is the same whatever it came in: %s", async ([_sentence, bytes, type]) => {
  const server = await startFaultyServer(send(answer(bytes, { "content-type": type })));
  expect(await getJson(makeSource({ baseUrl: server.url }), "/x/")).toEqual({ key: NAME });
  await server.close();
});
