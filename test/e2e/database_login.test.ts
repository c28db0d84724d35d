import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Authority, hasOpenssl } from "../support/certificates.ts";
import { migrated } from "../support/migrated.ts";
import { type OwnPostgres, startPostgres } from "../support/own_postgres.ts";
import { QUIET } from "../support/quiet.ts";
import { makeSite, type Site } from "../support/site.ts";

/** What no message may hold. */
const PASSWORD = "s3cret#pa:ss w0rd";
const ME = userInfo().username;

describe.skipIf(!hasOpenssl())(
  "a server with passwords and TLS is reached as psql reaches it",
  () => {
    const authority = new Authority();
    const other = new Authority();
    let server: OwnPostgres;
    let port: string;
    let sockets: string;
    beforeAll(async () => {
      server = await startPostgres(["-c", "fsync=off"]);
      ({ port } = new URL(server.url));
      const admin = new pg.Client(`${server.url}postgres`);
      await admin.connect();
      const show = async (name: string): Promise<string> =>
        (await admin.query(`SELECT current_setting('${name}') AS value`)).rows[0].value;
      const data = await show("data_directory");
      sockets = (await show("unix_socket_directories")).split(",")[0] ?? "";
      const { key, cert } = authority.issue("IP:127.0.0.1", 2);
      for (const [name, text] of Object.entries({ "server.key": key, "server.crt": cert })) {
        writeFileSync(join(data, name), text, { mode: 0o600 });
        const { uid, gid } = statSync(data);
        chownSync(join(data, name), uid, gid);
      }
      // A role without TLS, one that needs it, and everyone else.
      writeFileSync(
        await show("hba_file"),
        `local all all scram-sha-256
       hostssl all plain 127.0.0.1/32 reject
       hostnossl all tls 127.0.0.1/32 reject
       host all all 127.0.0.1/32 scram-sha-256\n`,
      );
      await admin.query("ALTER SYSTEM SET ssl = on");
      await admin.query("SELECT pg_reload_conf()");
      for (const role of ["plain", "tls", ME])
        await admin.query(`CREATE ROLE "${role}" LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
      await admin.query(`CREATE DATABASE "${ME}"`);
      await admin.end();
      await migrated(server.url + ME, async () => {});
    });
    afterAll(async () => {
      await server.close();
      authority.remove();
      other.remove();
    });

    interface Given {
      readonly dsn?: string;
      readonly dotenv?: string;
      /** Files in the home folder; mode 600. */
      readonly home?: { readonly [path: string]: string };
      readonly env?: { readonly [name: string]: string };
    }

    /** A site that logs in like this; `run` starts a command with this environment and no other. */
    async function siteWith({ dsn, dotenv, home = {}, env = {} }: Given) {
      const site: Site = await makeSite({ mail: "none" });
      const folder = join(site.folder, "home");
      mkdirSync(folder);
      for (const [path, text] of Object.entries(home)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text, { mode: 0o600 });
      }
      writeFileSync(join(site.folder, "x.env"), dotenv ?? "", { mode: 0o600 });
      const line = dsn === undefined ? 'env_path = "x.env"' : `dsn = ${JSON.stringify(dsn)}`;
      const text = readFileSync(site.config, "utf8").replace(/^dsn = .*$/m, () => line);
      writeFileSync(site.config, text);
      const clean = ["env", "-i", `PATH=${process.env.PATH}`, `HOME=${folder}`];
      const via = [...clean, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
      return { ...site, home: folder, run: (...args: string[]) => site.command(args, { via }) };
    }

    const escaped = PASSWORD.replaceAll(":", "\\:");
    const encoded = encodeURIComponent(PASSWORD);
    const rows: readonly (readonly [string, () => Given])[] = [
      [
        "without user and database; the password is in ~/.pgpass",
        () => ({
          dsn: `postgresql://127.0.0.1:${port}`,
          home: { ".pgpass": `*:*:*:*:${escaped}` },
        }),
      ],
      [
        "whatever $USER says",
        () => ({
          dsn: `postgresql://127.0.0.1:${port}`,
          home: { ".pgpass": `127.0.0.1:${port}:${ME}:${ME}:${escaped}` },
          env: { USER: "nobody", LOGNAME: "nobody" },
        }),
      ],
      [
        "through a socket",
        () => ({
          dsn: `postgresql://?host=${sockets}&port=${port}`,
          env: { PGPASSWORD: PASSWORD },
        }),
      ],
      [
        "through a socket as host, with sslmode=verify-full, as sockets are not encrypted",
        () => ({
          dsn: `postgresql://plain:${encoded}@${encodeURIComponent(sockets)}:${port}/${ME}?sslmode=verify-full`,
        }),
      ],
      [
        "by a service",
        () => ({
          dsn: `postgresql:///${ME}?service=site`,
          home: {
            ".pg_service.conf": `[site]\nhost=127.0.0.1\nport=${port}\nuser=tls\npassword=${PASSWORD}\n`,
          },
        }),
      ],
      [
        "by a service that a variable names, and other variables",
        () => ({
          dsn: "postgresql://",
          home: { ".pg_service.conf": `[site]\nhost=127.0.0.1\nport=${port}\n` },
          env: { PGSERVICE: "site", PGUSER: "plain", PGDATABASE: ME, PGPASSWORD: PASSWORD },
        }),
      ],
      [
        "to a role that needs TLS, without any sslmode",
        () => ({ dsn: `postgresql://tls:${encoded}@127.0.0.1:${port}/${ME}` }),
      ],
      [
        "to a role that must not use TLS",
        () => ({ dsn: `postgresql://plain:${encoded}@127.0.0.1:${port}/${ME}` }),
      ],
      [
        "verified by the authority in the dsn",
        () => ({
          dsn: `postgresql://tls:${encoded}@127.0.0.1:${port}/${ME}?sslmode=verify-full&sslrootcert=${authority.path}`,
        }),
      ],
      [
        "verified by psql's own authority file and $PGSSLMODE",
        () => ({
          dsn: `postgresql://tls:${encoded}@127.0.0.1:${port}/${ME}`,
          home: { ".postgresql/root.crt": `# ü\n${readFileSync(authority.path, "utf8")}` },
          env: { PGSSLMODE: "verify-full" },
        }),
      ],
      [
        "by a dotenv file with a byte order mark, and a password with # and a space",
        () => ({
          dotenv: `\uFEFFDB_HOST=127.0.0.1\r\nDB_PORT=${port}\r\nDB_NAME='${ME}'\r\nDB_USER="tls"\r\nDB_PASSWORD=${PASSWORD}\r\n`,
          env: { PGHOST: "no-such-host.invalid", PGPORT: "1", PGDATABASE: "none", PGUSER: "none" },
        }),
      ],
      [
        "by a dotenv file without a password",
        () => ({
          dotenv: `DB_HOST=127.0.0.1\nDB_PORT=${port}\nDB_NAME=${ME}\nDB_USER=plain\n`,
          home: { ".pgpass": `127.0.0.1:${port}:${ME}:plain:${escaped}` },
        }),
      ],
    ];
    test.each(rows)("a tick, silent: %s", async (_, given) => {
      const { run } = await siteWith(given());
      expect(await run("run")).toEqual(QUIET);
    });

    const refused: readonly (readonly [string, () => Given, RegExp])[] = [
      [
        "no password anywhere",
        () => ({ dsn: `postgresql://tls@127.0.0.1:${port}/db` }),
        /cannot connect to Postgres at 127\.0\.0\.1:\d+\/db: no password given: none in \[db\], in \$PGPASSWORD or for this login in \S+\/home\/\.pgpass/,
      ],
      [
        "no password on a socket",
        () => ({ dsn: `postgresql:///db?host=${sockets}&port=${port}` }),
        /at \S+\/\.s\.PGSQL\.\d+, database db: no password given/,
      ],
      [
        "a wrong password from a file",
        () => ({
          dsn: `postgresql://127.0.0.1:${port}`,
          home: { ".pgpass": "*:*:*:*:s3cret-wrong" },
        }),
        /at 127\.0\.0\.1:\d+\/\w+: password authentication failed/,
      ],
      [
        "a service whose server does not exist, in its own words",
        () => ({
          dsn: "postgresql:///db?service=site",
          home: { ".pg_service.conf": `[site]\nhost=127.0.0.1\nport=1\npassword=${PASSWORD}` },
        }),
        /at 127\.0\.0\.1:1\/db: .*ECONNREFUSED/,
      ],
      [
        "a server that the authority does not vouch for",
        () => ({
          dsn: `postgresql://tls:${encoded}@127.0.0.1:${port}/${ME}?sslmode=require`,
          home: { ".postgresql/root.crt": readFileSync(other.path, "utf8") },
        }),
        /certificate/,
      ],
      [
        "a mistyped mode in the environment",
        () => ({
          dsn: `postgresql://tls:${encoded}@127.0.0.1:${port}/${ME}`,
          env: { PGSSLMODE: "verify_full" },
        }),
        /\$PGSSLMODE: must be one of .*verify-full/,
      ],
      [
        "a mistyped name",
        () => ({ dsn: `postgresql://tls:${encoded}@127.0.0.1:${port}/${ME}?ssl_mode=verify-full` }),
        /ssl_mode: not supported .*did you mean sslmode\?/,
      ],
      [
        "a password that is not encoded",
        () => ({ dsn: "postgresql://u:s3cret@pa/ss#w0rd@127.0.0.1/db" }),
        /db\.dsn: must be a URL .*%40/,
      ],
      [
        "a dotenv file without a host",
        () => ({ dotenv: `DB_NAME=n\nDB_USER=u\nDB_PASSWORD=${PASSWORD}` }),
        /x\.env: DB_HOST is missing/,
      ],
    ];
    test.each(refused)("refused, without the password: %s", async (_, given, pattern) => {
      const { run } = await siteWith(given());
      const result = await run("run");
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toMatch(pattern);
      expect(result.stderr).not.toMatch(/s3cret|w0rd|Warning|\n\s+at /);
    });

    test("a password file that others can read is not used, and the error says why", async () => {
      const { run, home } = await siteWith({
        dsn: `postgresql://127.0.0.1:${port}`,
        home: { ".pgpass": `*:*:*:*:${escaped}` },
      });
      chmodSync(join(home, ".pgpass"), 0o644);
      expect(await run("run")).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/no password given: .*\.pgpass: it must have mode 600/),
      });
      chmodSync(join(home, ".pgpass"), 0o600);
      writeFileSync(join(home, ".pgpass"), Buffer.from(`# \xfc\n*:*:*:*:${escaped}`, "latin1"));
      expect((await run("run")).stderr).toMatch(/\.pgpass: .*line 1, column 3 is not UTF-8/);
      writeFileSync(join(home, ".pgpass"), `*:*:*:*:${escaped}`);
      expect(await run("run")).toEqual(QUIET);
    });

    test("a dotenv file that is not UTF-8 is refused", async () => {
      const { run, folder } = await siteWith({ dotenv: "" });
      writeFileSync(join(folder, "x.env"), Buffer.from("DB_PASSWORD=\xfc", "latin1"));
      const result = await run("run");
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toMatch(/x\.env.*UTF-8/);
    });
  },
);
