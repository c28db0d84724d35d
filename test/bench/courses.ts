import { FAILING_TASKS } from "./bench_alarms.ts";
import { BenchSite } from "./bench_site.ts";
import type { Laboratory } from "./laboratory.ts";
import type { Measured } from "./measured_process.ts";

/** What ticks over so many tasks took: four of five fail, and each is an event. */
export interface Course {
  readonly events: number;
  /** Ticks that open all events, each in a database of its own. */
  readonly first: readonly Measured[];
  /** Ticks that find the same again. */
  readonly repeat: readonly Measured[];
  /** Runs in which memory was looked at; the same ones where a tick takes seconds. */
  readonly firstMemory: readonly Measured[];
  readonly repeatMemory: readonly Measured[];
}

/** From so many tasks on looking at the memory is small beside the tick. */
const LONG = 50_000;

/** Courses by number of tasks; each is run once, and several parts of the bench read it. */
export class Courses {
  readonly #lab: Laboratory;
  readonly #known = new Map<number, Promise<Course>>();

  constructor(lab: Laboratory) {
    this.#lab = lab;
  }

  of(tasks: number): Promise<Course> {
    const course =
      this.#known.get(tasks) ?? (tasks < LONG ? this.#short(tasks) : this.#long(tasks));
    this.#known.set(tasks, course);
    return course;
  }

  async #short(tasks: number): Promise<Course> {
    const first = await this.#lab.repeat(tasks < 10_000 ? 1 : 5, async () => {
      const site = await this.#site(tasks);
      return { site, measured: await site.tick() };
    });
    const site = first.at(-1)?.site ?? (await this.#site(tasks));
    // The first repeat finds full pages and unread statistics; a site that runs for a day has neither.
    await site.tick();
    const fresh = await this.#site(tasks);
    return {
      events: eventsOf(tasks),
      first: first.map(({ measured }) => measured),
      repeat: await this.#lab.repeat(7, () => site.tick()),
      firstMemory: [await fresh.tick({ memoryEvery: 10 })],
      repeatMemory: await this.#lab.repeat(2, () => site.tick({ memoryEvery: 10 })),
    };
  }

  async #long(tasks: number): Promise<Course> {
    const site = await this.#site(tasks);
    const options = { memoryEvery: 100, timeout: 300 };
    const first = [await site.tick(options)];
    const repeat = await this.#lab.repeat(3, () => site.tick(options));
    return { events: eventsOf(tasks), first, repeat, firstMemory: first, repeatMemory: repeat };
  }

  async #site(tasks: number): Promise<BenchSite> {
    const postgres = await this.#lab.postgres();
    return new BenchSite(this.#lab, {
      alarms: { failing_tasks: FAILING_TASKS },
      dsn: postgres.dsn(await postgres.copy()),
      baseUrl: (await this.#lab.source()).listing(tasks),
    });
  }
}

/** Of the tasks from the first id on: all but each fifth. */
export function eventsOf(tasks: number): number {
  return tasks - Math.floor(tasks / 5);
}
