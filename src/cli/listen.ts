import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_EVENTS, parseEventNames } from "../listen/event_names.ts";
import { listen } from "../listen/listen.ts";
import { SpoolAppender } from "../listen/spool_appender.ts";
import { supervisorRun } from "../listen/supervisor_run.ts";
import { TickStarter } from "../listen/tick_starter.ts";
import { renderTime, shownLine } from "./output.ts";
import { onStopSignal } from "./stop_signals.ts";

interface ListenOptions {
  readonly spool: string;
  readonly events: readonly string[];
  readonly runOn?: string;
  readonly config?: string;
  readonly allowWritable?: boolean;
}

export function declare(command: Command): void {
  command
    .description(
      "Receives the events of a supervisord and appends them to a spool, which alarms read. supervisord starts it: see deploy/supervisord.conf.example. Opens no database and reads no configuration.",
    )
    .addOption(
      new Option("--format <name>", "what sends the events")
        .choices(["supervisord"])
        .makeOptionMandatory(),
    )
    .requiredOption("--spool <folder>", "folder of the lines; it has to exist")
    .addOption(
      new Option("--events <list>", "events and families to keep, with commas; TICK_60 always is")
        .argParser(readEventNames)
        .default(DEFAULT_EVENTS, DEFAULT_EVENTS.join(",")),
    )
    .addOption(
      new Option("--run-on <event>", "run a tick at each of these, where there is no cron").choices(
        ["TICK_60", "TICK_3600"],
      ),
    )
    .option("--config <file>", "configuration file of these ticks")
    .option("--allow-writable", "these ticks accept files that other users can write")
    .action(listenToSupervisord);
}

function readEventNames(text: string): readonly string[] {
  const names = parseEventNames(text);
  if ("fault" in names) throw new InvalidArgumentError(names.fault);
  return names;
}

async function listenToSupervisord(options: ListenOptions): Promise<void> {
  const { spool, runOn, config, allowWritable } = options;
  if (runOn === undefined && (config !== undefined || allowWritable === true))
    throw new InvalidArgumentError("--config and --allow-writable are for the ticks of --run-on");
  // supervisord keeps what is printed here in a log without times.
  const say = (message: string): void =>
    void process.stderr.write(
      `swf-alarms: ${renderTime(Date.now() / 1000)} ${shownLine(message)}\n`,
    );
  const folder = resolve(spool);
  const appender = new SpoolAppender(folder);
  const run = ["run", ...(config === undefined ? [] : ["--config", resolve(config)])];
  if (allowWritable === true) run.push("--allow-writable");
  const starter = new TickStarter(run, say);
  const stop = new AbortController();
  onStopSignal(() => stop.abort());
  await listen(
    process.stdin,
    process.stdout,
    {
      folder,
      run: supervisorRun(process.ppid),
      events: options.events,
      append: (identifier, line) => appender.append(identifier, line),
      onEvent: ({ name }) => {
        if (name === runOn) starter.start();
      },
      say,
      now: () => Date.now() / 1000,
    },
    stop.signal,
  );
}
