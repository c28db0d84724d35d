import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Laboratory } from "./laboratory.ts";
import { type Measured, type MeasureOptions, measure } from "./measured_process.ts";

const ENGINE = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));

export interface SiteOptions {
  /** Alarm modules by name. */
  readonly alarms: { readonly [name: string]: string };
  /** The DSN of the database; embedded unless given. */
  readonly dsn?: string;
  readonly baseUrl: string;
  /** Further TOML. */
  readonly more?: string;
}

export type TickOptions = Omit<MeasureOptions, "signal" | "env">;

/** An installation in a folder of its own: config, modules, and a database. */
export class BenchSite {
  readonly #lab: Laboratory;
  readonly #folder: string;

  constructor(lab: Laboratory, options: SiteOptions) {
    this.#lab = lab;
    this.#folder = lab.folder();
    mkdirSync(join(this.#folder, "alarms"));
    for (const [name, text] of Object.entries(options.alarms))
      writeFileSync(join(this.#folder, "alarms", `${name}.ts`), text);
    this.configure(options);
  }

  /** Writes the configuration anew, e.g. to list another number of rows. */
  configure({ dsn, baseUrl, more = "" }: Omit<SiteOptions, "alarms">): void {
    const lines = [
      "[engine]",
      `base_url = ${JSON.stringify(baseUrl)}`,
      'alarms_dir = "alarms"',
      // A bench clears everything at once, and means it.
      "clear_guard_share = 1",
      "[db]",
      dsn === undefined ? 'path = "state"' : `dsn = ${JSON.stringify(dsn)}`,
      more,
      "",
    ];
    writeFileSync(join(this.#folder, "config.toml"), lines.join("\n"), { mode: 0o600 });
  }

  /** One tick, measured; throws where it has anything to complain of. */
  tick(options: TickOptions = {}): Promise<Measured> {
    return this.command(["run"], options);
  }

  async command(args: readonly string[], options: TickOptions = {}): Promise<Measured> {
    const config = join(this.#folder, "config.toml");
    const command = [process.execPath, ENGINE, ...args, "--config", config];
    const measured = await measure(command, { ...options, signal: this.#lab.signal });
    if (measured.code !== 0 || measured.stderr !== "")
      throw new Error(
        `swf-alarms ${args.join(" ")} ended with ${measured.code}: ${measured.stderr}`,
      );
    return measured;
  }
}
