/** One tick of the demo: what goes on around the engine, and what the reader may look for. */
export interface StoryTick {
  readonly title: string;
  /** How long after the tick before. */
  readonly minutesLater: number;
  /** The proxy wants a login: it answers everything with a page for people, and with status 200. */
  readonly loginPage: boolean;
  /** What is going on, told before the tick. */
  readonly scene: string;
  /** What to notice, told after it. */
  readonly moral: string;
}

/** What the operator does after the first tick, in the words of the command line. */
export const SET_UP = {
  alarm: "panda_failure_rate_eic_all",
  threshold: 0.1,
  renotifyHours: 24,
  team: "@shift",
  members: ["ana@example.org", "ben@example.org"],
} as const;

const FIVE_MINUTES = 5;

/** The ticks in order; the number of a tick is what `sampleTasks` asks for. */
export const STORY: readonly StoryTick[] = [
  {
    title: "new modules are found",
    minutesLater: 0,
    loginPage: false,
    scene: "The alarms folder holds modules that the database has never seen.",
    moral:
      "Each module got its row, with mail off. What lacks a value or a service is not configured: " +
      "that is no error, and it is said once, not at every tick.",
  },
  {
    title: "two tasks lose files",
    minutesLater: FIVE_MINUTES,
    loginPage: false,
    scene:
      "The proxy lists some 250 tasks; two of them have lost more than 10% of their input files.",
    moral:
      "Two events, one mail. A task with many failed jobs that were retried with success (90412) " +
      "and one with too few files to judge (90409) stay quiet.",
  },
  {
    title: "a third one joins them",
    minutesLater: FIVE_MINUTES,
    loginPage: false,
    scene: "The first two go on failing, and task 90421 begins to.",
    moral: "Only what is new is mailed. The other two are still firing and were mailed already.",
  },
  {
    title: "the proxy asks for a login",
    minutesLater: FIVE_MINUTES,
    loginPage: true,
    scene:
      "A change at the proxy has put it behind a login: it answers everything with a web page, and with status 200.",
    moral:
      "No failing task in that answer, but no news is not good news: nothing clears. Under cron the " +
      "tick would end with exit code 1 and that error on stderr, which cron mails.",
  },
  {
    title: "one task recovers",
    minutesLater: FIVE_MINUTES,
    loginPage: false,
    scene: "The proxy answers again. Somebody retried task 90415, and its files now go through.",
    moral:
      "The answer is complete again, so what it no longer shows is cleared. Nobody is mailed twice " +
      "about the other two, login page or not.",
  },
  {
    title: "a day later",
    minutesLater: 24 * 60,
    loginPage: false,
    scene: "Two tasks are failing as they did; the alarm's renotification window is 24 hours.",
    moral: "Who has not looked yet is reminded, once in 24 hours, in one mail.",
  },
];
