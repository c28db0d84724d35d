import { CHANNELS, type ChannelName } from "./receivers.ts";

/**
 * What an alarm's events must come to in a course of ticks, in the fewest words and without the engine's code. Each
 * function returns a new state: which one counts after a kill shows only afterwards.
 */

export const SEVERITIES = ["info", "warning", "error", "critical"];
export const STAGES = ["first", "second", "third"];

/** As a row has it, and what it means. */
export const RULES = {
  off: undefined,
  "2": { hits: 2, of: 2 },
  "2/3": { hits: 2, of: 3 },
  "15m": { seconds: 900 },
  "1h": { seconds: 3600 },
} as const;
export type RuleName = keyof typeof RULES;
type Rule = (typeof RULES)[RuleName];

/** Settings of an alarm that stay for a whole course. */
export interface Settings {
  readonly settle: RuleName;
  readonly clearAfter: RuleName;
  readonly severity: string | undefined;
  readonly growth: number;
  readonly maxHours: number | undefined;
  readonly count: number | undefined;
}

/** What one alarm does and meets in one tick. */
export interface AlarmStep {
  readonly status: "complete" | "partial" | "failed";
  readonly detected: readonly string[];
  /** Of detections that have a severity or a stage of their own. */
  readonly levels: {
    readonly [key: string]: { readonly severity?: string; readonly stage?: string };
  };
  /** Keys whose end the module states; what it detects too goes on. */
  readonly ended: readonly string[];
  /** Prefixes of keys of which nothing is known, unless they are detected. */
  readonly unseen: readonly string[];
  readonly enabled: boolean;
  readonly notifyClear: boolean;
  /** Whether the rules of `Settings` to settle and to clear are on. */
  readonly settles: boolean;
  /** Renotification window. */
  readonly hours: number;
  readonly addresses: number;
}

interface Look {
  readonly at: number;
  readonly is: "seen" | "gone";
}

type PerChannel<T> = ReadonlyMap<ChannelName, T>;

/** What a channel has been told of an event. */
interface Told {
  /** How many of its news the channel has heard. */
  readonly heard: PerChannel<number>;
  /** When the last notification that it got was composed. */
  readonly last: PerChannel<number>;
  /** To whom that went. */
  readonly to: PerChannel<readonly string[]>;
}

export interface Firing extends Told {
  readonly since: number;
  readonly firstSeen: number;
  readonly severity: string | undefined;
  readonly stage: string | undefined;
  /** The highest ones that it has had, by their place in the lists. */
  readonly peak: { readonly severity: number; readonly stage: number };
  /** 1 when it fires, one more for each rise. */
  readonly news: number;
  readonly ack: { readonly until: number; readonly sticky: boolean } | undefined;
  /** When the last acknowledgement ended. */
  readonly anew: number;
  /** Since the latest news or the end of an acknowledgement. */
  readonly reminders: PerChannel<number>;
  /** Whether it was there in each outcome that looked. */
  readonly looks: readonly Look[];
  /** Whether a mass clear of it was held since it was last seen. */
  readonly isHeld: boolean;
}

export interface Over extends Told {
  readonly reason: string;
  /** The channels that have to hear of the end. */
  readonly owed: ReadonlySet<ChannelName>;
}

export interface State {
  /** By key. */
  readonly firing: ReadonlyMap<string, Firing>;
  /** Of what does not fire, by key. */
  readonly looks: ReadonlyMap<string, readonly Look[]>;
  /** By key, what ended in the latest tick. */
  readonly ended: ReadonlyMap<string, Over>;
}

export const NOTHING: State = { firing: new Map(), looks: new Map(), ended: new Map() };

/** The guard holds a clear of so many events, if they are more than this share. */
export const GUARDED = { least: 10, share: 0.8 };

