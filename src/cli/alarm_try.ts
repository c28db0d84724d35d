import type { Command } from "commander";
import type { Outcome } from "../core/model.ts";
import { activeEvents } from "../store/events.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { addJsonOption, print } from "./output.ts";
import { addConfigOption } from "./session.ts";
import { addParamOption, type TryOptions, withTriedAlarm } from "./try_alarm.ts";

export function declare(command: Command, setExit: SetExit): void {
  const withOptions = addParamOption(
    addConfigOption(command.argument("<name>", "name of the alarm")),
  );
  addJsonOption(withOptions).action(async (name: string, options: TryOptions) => {
    const { alarm, outcome } = await withTriedAlarm(name, options, async (tried) => {
      const alarm = tried.alarm.row.name;
      return { alarm, outcome: await tried.detect(await activeEvents(tried.db, alarm)) };
    });
    print(options, outcomeFacts(alarm, outcome), renderOutcome(outcome));
    setExit(outcome.status === "complete" ? EXIT.ok : EXIT.failed);
  });
}

function outcomeFacts(alarm: string, { status, cause, reasons, detections, seconds }: Outcome) {
  return {
    alarm,
    outcome: status,
    cause,
    reasons,
    seconds: Math.round(seconds * 1000) / 1000,
    detections: [...detections.values()].map(({ dedupeKey: key, ...rest }) => ({ key, ...rest })),
  };
}

function renderOutcome({ status, detections, seconds, reasons }: Outcome): string[] {
  const lines = [...detections.values()].flatMap(({ dedupeKey, subject, body, data }) => [
    `${dedupeKey}: ${subject}`,
    ...(body === "" ? [] : body.trimEnd().split(/\r?\n/)).map((line) => `    ${line}`),
    ...(Object.keys(data).length === 0 ? [] : [`    data ${JSON.stringify(data)}`]),
    "",
  ]);
  const count = `${detections.size} detection(s) in ${seconds.toFixed(2)} s`;
  lines.push(`outcome ${status}: ${count}; nothing was written`);
  return [...lines, ...reasons.map((reason) => `  ${reason}`)];
}
