import { expect, test } from "vitest";
import { FetchError } from "../../src/source/fetch_error.ts";
import type { SourceRequest } from "../../src/source/requester.ts";
import type { SharedSource } from "../../src/source/share.ts";
import { PostAnswers } from "../../src/worker/post_answers.ts";
import { textResponse } from "../support/responses.ts";

/** A source that numbers its responses. */
function numbered(): SharedSource & { sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    kind: "http" as const,
    maxConnections: 4,
    request: async ({ path, post }) => {
      sent.push(`${path} ${post?.text ?? ""}`.trim());
      return textResponse(`answer ${sent.length}`);
    },
  };
}

function post(text: string, more: Partial<SourceRequest> = {}): SourceRequest {
  return { path: "/search", query: {}, post: { text }, ...more };
}

async function textOf(source: SharedSource, request: SourceRequest): Promise<string> {
  return (await source.request(request)).body.toString();
}

test("in a second run each POST gets the answer that it got in the first one, in turn", async () => {
  const source = numbered();
  const posts = new PostAnswers();
  const first = posts.keepFrom("main", source);
  for (const [text, answer] of [
    ["a", "answer 1"],
    ["b", "answer 2"],
    ["a", "answer 3"],
  ] as const)
    expect(await textOf(first, post(text))).toBe(answer);
  const second = posts.keepFrom("main", source);
  expect(await textOf(second, post("a"))).toBe("answer 1");
  expect(await textOf(second, post("a"))).toBe("answer 3");
  expect(await textOf(second, post("b"))).toBe("answer 2");
  expect(source.sent).toHaveLength(3);
  // One more than in the first run is sent.
  expect(await textOf(second, post("a"))).toBe("answer 4");
});

test.each<[difference: string, request: SourceRequest]>([
  ["path", post("a", { path: "/other" })],
  ["query", post("a", { query: { days: 1 } })],
  ["form", post("a", { as: "text" })],
  ["content type", post("a", { post: { text: "a", type: "text/csv" } })],
])("one with another %s is another POST", async (_difference, request) => {
  const source = numbered();
  const posts = new PostAnswers();
  await textOf(posts.keepFrom("main", source), post("a"));
  expect(await textOf(posts.keepFrom("main", source), request)).toBe("answer 2");
});

test("another source has other answers, and a GET is the source's own", async () => {
  const source = numbered();
  const posts = new PostAnswers();
  await textOf(posts.keepFrom("main", source), post("a"));
  expect(await textOf(posts.keepFrom("other", source), post("a"))).toBe("answer 2");
  for (const answer of ["answer 3", "answer 4"])
    expect(await textOf(posts.keepFrom("main", source), { path: "/", query: {} })).toBe(answer);
});

test("one whose answer was not there yet when the first run ended is not sent again", async () => {
  let answer = (_text: string): void => {};
  let sent = 0;
  const slow: SharedSource = {
    kind: "http" as const,
    maxConnections: 4,
    request: () => {
      sent += 1;
      return new Promise((resolve) => {
        answer = (text) => resolve(textResponse(text));
      });
    },
  };
  const posts = new PostAnswers();
  const asked = [1, 2].map(() => textOf(posts.keepFrom("main", slow), post("a")));
  answer("late");
  expect(await Promise.all(asked)).toEqual(["late", "late"]);
  expect(sent).toBe(1);
});

test("a failure is an answer too", async () => {
  let sent = 0;
  const failing: SharedSource = {
    kind: "http" as const,
    maxConnections: 4,
    request: async () => {
      sent += 1;
      throw new FetchError({ kind: "status", status: 503, body: "busy", reason: `${sent}` });
    },
  };
  const posts = new PostAnswers();
  for (const _run of [1, 2])
    await expect(posts.keepFrom("main", failing).request(post("a"))).rejects.toThrow("1");
  expect(sent).toBe(1);
});

test("answers that are too much to keep are failed requests, in both runs", async () => {
  const source = numbered();
  const posts = new PostAnswers(1_100);
  const first = posts.keepFrom("main", source);
  expect(await textOf(first, post("a"))).toBe("answer 1");
  expect(await textOf(first, post("b"))).toBe("answer 2");
  const second = posts.keepFrom("main", source);
  for (const run of [first, second])
    await expect(run.request(post("c"))).rejects.toMatchObject({
      kind: "response",
      message:
        "POST /search from main: the answers to the POSTs of this alarm are over 64 MiB in this tick; ask for less at a time",
    });
  expect(await textOf(second, post("b"))).toBe("answer 2");
  expect(source.sent).toHaveLength(3);
});