/** What a tick makes of the events. */
export function tickOf(before: State, step: AlarmStep, settings: Settings, now: number): State {
  const firing = new Map<string, Firing>();
  const looks = new Map<string, readonly Look[]>();
  const ended = new Map<string, Over>();
  const settle = step.settles ? RULES[settings.settle] : undefined;
  const clearAfter = step.settles ? RULES[settings.clearAfter] : undefined;
  const gone: [string, Firing][] = [];
  for (const key of new Set([...before.firing.keys(), ...before.looks.keys(), ...step.detected])) {
    const isSeen = step.detected.includes(key);
    const isEnded = !isSeen && step.ended.includes(key);
    const isUnseen = step.unseen.some((prefix) => key.startsWith(prefix));
    const isLook = isSeen || (step.status === "complete" && !isUnseen && !isEnded);
    const look: Look[] = isLook ? [{ at: now, is: isSeen ? "seen" : "gone" }] : [];
    const event = before.firing.get(key);
    if (event === undefined) {
      const all = [...(before.looks.get(key) ?? []), ...look];
      if (isSeen && isFulfilled(settle, all, "seen", now))
        firing.set(key, born(key, step, settings, firstSeenOf(RULES[settings.settle], all), now));
      else if (!isEnded && (isSeen || !isLook || settle !== undefined)) looks.set(key, all);
      continue;
    }
    const all = clearAfter === undefined ? [] : [...event.looks, ...look];
    if (isEnded) ended.set(key, over(event, `${key} is done`, step, now));
    else if (isSeen) firing.set(key, { ...again(event, key, step, settings, now), looks: all });
    else {
      firing.set(key, { ...event, looks: all });
      if (isLook && isFulfilled(clearAfter, all, "gone", now)) gone.push([key, event]);
    }
  }
  const isMass = gone.length >= GUARDED.least && gone.length > GUARDED.share * before.firing.size;
  for (const [key, event] of gone) {
    const kept = firing.get(key);
    if (isMass && !event.isHeld && kept !== undefined) firing.set(key, { ...kept, isHeld: true });
    else {
      firing.delete(key);
      ended.set(key, over(event, "recovered", step, now));
    }
  }
  return { firing, looks, ended };
}

function isFulfilled(rule: Rule, looks: readonly Look[], is: Look["is"], now: number): boolean {
  if (rule === undefined) return true;
  if ("hits" in rule)
    return looks.slice(-rule.of).filter((look) => look.is === is).length >= rule.hits;
  const others = looks.findLastIndex((look) => look.is !== is);
  return now - Math.min(...looks.slice(others + 1).map(({ at }) => at)) >= rule.seconds;
}

/** Since when it has been seen without being forgotten in between. */
function firstSeenOf(rule: Rule, looks: readonly Look[]): number {
  const memory = rule !== undefined && "hits" in rule ? rule.of : 1;
  let first = Number.POSITIVE_INFINITY;
  looks.forEach(({ at, is }, index) => {
    const recent = looks.slice(Math.max(0, index + 1 - memory), index + 1);
    if (is === "seen") first = Math.min(first, at);
    else if (memory === 1 || rule === RULES["2"] || recent.every((look) => look.is === "gone"))
      first = Number.POSITIVE_INFINITY;
  });
  return first;
}

function levelOf(key: string, step: AlarmStep, settings: Settings) {
  const { severity = settings.severity, stage } = step.levels[key] ?? {};
  return { severity, stage };
}

function rank(list: readonly string[], value: string | undefined): number {
  return value === undefined ? -1 : list.indexOf(value);
}

function born(
  key: string,
  step: AlarmStep,
  settings: Settings,
  firstSeen: number,
  since: number,
): Firing {
  const level = levelOf(key, step, settings);
  return {
    ...level,
    since,
    firstSeen,
    peak: { severity: rank(SEVERITIES, level.severity), stage: rank(STAGES, level.stage) },
    news: 1,
    ack: undefined,
    anew: 0,
    heard: new Map(),
    last: new Map(),
    to: new Map(),
    reminders: new Map(),
    looks: [],
    isHeld: false,
  };
}

