import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, DatabaseBusy, DatabaseError } from "../../../src/store/database.ts";
import { openEmbedded } from "../../../src/store/embedded/database.ts";
import { DATABASE_LOCK, lockFolder } from "../../../src/store/embedded/folder_lock.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { databaseExists, openDatabase } from "../../../src/store/open.ts";
import { createPostgres } from "../../support/databases.ts";
import { loginTo } from "../../support/login.ts";
import { entryRow, insertEntry } from "../../support/raw_entries.ts";
import { built, runScript, type Script, startScript } from "../../support/script.ts";

let root: string;
/** A database made once, because making one takes seconds. */
let site: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "swf-alarms-embedded-"));
  site = join(root, "deep", "site");
  const db = await openEmbedded(site);
  await migrate(db);
  await db.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Where a database is made before it is whole. */
const MAKING = "swf-alarms.making";

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** The database in a folder of its own. */
function copyOfSite(): string {
  const path = mkdtempSync(join(root, "copy-"));
  cpSync(site, path, { recursive: true });
  return path;
}

/** A process that opens the database as the engine does, writes, and then waits to hear what to do. */
function startHolder(folder: string, written: string, limit = 600): Script {
  return startScript(
    `import { openEmbedded } from ${JSON.stringify(built("store/embedded/database.js"))};
     try {
       const db = await openEmbedded(process.env.FOLDER, Number(process.env.LIMIT));
       await db.query("INSERT INTO entry_context VALUES ($1, '', '', 0, 0, '{}')", [process.env.WRITTEN]);
       console.log("open");
       // Uses it all the time: it is not given away.
       await db.transaction(() => hear());
       await db.close();
       console.log("closed");
     } catch (error) {
       console.log(error.constructor.name + ": " + error.message);
     }
     process.stdin.destroy();`,
    { FOLDER: folder, WRITTEN: written, LIMIT: String(limit) },
  );
}

async function isWritten(db: Database, name: string): Promise<boolean> {
  const rows = await db.query("SELECT 1 AS one FROM entry_context WHERE name = $1", [name]);
  return rows.length === 1;
}

