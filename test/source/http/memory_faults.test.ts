import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { FetchError } from "../../../src/source/fetch_error.ts";
import { answer, type Misbehave, startFaultyServer } from "../../support/faulty_server.ts";
import { closeSources, makeSource } from "../../support/sources.ts";

const MIB = 2 ** 20;

afterEach(closeSources);

/** How much more memory the process took at its peak, in MiB, and how the requests ended. */
async function measure(
  misbehave: Misbehave,
  questions: number,
): Promise<{ grown: number; endings: unknown[] }> {
  const server = await startFaultyServer(misbehave);
  const source = makeSource({ baseUrl: server.url });
  const before = process.resourceUsage().maxRSS;
  const endings = await Promise.all(
    Array.from({ length: questions }, (_, index) =>
      source.request({ path: `/${index}`, query: {} }).then(
        () => "answered",
        (error: unknown) => error,
      ),
    ),
  );
  const grown = (process.resourceUsage().maxRSS - before) / 1024;
  await server.close();
  return { grown, endings };
}

/** Some MB on the wire; unpacked they are 4 GiB, as one gzip after another is one text. */
function bomb(): Buffer {
  const member = gzipSync(Buffer.alloc(64 * MIB, 0x20));
  return Buffer.concat(Array.from({ length: 64 }, () => member));
}

test("gzip bombs of gigabytes, four at a time, are errors and do not cost a gigabyte", async () => {
  const bytes = answer(bomb(), { "content-encoding": "gzip" });
  const { grown, endings } = await measure((socket) => void socket.write(bytes), 8);
  for (const ending of endings) {
    expect(ending).toBeInstanceOf(FetchError);
    expect(String(ending)).toContain("status 200, but the body is over 32 MiB");
  }
  expect(grown).toBeLessThan(600);
});

test("a response that would be a gigabyte of objects is not parsed in the engine", async () => {
  const text = `[${"{},".repeat(8 * MIB)}{}]`;
  const bytes = answer(gzipSync(text), { "content-encoding": "gzip" });
  const { grown, endings } = await measure((socket) => void socket.write(bytes), 4);
  expect(endings).toEqual(Array.from({ length: 4 }, () => "answered"));
  // As objects, each of the four would take about 500 MB.
  expect(grown).toBeLessThan(400);
});

test("the error of a service is quoted without reading its gigabytes", async () => {
  let closed: Promise<unknown> | undefined;
  const { endings } = await measure((socket) => {
    closed ??= once(socket, "close");
    socket.write("HTTP/1.1 400 Bad\r\n\r\n");
    const pour = (): void => {
      while (!socket.destroyed && socket.write(" bad".repeat(10_000)));
    };
    socket.on("drain", pour);
    pour();
  }, 1);
  expect(String(endings[0])).toMatch(/: status 400 bad bad/);
  await closed;
});