/** Detected again. */
function again(
  event: Firing,
  key: string,
  step: AlarmStep,
  settings: Settings,
  now: number,
): Firing {
  const { severity, stage = event.stage } = levelOf(key, step, settings);
  const found = { severity: rank(SEVERITIES, severity), stage: rank(STAGES, stage) };
  const { peak, ack } = event;
  const isRise = found.severity > peak.severity || found.stage > peak.stage;
  const isTimeOver = ack !== undefined && ack.until <= now;
  const isBroken = ack !== undefined && isRise && !ack.sticky;
  const isAckOver = isTimeOver || isBroken;
  return {
    ...event,
    severity,
    stage,
    peak: {
      severity: Math.max(found.severity, peak.severity),
      stage: Math.max(found.stage, peak.stage),
    },
    news: event.news + Number(isRise),
    reminders: isRise || isAckOver ? new Map() : event.reminders,
    ack: isAckOver ? undefined : ack,
    anew: isTimeOver ? ack.until : isBroken ? now : event.anew,
    isHeld: false,
  };
}

function over(event: Firing, reason: string, step: AlarmStep, now: number): Over {
  const { heard, last, to, news, ack } = event;
  // The update that an acknowledgement held is over.
  const isHeld = ack !== undefined && ack.until > now;
  const missed = (channel: ChannelName): boolean =>
    (heard.get(channel) ?? 0) < news && !(isHeld && last.has(channel));
  const owed = CHANNELS.filter((channel) => step.enabled && (step.notifyClear || missed(channel)));
  return { heard, last, to, reason, owed: new Set(owed) };
}

/** Why a notification on the channel names a firing event now. */
export function dueOf(
  event: Firing,
  channel: ChannelName,
  {
    step,
    settings,
    isSeen,
    now,
  }: {
    readonly step: AlarmStep;
    readonly settings: Settings;
    readonly isSeen: boolean;
    readonly now: number;
  },
): "news" | "reminder" | undefined {
  const last = event.last.get(channel);
  if (last === undefined) return "news";
  if (event.ack !== undefined && event.ack.until > now) return undefined;
  if ((event.heard.get(channel) ?? 0) < event.news) return "news";
  const sent = event.reminders.get(channel) ?? 0;
  const {
    growth,
    maxHours = Number.POSITIVE_INFINITY,
    count = Number.POSITIVE_INFINITY,
  } = settings;
  if (!isSeen || step.hours === 0 || sent >= count) return undefined;
  const wait = Math.min(step.hours * growth ** sent, maxHours) * 3600;
  // A time that lies more than five minutes ahead is wrong.
  const anew = event.anew > now + 300 ? 0 : event.anew;
  const due = Math.max(last, anew) + wait;
  return now >= due - (due % 60) || last > now + 300 ? "reminder" : undefined;
}

/** A delivered notification. */
export interface Notified {
  readonly channel: ChannelName;
  readonly composedAt: number;
  readonly recipients: readonly string[];
  /** How many news of the event it tells. */
  readonly news: number;
}

/** The channel has confirmed a notification that names the firing event. */
export function confirmed<T extends Firing | Over>(event: T, notified: Notified): T {
  const { channel, composedAt, recipients, news } = notified;
  const { heard, last, to } = event;
  const before = heard.get(channel) ?? 0;
  const told = {
    heard: put(heard, channel, Math.max(before, news)),
    last: put(last, channel, composedAt),
    to: put(to, channel, recipients),
  };
  if (!("reminders" in event)) return { ...event, ...told };
  const isReminder = before === event.news && (last.get(channel) ?? composedAt) < composedAt;
  const sent = (event.reminders.get(channel) ?? 0) + Number(isReminder);
  return { ...event, ...told, reminders: put(event.reminders, channel, sent) };
}

function put<T>(map: PerChannel<T>, channel: ChannelName, value: T): PerChannel<T> {
  return new Map([...map, [channel, value]]);
}
