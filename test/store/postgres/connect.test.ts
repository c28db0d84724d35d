import { createServer, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import {
  type Database,
  DatabaseError,
  type Lock,
  type TransactionOptions,
} from "../../../src/store/database.ts";
import { openPostgres } from "../../../src/store/postgres/connect.ts";
import { createPostgres } from "../../support/databases.ts";
import { loginTo } from "../../support/login.ts";
import { built, runScript, startScript } from "../../support/script.ts";

let dsn: string;
let db: Database;
beforeAll(async () => {
  dsn = await createPostgres();
  db = await openPostgres(loginTo(dsn));
});
afterAll(() => db.close());

/** The DSN with one part changed. */
function changed(part: "password" | "port" | "pathname" | "search" | "username", value: string) {
  const url = new URL(dsn);
  url[part] = value;
  return url.href;
}

describe("openPostgres", () => {
  test("connects with a DSN, and as the engine", async () => {
    const [row] = await db.query(
      `SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS statement`,
    );
    expect(row).toEqual({ name: "swf-alarms", statement: "1min" });
    const [inside] = await db.transaction((tx) =>
      tx.query(
        `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
                current_setting('idle_in_transaction_session_timeout') AS idle`,
      ),
    );
    expect(inside).toEqual({ statement: "1min", lock: "20s", idle: "15s" });
  });

  test("a transaction waits for the disk unless it is said that nobody needs to", async () => {
    const wait = async (options?: TransactionOptions) =>
      await db.transaction((tx) => tx.query("SHOW synchronous_commit"), options);
    expect(await wait()).toEqual([{ synchronous_commit: "on" }]);
    expect(await wait({ flush: false })).toEqual([{ synchronous_commit: "off" }]);
    expect(await wait({ flush: true })).toEqual([{ synchronous_commit: "on" }]);
  });

  test("connects through a Unix socket, and a lock works there too", async () => {
    const [row] = await db.query(
      "SELECT current_setting('unix_socket_directories') AS folders, current_setting('port') AS port",
    );
    const [folder = ""] = String(row?.folders).split(",");
    const { username, password, pathname } = new URL(dsn);
    // No socket is encrypted, as with psql.
    const query = `host=${folder.trim()}&port=${row?.port}&sslmode=require`;
    const other = await openPostgres(
      loginTo(`postgresql://${username}:${password}@${pathname}?${query}`),
    );
    expect(await other.query("SELECT inet_client_addr() AS address")).toEqual([{ address: null }]);
    expect(await other.tryLock("over a socket", 600)).toMatchObject({ held: true });
    await other.close();
  });

  test("sends no settings with the start, which poolers refuse", async () => {
    const heard: string[] = [];
    // Tells what a client says first, and hangs up.
    const server = createServer((socket: Socket) =>
      socket.once("data", (chunk) => {
        heard.push(chunk.toString("latin1"));
        socket.destroy();
      }),
    );
    server.unref();
    const port = await listen(server);
    await expect(
      openPostgres(loginTo(`postgresql://u@127.0.0.1:${port}/db?sslmode=disable`)),
    ).rejects.toThrow();
    const words = (heard[0] ?? "")
      .slice(8)
      .split("\0")
      .filter((word) => word !== "");
    const names = words.filter((_, place) => place % 2 === 0).toSorted();
    expect(names).toEqual(["application_name", "client_encoding", "database", "user"]);
  });

  test("a closed database does not connect again", async () => {
    const other = await openPostgres(loginTo(dsn));
    await other.close();
    await expect(other.query("SELECT 1")).rejects.toThrow("the database is closed");
  });

  const SECRET = "s3cret-pw";
  const refused: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
    [
      "a port where nothing listens",
      async () => `postgresql://u:${SECRET}@127.0.0.1:${await closedPort()}/db`,
      /cannot connect to Postgres at 127\.0\.0\.1:\d+\/db: .*ECONNREFUSED/,
    ],
    [
      "a name with several addresses where nothing listens",
      async () => `postgresql://u:${SECRET}@localhost:${await closedPort()}/db`,
      /at localhost:\d+\/db: .*ECONNREFUSED/,
    ],
    [
      "a host that does not exist",
      async () => `postgresql://u:${SECRET}@no-such-host.invalid/db`,
      /at no-such-host\.invalid:5432\/db: .*no-such-host/,
    ],
    [
      "a wrong password",
      async () => changed("password", SECRET),
      /password authentication failed for user "postgres"/,
    ],
    ["a database that does not exist", async () => `${dsn}x`, /"t_\w+x" does not exist/],
    [
      "a role that does not exist",
      async () => changed("username", "nobody_here"),
      /authentication failed for user "nobody_here"|role "nobody_here" does not exist/,
    ],
    [
      "a server that demands encryption of a server that has none",
      async () => changed("search", "?sslmode=require"),
      /does not support SSL/,
    ],
    [
      "a server that is not Postgres",
      async () => `postgresql://u:${SECRET}@127.0.0.1:${await rudePort()}/db`,
      /cannot connect to Postgres at 127\.0\.0\.1/,
    ],
  ];
  test.each(refused)(
    "refuses in one line, without the password: %s",
    async (_sentence, address, says) => {
      const failure: unknown = await openPostgres(loginTo(await address())).then(
        (opened) => opened.close(),
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(DatabaseError);
      const text = String(failure);
      expect(text).toMatch(says);
      expect(text).toContain("[db]");
      expect(text).not.toMatch(/[\r\n]/);
      expect(text).not.toContain(SECRET);
    },
  );

  // The Python engine reads the same DSN with libpq; there is no encryption on the test server.
  test.each(["disable", "allow", "prefer"])(
    "sslmode=%s connects without encryption where there is none, as libpq does",
    async (mode) => {
      const other = await openPostgres(loginTo(changed("search", `?sslmode=${mode}`)));
      expect(await other.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await other.close();
    },
  );

  test.each(["disable", "require", "verify-full", "prefer"])(
    "sslmode=%s prints no warning, which cron would mail",
    async (mode) => {
      const { code, stderr, stdout } = await runScript(
        `import { openPostgres } from ${JSON.stringify(built("store/postgres/connect.js"))};
       await openPostgres({ login: JSON.parse(process.env.LOGIN) }).then((db) => db.close(), () => {});
       console.log("tried");`,
        { LOGIN: JSON.stringify(loginTo(changed("search", `?sslmode=${mode}`)).login) },
      );
      expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: "", stdout: "tried\n" });
    },
  );
});

