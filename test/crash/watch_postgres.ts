import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { onTestFinished } from "vitest";
import type { Moments } from "./moments.ts";

/** What the engine writes in a tick, as a row's kind and how it is written. */
export const WRITES = [
  "engine_run insert",
  "event insert",
  "event update",
  "notification insert",
  "notification update",
  "engine_run update",
] as const;

const LOCK = 4711;
const LOOK_EVERY = 2;
/** Seconds for the server to notice that a client is gone: far more than it needs. */
const PATIENCE = 30;

/** The server tells of each write when it commits, and holds one before it does where it is asked to. */
const TELL = `
  CREATE TABLE crash_hold (what text);
  CREATE FUNCTION crash_tell() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    done text := NEW.kind || ' ' || lower(TG_OP);
  BEGIN
    PERFORM pg_notify('crash', done);
    IF EXISTS (SELECT 1 FROM crash_hold WHERE what = done) THEN
      PERFORM pg_advisory_xact_lock(${LOCK});
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER crash_tell AFTER INSERT OR UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION crash_tell()`;

export interface PostgresWatch {
  /** Holds the tick inside of its transaction once it has written this; noted as `held <what>`. */
  hold(what: string): Promise<void>;
  /** Lets go of it, and resolves when the server has taken leave of the tick. */
  release(): Promise<void>;
}

/** Notes `committed <write>` for every commit of a tick, seen from the server's side. */
export async function watchPostgres(dsn: string, moments: Moments): Promise<PostgresWatch> {
  const [listener, holder] = [await connect(dsn), await connect(dsn)];
  await listener.query(TELL);
  await listener.query("LISTEN crash");
  listener.on("notification", ({ payload }) => moments.note(`committed ${payload}`));
  let watching: AbortController | undefined;
  let looking = Promise.resolve();

  const look = async (what: string, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const { rows } = await holder.query(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted",
        [LOCK],
      );
      if (rows.length > 0) {
        moments.note(`held ${what}`);
        return;
      }
      await sleep(LOOK_EVERY);
    }
  };

  return {
    hold: async (what) => {
      await holder.query("SELECT pg_advisory_lock($1)", [LOCK]);
      await holder.query("INSERT INTO crash_hold VALUES ($1)", [what]);
      watching = new AbortController();
      looking = look(what, watching.signal);
    },
    release: async () => {
      if (watching !== undefined) {
        watching.abort();
        watching = undefined;
        await looking;
        await holder.query("DELETE FROM crash_hold");
        await holder.query("SELECT pg_advisory_unlock($1)", [LOCK]);
      }
      await sessionsGone(holder);
    },
  };
}

async function connect(dsn: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: dsn, application_name: "crash suite" });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** A dead client's session ends, with its locks, as soon as the server looks at the connection again. */
async function sessionsGone(db: pg.Client): Promise<void> {
  const until = performance.now() + PATIENCE * 1000;
  for (;;) {
    const { rows } = await db.query(
      `SELECT pid, state, query FROM pg_stat_activity
       WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> 'crash suite'`,
    );
    if (rows.length === 0) return;
    if (performance.now() > until)
      throw new Error(`the server keeps sessions of the killed tick: ${JSON.stringify(rows)}`);
    await sleep(20);
  }
}
