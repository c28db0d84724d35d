import { join } from "node:path";
import { json } from "../support/http_server.ts";
import type { ProcessResult } from "../support/process.ts";
import type { Site } from "../support/site.ts";
import type { Dice } from "./dice.ts";
import { type Gate, startGate } from "./gate.ts";
import { type History, type RanTick, readRows } from "./history.ts";
import { type Instant, instantName } from "./instants.ts";
import { Moments } from "./moments.ts";
import { processesGone, startVictim, type VictimEnd } from "./victim.ts";
import { watchFiles } from "./watch_files.ts";
import { type PostgresWatch, watchPostgres } from "./watch_postgres.ts";
import type { World } from "./world.ts";

/** Runs the ticks of a site one after the other, kills them when told, and keeps what the outside saw. */
export class Laboratory {
  readonly moments: Moments;
  readonly #site: Site;
  readonly #world: World;
  readonly #gate: Gate;
  readonly #postgres: PostgresWatch | undefined;
  readonly #ticks: RanTick[] = [];
  /** Seconds that a tick takes which nobody kills. */
  #duration = 1;

  private constructor(parts: {
    site: Site;
    world: World;
    moments: Moments;
    gate: Gate;
    postgres: PostgresWatch | undefined;
  }) {
    this.#site = parts.site;
    this.#world = parts.world;
    this.moments = parts.moments;
    this.#gate = parts.gate;
    this.#postgres = parts.postgres;
  }

  static async open(site: Site, world: World, dice: Dice): Promise<Laboratory> {
    const moments = new Moments();
    site.source.answer = (_, response, url) => {
      if (moments.note("question asked")) return;
      const [, tick, alarm = ""] = url.pathname.split("/");
      response.once("finish", () => moments.note("question answered"));
      const items = world.things(alarm, Number(tick));
      json(response, { items, has_more: false, next_before_id: null });
    };
    if (site.dsn === undefined) watchFiles(join(site.folder, "state"), moments);
    return new Laboratory({
      site,
      world,
      moments,
      gate: await startGate(site, moments, dice),
      postgres: site.dsn === undefined ? undefined : await watchPostgres(site.dsn, moments),
    });
  }

  /** One tick that nobody kills; `isFaulty`: the chat throttles, and the webhook loses answers. */
  async tick(isFaulty: boolean): Promise<ProcessResult> {
    this.moments.rest();
    this.#gate.isFaulty = isFaulty;
    const { code, stdout, stderr, seconds } = await this.#run("", () => undefined);
    if (!isFaulty) this.#duration = seconds;
    return { code, stdout, stderr };
  }

  /** One tick, with faults, that is killed at the instant. False when it ended before that. */
  async kill(instant: Instant): Promise<boolean> {
    this.#gate.isFaulty = true;
    if (instant.kind === "moment" && instant.hold !== undefined)
      await this.#postgres?.hold(instant.hold);
    const { killed } = await this.#run(instantName(instant), (kill) => {
      if (instant.kind === "moment") {
        this.moments.when(instant.name, instant.nth, kill);
        return undefined;
      }
      this.moments.rest();
      return setTimeout(kill, instant.share * this.#duration * 1000);
    });
    return killed;
  }

  async #run(
    instant: string,
    arm: (kill: () => void) => NodeJS.Timeout | undefined,
  ): Promise<VictimEnd> {
    const number = this.#ticks.length + 1;
    const { url } = this.#site.source;
    this.#site.configure({
      baseUrl: `${url}/${number}`,
      ...this.#gate.configure(number, this.#world.operators),
    });
    const begin = Date.now() / 1000;
    const victim = startVictim(this.#site);
    const timer = arm(victim.kill);
    const end = await victim.ended;
    if (timer !== undefined) clearTimeout(timer);
    this.#ticks.push({ number, begin, end: Date.now() / 1000, killed: end.killed, instant });
    await this.#postgres?.release();
    await this.#gate.idle();
    return end;
  }

  /** All that is on record and was seen. Throws where a process of an earlier tick is still there. */
  async history(): Promise<History> {
    await processesGone(this.#site);
    const rows = await this.#site.withDatabase(readRows);
    const { received: messages, throttled } = this.#gate;
    return { ticks: this.#ticks, messages, throttled, ...rows };
  }
}
