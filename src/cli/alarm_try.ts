import type { Command } from "commander";
import { type Level, NO_LEVEL } from "../core/level.ts";
import type { Outcome } from "../core/model.ts";
import { activeEvents } from "../store/events.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { addJsonOption, print } from "./output.ts";
import { addConfigOption } from "./session.ts";
import { addTryOptions, type TryOptions, withTriedAlarm } from "./try_alarm.ts";

export function declare(command: Command, setExit: SetExit): void {
  const withOptions = addTryOptions(
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

function outcomeFacts(alarm: string, outcome: Outcome) {
  const { status, cause, reasons, detections, levels, clears, notes, seconds } = outcome;
  return {
    alarm,
    outcome: status,
    cause,
    reasons,
    notes,
    seconds: Math.round(seconds * 1000) / 1000,
    detections: [...detections.values()].map(({ dedupeKey: key, ...rest }) => {
      const { severity, stage } = levels.get(key) ?? NO_LEVEL;
      return { key, ...rest, severity, stage };
    }),
    clears: [...clears].map(([key, reason]) => ({ key, reason })),
  };
}

function renderOutcome(outcome: Outcome): string[] {
  const { status, detections, levels, clears, seconds, reasons, notes } = outcome;
  const lines = [...detections.values()].flatMap(({ dedupeKey, subject, body, data }) => [
    `${dedupeKey}: ${subject}`,
    ...levelLine(levels.get(dedupeKey) ?? NO_LEVEL),
    ...(body === "" ? [] : body.trimEnd().split(/\r?\n/)).map((line) => `    ${line}`),
    ...(Object.keys(data).length === 0 ? [] : [`    data ${JSON.stringify(data)}`]),
    "",
  ]);
  const count = `${detections.size} detection(s) in ${seconds.toFixed(2)} s`;
  for (const [key, reason] of clears) lines.push(`${key}: the module ends it: ${reason}`, "");
  lines.push(`outcome ${status}: ${count}; nothing was written`);
  return [...lines, ...[...reasons, ...notes].map((text) => `  ${text}`)];
}

/** Such as `    severity error, stage initial`. */
function levelLine({ severity, stage }: Level): string[] {
  const parts = [
    ...(severity === undefined ? [] : [`severity ${severity}`]),
    ...(stage === undefined ? [] : [`stage ${stage}`]),
  ];
  return parts.length === 0 ? [] : [`    ${parts.join(", ")}`];
}
