import { Agent, request } from "undici";
import { FAILING_TASKS } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Floor } from "./figures.ts";
import type { Laboratory } from "./laboratory.ts";
import { measure } from "./measured_process.ts";
import { timed } from "./postgres.ts";
import { multiply, type SampleRow, sampleRow, TASK_EVENT } from "./seed.ts";

/** The least that the work's parts take on this machine; each is measured once in a run, when it is first asked for. */
export class Floors {
  readonly #lab: Laboratory;
  readonly #known = new Map<string, Promise<readonly number[]>>();
  #sample: Promise<SampleRow> | undefined;

  constructor(lab: Laboratory) {
    this.#lab = lab;
  }

  /** Seconds of a process that does nothing. */
  async nodeStart(what: "wall" | "cpu"): Promise<Floor> {
    const values = await this.#once(`node ${what}`, async () => {
      const runs = await this.#lab.repeat(11, () =>
        measure([process.execPath, "-e", "0"], { signal: this.#lab.signal }),
      );
      return runs.map((run) => run[what]);
    });
    return { name: "`node -e 0`", values };
  }

  /** Seconds to read so many tasks over a kept-alive connection, page after page, and to parse them. */
  async fetch(count: number): Promise<Floor> {
    const values = await this.#once(`fetch ${count}`, async () => {
      const url = (await this.#lab.source()).listing(count);
      return await this.#lab.repeat(count > 20_000 ? 3 : 5, () => timed(() => readAll(url)));
    });
    return { name: "raw fetch", values };
  }

  /** Seconds of one statement that makes so many events. */
  async insert(count: number): Promise<Floor> {
    await this.#sql(count);
    return { name: "raw SQL insert", values: (await this.#known.get(`insert ${count}`)) ?? [] };
  }

  /** Seconds of one statement that notes so many events as seen again. */
  async touch(count: number): Promise<Floor> {
    return { name: "raw SQL touch", values: await this.#sql(count) };
  }

  async #sql(count: number): Promise<readonly number[]> {
    return await this.#once(`touch ${count}`, async () => {
      const sample = await this.sampleEvent();
      const postgres = await this.#lab.postgres();
      const inserts: number[] = [];
      const touches: number[] = [];
      await this.#lab.repeat(count > 20_000 ? 2 : 5, async (place) => {
        const database = await postgres.copy();
        await postgres.withDatabase(database, async (db) => {
          inserts.push(await timed(() => multiply(db, sample, { count, data: TASK_EVENT })));
          await db.query("ANALYZE entry");
          for (let again = 0; again < 2; again++)
            touches.push(await timed(() => db.query(TOUCH, [place * 2 + again, TASK_EVENTS])));
        });
        await postgres.drop(database);
      });
      this.#known.set(`insert ${count}`, Promise.resolve(inserts));
      return touches;
    });
  }

  /** An event as the engine makes it. */
  sampleEvent(): Promise<SampleRow> {
    this.#sample ??= this.#makeSample();
    return this.#sample;
  }

  async #makeSample(): Promise<SampleRow> {
    const postgres = await this.#lab.postgres();
    const database = await postgres.copy();
    const baseUrl = (await this.#lab.source()).listing(1);
    const alarms = { failing_tasks: FAILING_TASKS };
    await new BenchSite(this.#lab, { alarms, dsn: postgres.dsn(database), baseUrl }).tick();
    return await postgres.withDatabase(database, (db) => sampleRow(db, "event"));
  }

  #once(name: string, work: () => Promise<readonly number[]>): Promise<readonly number[]> {
    const made = this.#known.get(name) ?? work();
    this.#known.set(name, made);
    return made;
  }
}

/** What the row contract asks of an event that is seen again, on every active one. */
export const TOUCH = `UPDATE entry
  SET data = jsonb_set(data, '{last_seen}', to_jsonb($1::float8)), timestamp_modified = $1
  WHERE kind = 'event' AND context_id = 'swf-alarms' AND archived = false AND deleted_at IS NULL
    AND data->>'clear_time' IS NULL AND data->>'entry_id' = $2`;
/** The events of the alarm that most parts measure. */
export const TASK_EVENTS = "event_failing_tasks";

async function readAll(baseUrl: string): Promise<void> {
  const agent = new Agent({ connections: 1 });
  try {
    let before = "";
    for (;;) {
      const url = `${baseUrl}/api/panda/tasks/?days=7&limit=200${before}`;
      const { body } = await request(url, { dispatcher: agent });
      const page: unknown = JSON.parse(await body.text());
      if (!isPage(page)) throw new Error(`${url} gave no page`);
      if (!page.has_more) return;
      before = `&before_id=${page.next_before_id}`;
    }
  } finally {
    await agent.close();
  }
}

function isPage(value: unknown): value is { has_more: boolean; next_before_id: number | null } {
  return typeof value === "object" && value !== null && "has_more" in value;
}
