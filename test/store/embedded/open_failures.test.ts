import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DatabaseBusy, DatabaseError } from "../../../src/store/database.ts";
import { openEmbedded } from "../../../src/store/embedded/database.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { built, runScript } from "../../support/script.ts";

let root: string;
/** A database made once, because making one takes seconds. */
let whole: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "swf-alarms-failures-"));
  whole = join(root, "whole");
  const db = await openEmbedded(whole);
  await migrate(db);
  await db.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const RESTORE = "Restore the folder from a backup, or move it away";

function copyOfWhole(): string {
  const path = mkdtempSync(join(root, "copy-"));
  cpSync(whole, path, { recursive: true });
  return path;
}

async function failureOf(path: string): Promise<string> {
  const failure: unknown = await openEmbedded(path).then(
    (db) => db.close(),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(DatabaseError);
  expect(failure).not.toBeInstanceOf(DatabaseBusy);
  expect(String(failure)).not.toMatch(/[\r\n]/);
  expect(String(failure)).toContain(path);
  expect(String(failure)).not.toMatch(/pglite/i);
  return String(failure);
}

/** Names and sizes of all files. */
function filesOf(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => `${name} ${statSync(join(path, name)).size}`);
}

const overwrite = (path: string, ...parts: string[]): void =>
  writeFileSync(join(path, ...parts), "x".repeat(8192));

describe("damage that is proved: restore it, or begin again", () => {
  const rows: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ["PG_VERSION is missing", (path) => rmSync(join(path, "PG_VERSION")), /PG_VERSION is missing/],
    [
      "only one folder of it is left",
      (path) => {
        for (const name of readdirSync(path))
          if (name !== "base") rmSync(join(path, name), { recursive: true });
      },
      /PG_VERSION is missing/,
    ],
    [
      "the control file is missing",
      (path) => rmSync(join(path, "global", "pg_control")),
      /PANIC: .*global\/pg_control.*No such file/,
    ],
    [
      "the control file is overwritten",
      (path) => overwrite(path, "global", "pg_control"),
      /FATAL: .*files are incompatible/,
    ],
    [
      "the write-ahead log is missing",
      (path) => {
        for (const name of readdirSync(join(path, "pg_wal")))
          rmSync(join(path, "pg_wal", name), { recursive: true });
      },
      /PANIC: .*valid checkpoint record/,
    ],
    [
      "the tables are missing",
      (path) => rmSync(join(path, "base"), { recursive: true }),
      /DETAIL: .*subdirectory .* is missing/,
    ],
    [
      "a table of the system is overwritten",
      (path) => {
        for (const name of readdirSync(join(path, "global")))
          if (/^\d+$/.test(name)) overwrite(path, "global", name);
      },
      /FATAL: .*invalid page/,
    ],
    [
      "its configuration is missing",
      (path) => rmSync(join(path, "postgresql.conf")),
      /postgresql\.conf.*No such file/,
    ],
  ];
  test.each(rows)("%s", async (_sentence, damage, reason) => {
    const path = copyOfWhole();
    damage(path);
    const before = filesOf(path);
    const failure = await failureOf(path);
    expect(failure).toMatch(reason);
    expect(failure).toContain(RESTORE);
    if (reason.source.includes("missing") && failure.includes("PG_VERSION"))
      expect(filesOf(path)).toEqual(before);
  });
});

/** Folders of a closed database that have no files. */
const emptyFolders = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => {
    const inside = join(path, name);
    return statSync(inside).isDirectory() && readdirSync(inside).length === 0;
  });

test("a copy that lacks the empty folders, one of them or all, is opened and used", async () => {
  const empty = emptyFolders(whole);
  expect(empty).toEqual(expect.arrayContaining(["pg_notify", "pg_replslot", "pg_tblspc"]));
  for (const missing of [...empty.map((name) => [name]), empty]) {
    const path = copyOfWhole();
    for (const name of missing) rmSync(join(path, name), { recursive: true });
    for (const [key, count] of [1, 2].entries()) {
      const db = await openEmbedded(path);
      await db.query("INSERT INTO entry_context VALUES ($1, '', '', 1, 1, '{}')", [`x${key}`]);
      expect(await db.query("SELECT FROM entry_context WHERE name LIKE 'x%'")).toHaveLength(count);
      await db.close();
    }
  }
}, 120_000);

