/** One tick of the demo. */
export interface StoryTick {
  readonly title: string;
  /** Minutes since the tick before. */
  readonly minutesLater: number;
  /** The proxy responds to every request with a login page and status 200. */
  readonly loginPage?: true;
  /** Printed before the tick. */
  readonly situation: string;
  /** Printed after the tick. */
  readonly explanation: string;
}

/** What the operator sets after the first tick. */
export const SETUP = {
  alarm: "panda_failure_rate_eic_all",
  threshold: 0.1,
  renotifyHours: 24,
  team: "@shift",
  members: ["ana@example.org", "ben@example.org"],
} as const;

/** The index of a tick is the `tick` of `sampleTasks`. */
export const STORY: readonly StoryTick[] = [
  {
    title: "new alarms",
    minutesLater: 0,
    situation: "The alarms folder holds modules that are not in the database yet.",
    explanation: `Each alarm now has a row, with mail off. An alarm that lacks a parameter or a source is
"not configured". That is not an error, and it is logged only once.`,
  },
  {
    title: "two tasks lose files",
    minutesLater: 5,
    situation: `The proxy lists about 250 tasks. Two of them have lost more than 10% of their input files.`,
    explanation: `Two events, one mail. Task 90412 does not fire: its failed jobs were retried successfully.
Task 90409 does not fire either: too few of its jobs have ended.`,
  },
  {
    title: "a third task starts to fail",
    minutesLater: 5,
    situation: "The first two tasks are still failing, and task 90421 starts to fail.",
    explanation:
      "The mail names only the new event. The other two are still firing, but were already mailed.",
  },
  {
    title: "the proxy requires a login",
    minutesLater: 5,
    loginPage: true,
    situation: "The proxy now responds to every request with a login page and status 200.",
    explanation: `The response lists no failing tasks, but only a complete outcome clears events. Under cron this tick
would exit with code 1 and print the error to stderr, which cron mails.`,
  },
  {
    title: "one task recovers",
    minutesLater: 5,
    situation: "The proxy works again. Task 90415 was retried, and its files now succeed.",
    explanation: `The outcome is complete, so the event of task 90415 clears. The other two events are not mailed
again.`,
  },
  {
    title: "a day later",
    minutesLater: 24 * 60,
    situation: "Two tasks are still failing. The alarm's renotification window is 24 hours.",
    explanation:
      "Both events are mailed again, in one mail. This happens at most once in 24 hours.",
  },
];
