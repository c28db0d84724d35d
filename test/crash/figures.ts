import { type History, messagesOn, wasUnstamped } from "./history.ts";
import { mentions, repeatedMessages } from "./mentions.ts";
import { PHASES, phaseOf } from "./phases.ts";
import { CHANNELS } from "./received.ts";
import { ENGINE } from "./world.ts";

export interface Circumstances {
  readonly database: string;
  readonly seed: number;
  readonly seconds: number;
}

/** What a run of the suite came to, for whoever keeps the record. */
export function renderFigures(history: History, circumstances: Circumstances): string {
  const { database, seed, seconds } = circumstances;
  const { ticks, events, runs, throttled } = history;
  const killed = ticks.filter((tick) => tick.killed);
  const crashed = runs.filter(({ crashed: at }) => at !== undefined).length;
  const ofEngine = events.filter(({ alarm }) => alarm === ENGINE).length;
  return [
    `crash suite on ${database}, seed ${seed}, ${Math.round(seconds)} s`,
    `  ticks ${ticks.length}, killed ${killed.length}, runs closed as crashed ${crashed}, events ${events.length}, of the alarm engine ${ofEngine}`,
    ...channelFigures(history),
    `  the chat throttled ${throttled}`,
    "  the kill hit",
    ...counted(
      PHASES,
      killed.map((tick) => phaseOf(history, tick)),
    ),
    "  it was made at",
    ...counted(
      [...new Set(killed.map(({ instant }) => instant))].sort(),
      killed.map(({ instant }) => instant),
    ),
    "",
  ].join("\n");
}

function channelFigures(history: History): readonly string[] {
  const repeated = repeatedMessages(mentions(history));
  return CHANNELS.map((channel) => {
    const messages = messagesOn(history, channel);
    const count = messages.filter((message) => repeated.has(message)).length;
    const lost = messages.filter(({ isLost }) => isLost).length;
    const unstamped = messages.filter((message) => wasUnstamped(history, message)).length;
    const replaced = history.notifications.filter(
      (row) => row.channel === channel && row.state === "superseded",
    ).length;
    return `  ${channel}: received ${messages.length}, repeats ${count}, answers lost ${lost}, killed before the stamp ${unstamped - lost}, notifications replaced ${replaced}`;
  });
}

/** A line for each of the texts, with how often it is among those found. */
function counted(texts: readonly string[], found: readonly string[]): readonly string[] {
  return texts.map((text) => {
    const count = found.filter((one) => one === text).length;
    return `${String(count).padStart(7)} ${text}`;
  });
}
