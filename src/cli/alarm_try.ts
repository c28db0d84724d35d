import { type Command, InvalidArgumentError } from "commander";
import { EXIT, type SetExit } from "./exit_code.ts";
import { addJsonOption, print } from "./output.ts";
import { planMessages } from "./plan_messages.ts";
import { renderTry, type TryAnswer, tryFacts } from "./render_try.ts";
import { addConfigOption } from "./session.ts";
import { addTryOptions, type Tried, type TryOptions, withTriedAlarm } from "./try_alarm.ts";
import { parseTime, timeOption } from "./until_option.ts";

export function declare(command: Command, setExit: SetExit): void {
  const withOptions = addTryOptions(
    addConfigOption(command.argument("<name>", "name of the alarm")),
  )
    .description(
      "Runs the detect of an alarm now and shows what it detects, its requests, and the messages that a tick would send. Writes and sends nothing. The exit code is 0 only if the outcome is complete.",
    )
    .option(
      "--at <time>",
      'as if it were this time: "2026-11-27 12:00" or 12:00 are UTC, 2026-11-27T12:00:00+01:00 has its zone',
      timeOption(parseTime),
    )
    .option("--timeout <seconds>", "instead of its alarm_timeout", parseTimeout);
  addJsonOption(withOptions).action(async (name: string, options: TryOptions) => {
    const answer = await withTriedAlarm(name, options, (tried) => answerOf(tried, options));
    print(options, tryFacts(answer), renderTry(answer));
    const { status, scopes } = answer.outcome;
    const isSilent = [...scopes.values()].some(({ isReported }) => !isReported);
    setExit(status === "complete" && !isSilent ? EXIT.ok : EXIT.failed);
  });
}

async function answerOf(tried: Tried, { at }: TryOptions): Promise<TryAnswer> {
  const { db, config, alarm, now, recorded } = tried;
  const { row, readiness } = alarm;
  const isIdle = readiness.kind === "not configured" || row.archived;
  return {
    alarm: row.name,
    now,
    isNow: at === undefined,
    outcome: recorded.outcome,
    messages: isIdle ? [] : await planMessages({ db, config, alarm: row, recorded, now }),
  };
}

function parseTimeout(text: string): number {
  const seconds = /^\d{1,4}(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds >= 0.1 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError("write a number of seconds from 0.1 to 3600, such as 120");
}
