import { afterEach, describe, expect, test } from "vitest";
import { FetchError } from "../../../src/source/fetch_error.ts";
import { HttpSource } from "../../../src/source/http/http_source.ts";
import type { Detect } from "../../../src/worker/child/load.ts";
import { json, startServer, type TestServer } from "../../support/http_server.ts";
import { outcomeOf, type WholeOutcome } from "../../support/run_detect.ts";

/** The outcome as a short text: its status, the keys, and the reasons. */
function told({ status, detections, reasons }: WholeOutcome): readonly string[] {
  return [`${status}: ${detections.map(({ dedupeKey }) => dedupeKey).join(" ")}`, ...reasons];
}

const A = { dedupeKey: "a", subject: "A" };
const B = { dedupeKey: "b", subject: "B" };

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

class Stuck {
  readonly dedupeKey = "a";
  [Symbol.iterator](): Iterator<unknown> {
    return { next: () => ({ done: false, value: A }) };
  }
}

describe("detect gives its detections in any way that can be gone through", () => {
  const rows: readonly [string, Detect][] = [
    [
      "a generator",
      function* () {
        yield A;
        yield B;
      },
    ],
    [
      "an asynchronous generator",
      async function* () {
        yield A;
        await Promise.resolve();
        yield B;
      },
    ],
    ["a list", () => [A, B]],
    ["a promise of a list", async () => [A, B]],
    ["a Set", () => new Set([A, B])],
    ["the values of a Map", () => new Map(Object.entries({ A, B })).values()],
    [
      "a promise of a generator",
      async () =>
        (function* () {
          yield A;
          yield B;
        })(),
    ],
  ];
  test.each(rows)("%s", async (_, detect) => {
    expect(told(await outcomeOf(detect))).toEqual(["complete: a b"]);
  });

  test("none at all is a complete outcome too", async () => {
    for (const detect of [() => [], function* () {}, async function* () {}]) {
      expect(told(await outcomeOf(detect))).toEqual(["complete: "]);
    }
  });
});

describe("detect that returns nothing to go through has failed: nothing may clear", () => {
  const rows: readonly [string, Detect, string][] = [
    ["nothing: a return was forgotten", () => {}, "detect returned undefined"],
    ["a promise of nothing", async () => {}, "detect returned undefined"],
    ["null", () => null, "detect returned null"],
    ["a text, which has letters and no detections", () => "ab", "detect returned string"],
    ["a number", () => 3, "detect returned number"],
    ["true", () => true, "detect returned boolean"],
    ["a lone detection", () => A, "detect returned object"],
    ["a function, such as the generator itself", () => function* () {}, "detect returned function"],
  ];
  test.each(rows)("%s", async (_, detect, words) => {
    const outcome = await outcomeOf(detect);
    expect(outcome.status).toBe("failed");
    expect(outcome.detections).toEqual([]);
    expect(outcome.reasons).toEqual([
      expect.stringContaining(
        `${words}; it must be a generator (function*) or return a list of detections`,
      ),
    ]);
  });
});