describe("what is no damage: the data is unchanged, and nothing is to be moved away", () => {
  test("another version of Postgres made it", async () => {
    const path = copyOfWhole();
    writeFileSync(join(path, "PG_VERSION"), "17\n");
    const failure = await failureOf(path);
    expect(failure).toMatch(
      /version 17.*\. Use the version of the engine that made it; the data is/,
    );
    expect(failure).not.toContain("move it away");
  });

  test("its configuration has an error", async () => {
    const path = copyOfWhole();
    appendFileSync(join(path, "postgresql.conf"), "x = = y\n");
    const failure = await failureOf(path);
    expect(failure).toMatch(
      /FATAL: .*contains errors\. Its data was not changed: run .*operations\.md/,
    );
    expect(failure).not.toContain("move it away");
  });

  test("a package is missing", async () => {
    const parts = mkdtempSync(join(root, "parts-"));
    cpSync(fileURLToPath(new URL("../..", built("store/embedded/database.js"))), parts, {
      recursive: true,
    });
    const failure = await failureIn(copyOfWhole(), {
      file: join(parts, "store/embedded/database.js"),
    });
    expect(failure).toMatch(
      /Cannot find package imported from .*\. A package of the engine is missing or damaged: run deploy\/install\.sh again .*npm ci.*; the data is unchanged\.$/,
    );
  });

  test("too few file descriptors, at whatever moment they run out", async () => {
    const failures: string[] = [];
    for (const left of [0, 1, 2, 3, 4, 6, 8, 12]) {
      const path = copyOfWhole();
      const { stdout } = await runScript(
        `import { closeSync, openSync } from "node:fs";
         import { openEmbedded } from ${JSON.stringify(built("store/embedded/database.js"))};
         await import(${JSON.stringify(import.meta.resolve("@electric-sql/pglite"))});
         const open = [];
         try { for (;;) open.push(openSync("/dev/null")); } catch {}
         for (const handle of open.splice(0, ${left})) closeSync(handle);
         ${ATTEMPT}`,
        { FOLDER: path },
        [],
        ["sh", "-c", 'ulimit -n 200; exec "$0" "$@"'],
      );
      failures.push(stdout.trim());
      // Nothing is wrong with it.
      await (await openEmbedded(path)).close();
    }
    expect(failures[0]).toMatch(
      /This process may not open more files: raise the limit, see ulimit -n; the data is unchanged/,
    );
    for (const failure of failures) expect(failure).toMatch(/^open$|ulimit -n/);
  }, 60_000);

  test("too little memory", async () => {
    const reported = /memory\. Free memory, or raise the limit .*; the data is unchanged\.$/;
    const few = ["sh", "-c", 'exec "$0" --wasm-max-mem-pages=512 "$@"'];
    expect(await failureIn(copyOfWhole(), { via: few })).toMatch(reported);
    // Newer versions of Node reserve less, and open it.
    const small = ["sh", "-c", 'ulimit -v 3000000; exec "$0" "$@"'];
    const failure = await failureIn(copyOfWhole(), { via: small });
    if (failure !== "open") expect(failure).toMatch(reported);
  });

  test("the disk is full", async (context) => {
    const path = mkdtempSync(join(root, "small-"));
    // In a mount namespace of its own, which ends with the process.
    const via = [
      ...["unshare", "-m", "sh", "-c"],
      `mount -t tmpfs -o size=60m none "$FOLDER" && cp -r "${whole}" "$FOLDER/state" &&
       head -c 100m /dev/zero >"$FOLDER/full" 2>/dev/null; FOLDER="$FOLDER/state" exec "$0" "$@"`,
    ];
    if (spawnSync("unshare", ["-m", "true"]).status !== 0)
      return context.skip("this machine allows no mount namespaces");
    const failure = await failureIn(path, { via });
    expect(failure).toMatch(/\. Free space on its disk, .*; the data is unchanged\.$/);
  });
});

const ATTEMPT = `try {
  const db = await openEmbedded(process.env.FOLDER);
  await db.query("SELECT 1");
  await db.close();
  console.log("open");
} catch (error) {
  console.log(error.message);
}`;

/** The message with which another process cannot open it. */
async function failureIn(
  path: string,
  {
    file = built("store/embedded/database.js"),
    via = [],
  }: { file?: string; via?: readonly string[] },
): Promise<string> {
  const code = `import { openEmbedded } from ${JSON.stringify(file)}; ${ATTEMPT}`;
  const { stdout } = await runScript(code, { FOLDER: path }, [], via);
  expect(stdout).not.toContain("move it away");
  return stdout.trim();
}