describe("tryLock", () => {
  let other: Database;
  const held = new Set<Lock>();
  const take = async (from: Database, name: string): Promise<Lock | undefined> => {
    const attempt = await from.tryLock(name);
    if (!attempt.held) return undefined;
    held.add(attempt.lock);
    return attempt.lock;
  };
  const giveBack = async (lock: Lock | undefined): Promise<void> => {
    if (lock !== undefined && held.delete(lock)) await lock.release();
  };
  beforeAll(async () => {
    other = await openPostgres(loginTo(dsn));
  });
  // A test that failed in between must not leave a lock for the next.
  afterEach(async () => {
    for (const lock of held) await giveBack(lock);
  });
  afterAll(() => other.close());

  test("a second holder gets nothing until the first gives it back, and it then at once", async () => {
    for (let round = 0; round < 20; round++) {
      const lock = await take(db, "tick");
      expect(lock).toBeDefined();
      expect(await take(other, "tick")).toBeUndefined();
      await giveBack(lock);
      const next = await take(other, "tick");
      expect(next).toBeDefined();
      await giveBack(next);
    }
  });

  test("the same process gets it only once", async () => {
    expect(await take(db, "once")).toBeDefined();
    expect(await take(db, "once")).toBeUndefined();
  });

  test("another name is free, and the holder goes on to work", async () => {
    expect(await take(db, "a")).toBeDefined();
    expect(await take(other, "b")).toBeDefined();
    expect(await db.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await db.transaction((tx) => tx.query("SELECT 1"));
  });

  const HOLDER = `
    import { openPostgres } from ${JSON.stringify(built("store/postgres/connect.js"))};
    const db = await openPostgres({ login: JSON.parse(process.env.LOGIN) });
    const attempt = await db.tryLock("held");
    console.log(attempt.held ? "held" : "refused");
    await hear();
    console.log((await db.query("SELECT 'alive' AS word"))[0].word);
    console.log(!attempt.lock.lost.aborted);
    await attempt.lock.release();
    await db.close();
    console.log("closed");
    process.stdin.destroy();
  `;

  test("a holder that is killed does not block", async () => {
    const holder = startScript(HOLDER, { LOGIN: JSON.stringify(loginTo(dsn).login) });
    expect(await holder.line()).toBe("held");
    expect(await take(other, "held")).toBeUndefined();
    holder.kill("SIGKILL");
    await holder.ended;
    expect(await eventually(() => take(other, "held"))).toBeDefined();
  });

  test("a holder whose connection the server ends loses the lock and survives it", async () => {
    const holder = startScript(HOLDER, { LOGIN: JSON.stringify(loginTo(dsn).login) });
    expect(await holder.line()).toBe("held");
    await other.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(await eventually(() => take(other, "held"))).toBeDefined();
    holder.say("go on");
    expect(await holder.line()).toBe("alive");
    expect(await holder.line()).toBe("false");
    expect(await holder.line()).toBe("closed");
    expect(await holder.ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a connection that the server ends", () => {
  test("while idle: the next query works", async () => {
    const pool = await openPostgres(loginTo(dsn));
    const [mine] = await pool.query("SELECT pg_backend_pid() AS pid");
    await terminate(Number(mine?.pid));
    const [next] = await eventually(async () =>
      pool.query("SELECT pg_backend_pid() AS pid").catch(() => undefined),
    );
    expect(next?.pid).not.toBe(mine?.pid);
    await pool.close();
  });

  test("in a transaction: it fails, nothing of it is kept, the process and the pool survive", async () => {
    await db.query("CREATE TABLE lost (n int)");
    const script = startScript(
      `import { openPostgres } from ${JSON.stringify(built("store/postgres/connect.js"))};
       const db = await openPostgres({ login: JSON.parse(process.env.LOGIN) });
       try {
         await db.transaction(async (tx) => {
           await tx.query("INSERT INTO lost VALUES (1)");
           console.log((await tx.query("SELECT pg_backend_pid() AS pid"))[0].pid);
           await hear();
           await tx.query("INSERT INTO lost VALUES (2)");
         });
         console.log("committed");
       } catch (error) {
         console.log("failed");
       }
       console.log((await db.query("SELECT count(*)::int AS n FROM lost"))[0].n);
       await db.close();
       process.stdin.destroy();`,
      { LOGIN: JSON.stringify(loginTo(dsn).login) },
    );
    await terminate(Number(await script.line()));
    script.say("go on");
    expect(await script.line()).toBe("failed");
    expect(await script.line()).toBe("0");
    expect(await script.ended).toMatchObject({ code: 0, stderr: "" });
  });

  /** Ends a session and waits until it has gone. */
  async function terminate(pid: number): Promise<void> {
    const admin = await openPostgres(loginTo(`${inject("postgres")}postgres`));
    await admin.query("SELECT pg_terminate_backend($1::int)", [pid]);
    await eventually(async () => {
      const rows = await admin.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1::int", [pid]);
      return rows.length === 0 ? true : undefined;
    });
    await admin.close();
  }
});

/** Asks again and again until there is an answer; the test's own time limit ends it. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A port that answers something else than Postgres, and hangs up. */
async function rudePort(): Promise<number> {
  const server = createServer((socket: Socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
  server.unref();
  return await listen(server);
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