describe("detect that throws has failed; what it had yielded stays", () => {
  const rows: readonly [string, Detect, string][] = [
    [
      "at once",
      () => {
        throw new Error("no luck");
      },
      "failed: ",
    ],
    ["by a rejected promise", () => Promise.reject(new Error("no luck")), "failed: "],
    [
      "in a generator before its first yield",
      // biome-ignore lint/correctness/useYield: it throws before it could
      function* () {
        throw new Error("no luck");
      },
      "failed: ",
    ],
    [
      "in a generator after two yields",
      function* () {
        yield A;
        yield B;
        throw new Error("no luck");
      },
      "failed: a b",
    ],
    [
      "in an asynchronous generator after a yield",
      async function* () {
        yield A;
        await Promise.resolve();
        throw new Error("no luck");
      },
      "failed: a",
    ],
  ];
  test.each(rows)("%s", async (_, detect, first) => {
    const outcome = await outcomeOf(detect);
    expect(told(outcome)[0]).toBe(first);
    expect(outcome.reasons).toEqual([expect.stringMatching(/^detect threw Error: no luck \(at /)]);
  });

  const thrown: readonly [string, unknown, string][] = [
    ["a text", "no luck", "detect threw string no luck"],
    ["undefined", undefined, "detect threw undefined"],
    ["null", null, "detect threw null"],
    ["a number", 5, "detect threw number 5"],
    ["a symbol", Symbol("s"), 'detect threw symbol "Symbol(s)"'],
    ["a long text", "x".repeat(100_000), `detect threw string ${"x".repeat(200)}`],
    ["an error of another kind", new RangeError("far"), "detect threw RangeError: far"],
    [
      "an error with a cause",
      new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:1") }),
      "detect threw TypeError: fetch failed (cause: connect ECONNREFUSED 127.0.0.1:1)",
    ],
    [
      "an error without a stack",
      Object.assign(new Error("bare"), { stack: undefined }),
      "detect threw Error: bare",
    ],
    ["an object without a text", Object.create(null), "detect threw object"],
    [
      "an object whose text throws",
      {
        toString: () => {
          throw new Error("no");
        },
      },
      "detect threw object",
    ],
  ];
  const defensive: readonly [string, unknown][] = [
    ["a revoked proxy", revoked()],
    ...["name", "message", "stack"].map((part): [string, unknown] => [
      `an error whose ${part} throws`,
      Object.defineProperty(new Error("no luck"), part, {
        get: () => {
          throw new Error("no");
        },
      }),
    ]),
  ];
  test.each(defensive)(
    "even what throws at whoever looks at it is an outcome: %s",
    async (_, value) => {
      const outcome = await outcomeOf(function* () {
        yield A;
        throw value;
      });
      expect(told(outcome)).toEqual(["failed: a", expect.stringMatching(/^detect threw /)]);
    },
  );

  test.each(thrown)("what it throws may be anything: %s", async (_, value, words) => {
    const outcome = await outcomeOf(() => {
      throw value;
    });
    expect(outcome.status).toBe("failed");
    expect(outcome.reasons).toEqual([expect.stringContaining(words)]);
  });

  test("the reason is bounded, also where the error's message is not", async () => {
    const outcome = await outcomeOf(() => {
      throw new Error("x".repeat(1_000_000));
    });
    expect(outcome.reasons.join("").length).toBeLessThan(10_000);
  });
});

describe("a value that is not a detection makes the outcome partial; the others count", () => {
  test("among good ones", async () => {
    const outcome = await outcomeOf(() => [A, null, { subject: "no key" }, "text", B]);
    expect(told(outcome)).toEqual([
      "partial: a b",
      expect.stringContaining("yielded null"),
      expect.stringContaining("dedupeKey is undefined"),
      expect.stringContaining('yielded "text"'),
    ]);
  });

  test("of many reasons five are spelt out and the others counted; a reason given twice counts once", async () => {
    const outcome = await outcomeOf(function* () {
      for (let index = 0; index < 10; index++) yield index % 8;
    });
    expect(outcome.reasons).toHaveLength(6);
    expect(outcome.reasons.at(-1)).toBe("and 3 more reasons");
  });

  test("five reasons are all spelt out", async () => {
    const outcome = await outcomeOf(() => [1, 2, 3, 4, 5]);
    expect(outcome.reasons).toHaveLength(5);
    expect(outcome.reasons.at(-1)).toContain("yielded 5");
  });

  test("a key with a value that throws costs that detection alone", async () => {
    const mined = {
      get dedupeKey(): string {
        throw new Error("no");
      },
    };
    expect(told(await outcomeOf(() => [A, mined, B]))[0]).toBe("partial: a b");
  });

  test("a list of promises, whose await was forgotten", async () => {
    const outcome = await outcomeOf(() => [Promise.resolve(A)]);
    expect(told(outcome)).toEqual(["partial: ", expect.stringContaining("dedupeKey is undefined")]);
  });

  test("an iterator that gives no steps has failed", async () => {
    const broken = { [Symbol.iterator]: () => ({ next: () => undefined }) };
    expect((await outcomeOf(() => broken)).status).toBe("failed");
  });
});

describe("the same entity twice in one tick is one detection", () => {
  test("the first yield is kept, and the outcome is complete", async () => {
    const outcome = await outcomeOf(() => [
      A,
      { ...B, subject: "first" },
      { ...B, subject: "second" },
      A,
    ]);
    expect(told(outcome)).toEqual(["complete: a b"]);
    expect(outcome.detections[1]?.subject).toBe("first");
  });

  test("also where the keys are the same only once they are text", async () => {
    expect(told(await outcomeOf(() => [{ dedupeKey: 7 }, { dedupeKey: "7" }]))).toEqual([
      "complete: 7",
    ]);
  });
});

describe("a clear ends an event", () => {
  const clear = { dedupeKey: "c", clear: "late by 120 s" };
  const rows: readonly [string, Detect, string][] = [
    ["beside detections", () => [A, clear, B], "complete: a b"],
    [
      "in an outcome that is not complete",
      (client) => {
        client.incomplete("page 3 was cut");
        return [A, clear];
      },
      "partial: a",
    ],
    [
      "before detect throws",
      function* () {
        yield clear;
        throw new Error("no luck");
      },
      "failed: ",
    ],
  ];
  test.each(rows)("%s", async (_, detect, first) => {
    const outcome = await outcomeOf(detect);
    expect(told(outcome)[0]).toBe(first);
    expect([...outcome.clears]).toEqual([["c", "late by 120 s"]]);
  });

  test.each([
    ["without a reason", { dedupeKey: "c", clear: true }, 'yielded "c" with the clear true'],
    ["that is a detection, too", { ...A, clear: "x" }, 'yielded "a" with clear and subject'],
  ])("one %s is neither: nothing clears", async (_, value, words) => {
    const outcome = await outcomeOf(() => [value, B]);
    expect(told(outcome)).toEqual(["partial: b", expect.stringContaining(words)]);
    expect(outcome.clears.size).toBe(0);
  });
});

describe("the time of detect is bounded; what it had yielded stays", () => {
  const OUT = "out of time: detect did not end within 0.2 s";
  const rows: readonly [string, Detect, string][] = [
    ["a promise that hangs", () => new Promise(() => {}), "failed: "],
    [
      "an asynchronous generator that hangs",
      async function* () {
        yield A;
        await new Promise(() => {});
      },
      "failed: a",
    ],
    [
      "a generator without end",
      function* () {
        for (;;) yield A;
      },
      "failed: a",
    ],
    [
      "an asynchronous generator without end that never waits",
      async function* () {
        for (;;) yield A;
      },
      "failed: a",
    ],
    ["an iterator without end", () => new Stuck(), "failed: a"],
    [
      "a generator that hangs in its finally as well",
      async function* () {
        try {
          yield A;
          await new Promise(() => {});
        } finally {
          await new Promise(() => {});
        }
      },
      "failed: a",
    ],
    [
      "a generator whose finally throws",
      function* () {
        try {
          for (;;) yield A;
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: that is the point
          throw new Error("finally");
        }
      },
      "failed: a",
    ],
  ];
  test.each(rows)("%s", async (_, detect, first) => {
    const outcome = await outcomeOf(detect, { timeout: 0.2 });
    expect(told(outcome)).toEqual([first, OUT]);
    expect(outcome.seconds).toBeGreaterThanOrEqual(0.19);
    expect(outcome.seconds).toBeLessThan(3);
  });

  test("a generator that is cut off can clean up", async () => {
    let cleaned = false;
    await outcomeOf(
      function* () {
        try {
          for (;;) yield A;
        } finally {
          cleaned = true;
        }
      },
      { timeout: 0.05 },
    );
    expect(cleaned).toBe(true);
  });

  test("the client's signal says that time is up", async () => {
    let reason: unknown;
    await outcomeOf(
      (client) => {
        client.signal.addEventListener("abort", () => {
          reason = client.signal.reason;
        });
        return new Promise(() => {});
      },
      { timeout: 0.05 },
    );
    expect(reason).toMatchObject({ message: "out of time: detect did not end within 0.05 s" });
  });

  test("detect that ends in time leaves its signal aborted, so that nothing goes on asking", async () => {
    let signal: AbortSignal | undefined;
    const outcome = await outcomeOf((client) => {
      signal = client.signal;
      expect(signal.aborted).toBe(false);
      return [];
    });
    expect(outcome.status).toBe("complete");
    expect(signal?.aborted).toBe(true);
  });

  test("nor does it change anything to take that abort for a reason", async () => {
    const outcome = await outcomeOf((client) => {
      client.signal.addEventListener("abort", () => client.incomplete("aborted"));
      return [A];
    });
    expect(told(outcome)).toEqual(["complete: a"]);
  });

  test("what a module says after its end changes nothing", async () => {
    let late: (() => void) | undefined;
    const outcome = await outcomeOf((client) => {
      late = () => client.incomplete("late");
      return [A];
    });
    late?.();
    expect(told(outcome)).toEqual(["complete: a"]);
  });
});

describe("a module that says that it could not see everything", () => {
  test("has a partial outcome, with its reason once", async () => {
    const outcome = await outcomeOf(function* (client) {
      yield A;
      client.incomplete("page 3 was cut");
      client.incomplete("page 3 was cut");
      yield B;
    });
    expect(told(outcome)).toEqual(["partial: a b", "page 3 was cut"]);
  });

  test("and throws after that, has failed for both reasons", async () => {
    const outcome = await outcomeOf((client) => {
      client.incomplete("page 3 was cut");
      throw new Error("no luck");
    });
    expect(told(outcome)).toEqual([
      "failed: ",
      "page 3 was cut",
      expect.stringContaining("detect threw Error: no luck"),
    ]);
  });
});

test("detect gets the params and the time of the tick, and its lines reach the log", async () => {
  const lines: string[] = [];
  const seen: unknown[] = [];
  await outcomeOf(
    (client, params) => {
      seen.push(params, client.now);
      client.log("hello");
      return [];
    },
    { params: { p: 1 }, now: 77, log: (line) => lines.push(line) },
  );
  expect(seen).toEqual([{ p: 1 }, 77]);
  expect(lines).toEqual(["hello"]);
});

describe("with a real service", () => {
  const open: (TestServer | HttpSource)[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
  });

  /** `main` answers each path with the status that is its name, and `/hang` never. */
  async function service(): Promise<ReadonlyMap<string, HttpSource>> {
    const server = await startServer((_, response, url) => {
      if (url.pathname !== "/hang")
        json(response, { path: url.pathname }, Number(url.pathname.slice(1)));
    });
    const source = new HttpSource(
      {
        name: "main",
        baseUrl: server.url,
        headers: {},
        authorization: undefined,
        userAgent: undefined,
        maxConnections: 4,
        timeout: 5,
      },
      new AbortController().signal,
    );
    open.push(source, server);
    return new Map([["main", source]]);
  }

  const rows: readonly [string, Detect, readonly unknown[]][] = [
    [
      "an answer leaves the outcome complete",
      async function* (client) {
        yield { ...A, data: { answer: await client.get("/200") } };
      },
      ["complete: a"],
    ],
    [
      "a failure that detect lets through has failed with the reason once, and it is the fault of the source",
      async function* (client) {
        yield A;
        await client.get("/403");
        yield B;
      },
      ["failed: a", expect.stringMatching(/^GET \/403 from main: status 403/)],
    ],
    [
      "a failure that detect swallows is partial all the same",
      async function* (client) {
        yield A;
        await client.get("/403").catch(() => {});
        yield B;
      },
      ["partial: a b", expect.stringMatching(/^GET \/403 from main: status 403/)],
    ],
    [
      "a failure that detect wraps in an error of its own has failed, with both reasons",
      async (client) => {
        try {
          await client.get("/403");
        } catch (cause) {
          throw new Error("my own", { cause });
        }
        return [];
      },
      ["failed: ", expect.stringMatching(/^GET \/403/), expect.stringContaining("my own")],
    ],
    [
      "a FetchError that the module made up itself has failed",
      () => {
        throw new FetchError({ kind: "status", reason: "made up" });
      },
      ["failed: ", expect.stringContaining("detect threw FetchError: made up")],
    ],
    [
      "what may be absent is an answer",
      async (client) => ((await client.find("/404")) === undefined ? [A] : [B]),
      ["complete: a"],
    ],
    [
      "a source that nobody configured is partial where it is swallowed",
      (client) => {
        try {
          client.source("gracedb");
        } catch {}
        return [A];
      },
      ["partial: a", expect.stringContaining('the source "gracedb" is not configured')],
    ],
    [
      "a request that was not awaited and hangs does not hold up the end",
      (client) => {
        client.get("/hang").catch(() => {});
        return [A];
      },
      ["complete: a"],
    ],
  ];
  test.each(rows)("%s", async (_, detect, expected) => {
    expect(told(await outcomeOf(detect, { sources: await service() }))).toEqual(expected);
  });

  test("a request that hangs is cut off with detect", async () => {
    const outcome = await outcomeOf(
      async function* (client) {
        yield A;
        yield await client.get("/hang");
      },
      { sources: await service(), timeout: 0.2 },
    );
    expect(outcome.status).toBe("failed");
    expect(outcome.reasons).toContain("out of time: detect did not end within 0.2 s");
    expect(outcome.seconds).toBeLessThan(3);
  });
});

test("a hundred thousand detections are gone through in seconds", async () => {
  const outcome = await outcomeOf(function* () {
    for (let index = 0; index < 100_000; index++) yield { dedupeKey: index };
  });
  expect(outcome.status).toBe("complete");
  expect(outcome.detections).toHaveLength(100_000);
});
