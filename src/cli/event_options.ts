import { type Command, InvalidArgumentError } from "commander";
import { headerText } from "../text/escape.ts";
import { redact } from "./secrets.ts";
import { addConfigOption } from "./session.ts";
import { commandUser } from "./user.ts";

const MAX_NAME = 100;
const MAX_REASON = 500;

/** The arguments and options of every command about one event. */
export function addEventArguments(command: Command): Command {
  return addConfigOption(command)
    .argument("<alarm>", "name of the alarm")
    .argument("<key>", "key of the event, as event list shows it");
}

export interface ByOption {
  readonly by?: string;
}

export function addByOption(command: Command): Command {
  return command.option(
    "--by <name>",
    "who does it; else the user of the system",
    oneLine(MAX_NAME),
  );
}

/** Who acts, as rows record it. */
export function actor({ by }: ByOption): string {
  return redact(by ?? commandUser());
}

export interface ReasonOption {
  readonly reason: string;
}

export function addReasonOption(command: Command, description: string): Command {
  return command.requiredOption("--reason <text>", description, oneLine(MAX_REASON));
}

/** Why, as rows record it: dashboards show it. */
export function reasonOf({ reason }: ReasonOption): string {
  return redact(reason);
}

/** A text on one line, without control characters. Throws InvalidArgumentError. */
function oneLine(most: number) {
  return (text: string): string => {
    const line = headerText(text).replace(/\s+/gu, " ");
    if (line === "") throw new InvalidArgumentError("write a text");
    if (line.length <= most) return line;
    throw new InvalidArgumentError(`write at most ${most} characters`);
  };
}