describe("openEmbedded", () => {
  test("makes the folder, private to its user", () => {
    expect(mode(site)).toBe("700");
    expect(databaseExists({ kind: "embedded", path: site })).toBe(true);
  });

  test("what was written is there at the next start", async () => {
    const db = await openEmbedded(site);
    const data = { entry_id: "alarm_x", text: `'"\\😀` };
    const id = await insertEntry(db, { kind: "alarm", data });
    const row = await entryRow(db, id);
    await db.close();

    const again = await openEmbedded(site);
    expect(await migrate(again)).toMatchObject({ applied: [], notes: [] });
    expect(await entryRow(again, id)).toEqual(row);
    await again.close();
  });

  test("a folder that others could read is closed to them", async () => {
    chmodSync(site, 0o777);
    await (await openEmbedded(site)).close();
    expect(mode(site)).toBe("700");
  });

  test("a process that was killed blocks nobody, and what it had committed is there", async () => {
    const holder = startHolder(site, "killed");
    expect(await holder.line()).toBe("open");
    holder.kill("SIGKILL");
    await holder.ended;
    const db = await openEmbedded(site);
    expect(await isWritten(db, "killed")).toBe(true);
    await db.close();
  });

  test("locks are taken and released while the database is closed, and end with it", async () => {
    const [db, other] = [await openEmbedded(site), await openEmbedded(site)];
    expect(await db.tryLock("swf-alarms tick", 600)).toMatchObject({ held: true });
    expect(await other.isLocked("swf-alarms tick")).toBe(true);
    expect(await other.isLocked("swf-alarms another")).toBe(false);
    expect(await other.tryLock("swf-alarms tick", 0)).toEqual({
      held: false,
      holder: expect.stringMatching(new RegExp(`^process ${process.pid} since .* UTC$`)),
      overdue: false,
    });
    expect(await other.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await db.close();
    expect(await other.isLocked("swf-alarms tick")).toBe(false);
    await other.close();
  }, 60_000);

  test("it waits for a command that will be done soon, and gives the folder back when closed", async () => {
    const held = await lockFolder(site, DATABASE_LOCK);
    const opening = openEmbedded(site);
    if (held.held) await held.lock.release();
    const db = await opening;
    expect((await lockFolder(site, DATABASE_LOCK)).held).toBe(false);
    await db.close();
    const lock = await lockFolder(site, DATABASE_LOCK);
    expect(lock.held).toBe(true);
    if (lock.held) await lock.lock.release();
  });

  test("a folder in which another process is making its database, or was killed at it, is no stranger's folder", async () => {
    const path = join(root, "half_made");
    mkdirSync(join(path, MAKING), { recursive: true });
    const maker = await lockFolder(path, DATABASE_LOCK);
    // What lies there first when a database is made; PG_VERSION comes last.
    for (const part of ["global", "pg_notify"])
      cpSync(join(site, part), join(path, part), { recursive: true });
    const release = maker.held ? maker.lock.release : async () => {};
    const [db] = await Promise.all([openEmbedded(path), release()]);
    expect((await migrate(db)).applied).not.toEqual([]);
    await db.close();
  });

  /** What a maker leaves at the moment of its death, and what must come of it. */
  const HALF_MADE: readonly (readonly [string, (path: string) => void])[] = [
    ["before anything of Postgres was made", (path) => mkdirSync(join(path, MAKING))],
    [
      "while it was made: all but whole, with a PG_VERSION",
      (path) => {
        cpSync(site, join(path, MAKING), { recursive: true });
        rmSync(join(path, MAKING, "global"), { recursive: true });
      },
    ],
    [
      "while its parts were moved up",
      (path) => {
        cpSync(site, join(path, MAKING), { recursive: true });
        for (const part of ["base", "global", "pg_hba.conf"])
          renameSync(join(path, MAKING, part), join(path, part));
      },
    ],
  ];
  test.each(HALF_MADE)(
    "a maker killed %s leaves what the next one clears away",
    async (_, leave) => {
      const path = mkdtempSync(join(root, "half-"));
      leave(path);
      // A tick that was skipped meanwhile has left its note.
      writeFileSync(join(path, "swf-alarms.skipped"), "");
      const db = await openEmbedded(path);
      expect((await migrate(db)).applied).not.toEqual([]);
      await db.close();
      expect(readdirSync(path)).not.toContain(MAKING);
      expect(readdirSync(path)).toContain("swf-alarms.skipped");
    },
  );

  test("a maker killed when all was moved up has made a whole database", async () => {
    const path = mkdtempSync(join(root, "half-"));
    cpSync(site, path, { recursive: true });
    mkdirSync(join(path, MAKING));
    const db = await openEmbedded(path);
    expect(await isWritten(db, "swf-alarms")).toBe(true);
    await db.close();
    expect(readdirSync(path)).not.toContain(MAKING);
  });

  test("a real maker, killed when its first files are there", async () => {
    const path = join(root, "killed_maker");
    const maker = startScript(
      `import { openEmbedded } from ${JSON.stringify(built("store/embedded/database.js"))};
       await openEmbedded(process.env.FOLDER);`,
      { FOLDER: path },
    );
    while (!existsSync(join(path, MAKING)) || readdirSync(join(path, MAKING)).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    maker.kill("SIGKILL");
    await maker.ended;
    const db = await openEmbedded(path);
    expect((await migrate(db)).applied).not.toEqual([]);
    await db.close();
  });

  test("a folder that cannot be made is named, with what to check", async () => {
    const file = join(root, "a_file");
    writeFileSync(file, "");
    for (const path of [file, join(file, "below")]) {
      const failure: unknown = await openEmbedded(path).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(DatabaseError);
      expect(String(failure)).toContain(path);
      expect(String(failure)).toContain("[db] path");
    }
  });

  test("a database that cannot be read is named in one line, is left as it is, and is not kept locked", async () => {
    const path = join(root, "broken");
    mkdirSync(path);
    writeFileSync(join(path, "PG_VERSION"), "9.6\n");
    const failure: unknown = await openEmbedded(path).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DatabaseError);
    expect(failure).not.toBeInstanceOf(DatabaseBusy);
    expect(String(failure)).toContain(`cannot open the embedded database ${path}`);
    expect(String(failure)).toContain("Restore the folder from a backup, or move it away");
    expect(String(failure)).not.toMatch(/[\r\n]/);
    expect(readdirSync(path)).toEqual(["PG_VERSION"]);
    const lock = await lockFolder(path, DATABASE_LOCK);
    expect(lock.held).toBe(true);
    if (lock.held) await lock.lock.release();
  });

  test("a folder with other people's files in it is refused and left as it is", async () => {
    const path = join(root, "home");
    mkdirSync(path, { mode: 0o755 });
    writeFileSync(join(path, "thesis.txt"), "years of work");
    const failure: unknown = await openEmbedded(path).then(
      (db) => db.close(),
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(DatabaseError);
    expect(readdirSync(path)).toEqual(["thesis.txt"]);
    expect(mode(path)).toBe("755");
  });

  test("nothing is printed, and the process ends by itself after close", async () => {
    const path = join(root, "quiet");
    const { code, stdout, stderr } = await runScript(
      `import { openEmbedded } from ${JSON.stringify(built("store/embedded/database.js"))};
       const db = await openEmbedded(process.env.FOLDER);
       await db.query("SELECT 1");
       await db.close();`,
      { FOLDER: path },
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

// At the same time: each waits until it does not get the folder.
describe.concurrent("a folder that another process has", () => {
  test("a second process is refused with the pid of the first, and harms nothing", async () => {
    const path = copyOfSite();
    const first = startHolder(path, "first");
    expect(await first.line()).toBe("open");

    const second = startHolder(path, "second");
    const said = await second.line();
    expect(said.replace(/since \S+ \d\d:\d\d UTC/, "since TIME")).toBe(
      `DatabaseBusy: the embedded database ${path} is in use by process ${first.pid} since TIME; try again when it has ended`,
    );
    expect(await second.ended).toMatchObject({ code: 0, stderr: "" });

    first.say("close");
    expect(await first.line()).toBe("closed");
    expect(await first.ended).toMatchObject({ code: 0, stderr: "" });
    const db = await openEmbedded(path);
    expect(await isWritten(db, "first")).toBe(true);
    expect(await isWritten(db, "second")).toBe(false);
    await db.close();
  });

  test.each([
    { when: "within its own limit", limit: 600, overdue: false },
    { when: "longer than that, with how to end it", limit: 0, overdue: true },
  ])(
    "a stopped process that has had the database $when, is named",
    async ({ limit, overdue }) => {
      const path = copyOfSite();
      const holder = startHolder(path, "stopped", limit);
      expect(await holder.line()).toBe("open");
      holder.kill("SIGSTOP");
      // The limit of the one who asks does not matter.
      const failure: unknown = await openEmbedded(path, 600 - limit).catch((error) => error);
      expect(failure).toBeInstanceOf(DatabaseBusy);
      expect(failure).toMatchObject({ overdue });
      const advice = overdue
        ? `, longer than it may take; end it: kill -9 ${holder.pid}`
        : "; try again when it has ended";
      expect(String(failure).replace(/since \S+ \d\d:\d\d UTC/, "since TIME")).toBe(
        `DatabaseError: the embedded database ${path} is in use by process ${holder.pid} since TIME${advice}`,
      );
      holder.kill("SIGCONT");
      holder.say("close");
      expect(await holder.line()).toBe("closed");
      await holder.ended;
      expect(readdirSync(path).join(" ")).not.toContain("lock");
    },
    60_000,
  );

  test("a tick that has begun and does not get it again is not one that is skipped", async () => {
    const path = copyOfSite();
    const db = await openEmbedded(path);
    let taken = await lockFolder(path, DATABASE_LOCK);
    // Until the database is closed, because it is not used.
    while (!taken.held) taken = await lockFolder(path, DATABASE_LOCK, { wait: 5 });
    const failure: unknown = await db.query("SELECT 1").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DatabaseError);
    expect(failure).not.toBeInstanceOf(DatabaseBusy);
    expect(String(failure)).toContain(`in use by process ${process.pid} since`);
    await taken.lock.release();
    expect(await db.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await db.close();
    expect(readdirSync(path).join(" ")).not.toContain("lock");
  }, 60_000);
});

describe("openDatabase", () => {
  test("a path opens the embedded database there", async () => {
    const db = await openDatabase({ kind: "embedded", path: site });
    expect(await isWritten(db, "swf-alarms")).toBe(true);
    await db.close();
  });

  test("a server's login opens that Postgres, and always exists", async () => {
    const dsn = await createPostgres();
    expect(databaseExists(loginTo(dsn))).toBe(true);
    const db = await openDatabase(loginTo(dsn));
    expect(await db.query("SELECT current_database() AS name")).toEqual([
      { name: new URL(dsn).pathname.slice(1) },
    ]);
    await db.close();
  });

  test("asking whether an embedded database exists does not make it", () => {
    const path = join(root, "asked");
    expect(databaseExists({ kind: "embedded", path })).toBe(false);
    expect(existsSync(path)).toBe(false);
  });
});
