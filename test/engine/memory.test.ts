import { describe, expect, test } from "vitest";
import type { Mode } from "../../src/core/model.ts";
import type { Database } from "../../src/store/database.ts";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { CountingDatabase } from "../support/counting_database.ts";
import { createPostgres } from "../support/databases.ts";
import { loginTo } from "../support/login.ts";
import { dump, eventsOf, readEntries } from "../support/rows.ts";
import { type EngineAt, engineAt, START } from "./engine_at.ts";

const onServer = async (): Promise<Database> => openPostgres(loginTo(await createPostgres()));

/** A module that counts its ticks, and does this then. */
const counting = (then = ""): string => `
export const SOURCES = [];
export async function* detect(client) {
  const { at = 0, value = 0 } = (await client.previous()) ?? {};
  client.remember(value + 1);
  yield { dedupeKey: "tick", subject: "after " + value + " of " + (at && at - ${START}) };
  ${then}
}`;

interface Step {
  readonly what: string;
  readonly module: string;
  readonly mode?: Mode;
  /** What is remembered then, and since when. */
  readonly kept: string;
}

async function kept({ db }: Pick<EngineAt, "db">): Promise<string> {
  const rows = await readEntries(db, "alarm_memory");
  return rows
    .map(
      ({ name, data }) =>
        `${data.alarm} ${data.value} of ${Number(data.at) - START} ${name?.slice(0, 7)}`,
    )
    .join();
}

describe.each([
  ["Postgres", onServer],
  ["embedded", openInMemory],
])("on %s", (_, open) => {
  const STEPS: readonly Step[] = [
    { what: "it is new", module: counting(), kept: "x 1 of 0 memory:" },
    { what: "a plan keeps nothing", module: counting(), mode: "plan", kept: "x 1 of 0 memory:" },
    {
      what: "a dry run writes state",
      module: counting(),
      mode: "dry-run",
      kept: "x 2 of 600 memory:",
    },
    {
      what: "a failed outcome keeps nothing",
      module: counting("throw new Error('no');"),
      kept: "x 2 of 600 memory:",
    },
    {
      what: "a partial one does",
      module: counting("client.incomplete('half');"),
      kept: "x 3 of 1200 memory:",
    },
    {
      what: "a value that is too large leaves the one before, even if it comes last",
      module: counting("client.remember('x'.repeat(300000));").replace(
        "client.remember(value + 1)",
        "",
      ),
      kept: "x 3 of 1200 memory:",
    },
    {
      what: "so does one that is no JSON",
      module: counting("try { client.remember(new Map()); } catch {}").replace(
        "client.remember(value + 1)",
        "",
      ),
      kept: "x 3 of 1200 memory:",
    },
    {
      what: "a tick that does not remember leaves it too",
      module: "export const SOURCES = [];\nexport function* detect() {}",
      kept: "x 3 of 1200 memory:",
    },
    {
      what: "a complete outcome that detects nothing remembers",
      module:
        "export const SOURCES = [];\nexport function detect(client) { client.remember(null); return []; }",
      kept: "x null of 2400 memory:",
    },
  ];

  test("memory is kept with what a tick records, and only then", async () => {
    const at = await engineAt(open);
    const found: string[] = [];
    for (const { what, module, mode } of STEPS) {
      at.module("x.js", module);
      const before = await dump(at.db);
      await at.tick(mode);
      if (mode === "plan") expect(await dump(at.db), what).toEqual(before);
      found.push(`${what}: ${await kept(at)}`);
      at.now += 300;
    }
    expect(found).toEqual(STEPS.map(({ what, kept }) => `${what}: ${kept}`));
  });

  test("the next tick has the value, and the time of the tick that remembered it", async () => {
    const at = await engineAt(open);
    const subjects: (string | undefined)[] = [];
    for (let n = 0; n < 3; n++) {
      at.module("x.js", counting().replace('"tick"', `"tick ${n}"`));
      await at.tick();
      subjects.push((await eventsOf(at.db, "x")).at(-1)?.title);
      at.now += 300;
    }
    expect(subjects).toEqual(["after 0 of 0", "after 1 of 0", "after 2 of 300"]);
  });
});

test.each([
  [
    "too large",
    "client.remember('x'.repeat(300000))",
    /^x: client\.remember keeps at most 256 KiB/,
  ],
  [
    "no JSON, although the module catches the error",
    "try { client.remember(1n) } catch {}",
    /^x: client\.remember keeps one JSON value, .*: the value is 1n$/,
  ],
])("a value that cannot be kept is an error of the tick: %s", async (_, code, error) => {
  const at = await engineAt(openInMemory);
  at.module("x.js", `export const SOURCES = [];\nexport function* detect(client) { ${code} }`);
  expect((await at.tick())?.errors).toEqual([expect.stringMatching(error)]);
});

test("a tick that has lost its lock remembers nothing", async () => {
  const state = { isLost: false };
  const at = await engineAt(async () => {
    const db = await onServer();
    return {
      query: (sql, params) => db.query(sql, params),
      transaction: (work, options) => db.transaction(work, options),
      script: (sql) => db.script(sql),
      tryLock: async () => {
        const lost = state.isLost ? AbortSignal.abort() : new AbortController().signal;
        return { held: true, lock: { lost, release: async () => {} }, ended: undefined };
      },
      isLocked: (name) => db.isLocked(name),
      close: () => db.close(),
    };
  });
  at.module("x.js", counting());
  await at.tick();
  at.now += 300;
  state.isLost = true;
  await expect(at.tick()).rejects.toThrow("lock was lost");
  expect(await kept(at)).toBe("x 1 of 0 memory:");
});

test("nothing is read of the alarm until the module asks, and then once", async () => {
  let counted: CountingDatabase | undefined;
  const at = await engineAt(async () => {
    counted = new CountingDatabase(await onServer());
    return counted;
  });
  const reads = async (code: string): Promise<number> => {
    at.module(
      "x.js",
      `export const SOURCES = [];\nexport async function* detect(client) { ${code} }`,
    );
    await at.tick();
    at.now += 300;
    counted?.take();
    expect((await at.tick())?.errors).toEqual([]);
    at.now += 300;
    return counted?.take().length ?? 0;
  };
  const idle = await reads("");
  expect(await reads("await client.previous();")).toBe(idle + 1);
  expect(await reads("await client.firingEvents();")).toBe(idle);
  expect(await reads("await client.firing();")).toBe(idle);
});
