/** A made-up task in the exact wire shape of `GET /api/panda/tasks/`, keys in the order of the wire. */
export interface SampleTask {
  readonly jeditaskid: number;
  readonly taskname: string;
  readonly status: string;
  readonly username: string;
  /** Times are UTC and say no zone, as PanDA writes them. */
  readonly creationdate: string;
  readonly starttime: string | null;
  readonly endtime: string | null;
  readonly modificationtime: string;
  readonly reqid: number;
  readonly processingtype: string;
  readonly transpath: string;
  readonly progress: null;
  readonly failurerate: null;
  readonly errordialog: string | null;
  readonly site: string | null;
  readonly corecount: number;
  readonly taskpriority: number;
  readonly currentpriority: number;
  readonly gshare: string;
  readonly attemptnr: number;
  readonly parent_tid: number;
  readonly workinggroup: string;
  readonly nactive: number;
  readonly nfinished: number;
  readonly nfailed: number;
  readonly nrunning: number;
  readonly nretries: number;
  readonly nfinalfailed: number;
  readonly nfilesfinished: number;
  readonly nretries_finished: number;
  readonly maxattempt: number | null;
  readonly computed_failurerate: number | null;
  readonly computed_finalfailurerate: number | null;
  readonly computed_progress: number | null;
  readonly avg_retries_success: number | null;
  readonly processingtype_raw: string;
}

/** Where a task stands at one tick of the story. */
interface Stand {
  readonly status: string;
  /** Input files that are done. */
  readonly finished: number;
  /** Input files that used up their retries: what the alarm counts. */
  readonly failed: number;
  /** Job records that failed and were retried: what it must not count. */
  readonly retried: number;
}

interface Recipe {
  readonly id: number;
  readonly name: string;
  readonly files: number;
  readonly site: string | null;
  readonly errordialog?: string;
  /** One for each tick; the last one stays. */
  readonly stands: readonly Stand[];
}

const running = (finished: number, failed: number, retried = 0): Stand => {
  return { status: "running", finished, failed, retried };
};

/** Jobs that it takes to use up a file's retries. */
const ATTEMPTS = 3;

/** The tasks that the story is about, and some that must stay quiet. */
const RECIPES: readonly Recipe[] = [
  {
    id: 90421,
    name: "group.EIC.demo.pipe.s3",
    files: 2000,
    site: "SAMPLE_SITE_2",
    stands: [
      running(180, 0),
      running(260, 2),
      running(300, 64),
      running(330, 88),
      running(350, 97),
    ],
  },
  {
    id: 90417,
    name: "group.EIC.demo.calo.s1",
    files: 2400,
    site: "SAMPLE_SITE_1",
    stands: [running(410, 3), running(520, 96), running(560, 131), running(590, 150)],
  },
  {
    id: 90415,
    name: "group.EIC.demo.align.s1",
    files: 400,
    site: "SAMPLE_SITE_1",
    errordialog: "too many files failed",
    stands: [
      running(12, 9),
      { status: "failed", finished: 12, failed: 388, retried: 0 },
      { status: "failed", finished: 12, failed: 388, retried: 0 },
      { status: "failed", finished: 12, failed: 388, retried: 0 },
      // Somebody retried it: its failed files are queued again.
      running(231, 4, 388),
    ],
  },
  // Every third job fails, and its retry works: noise, no lost file.
  {
    id: 90412,
    name: "group.EIC.demo.noise.s2",
    files: 1500,
    site: null,
    stands: [running(600, 2, 310), running(690, 2, 350)],
  },
  // Half of its files failed, but two files prove nothing yet.
  {
    id: 90409,
    name: "group.EIC.demo.begun.s1",
    files: 800,
    site: null,
    stands: [running(1, 1)],
  },
  // Broken before its first job: there is no rate.
  {
    id: 90406,
    name: "group.EIC.demo.no_input.s1",
    files: 0,
    site: null,
    errordialog: "input dataset not found",
    stands: [{ status: "broken", finished: 0, failed: 0, retried: 0 }],
  },
  {
    id: 90403,
    name: "group.EIC.demo.minbias.s1",
    files: 900,
    site: null,
    stands: [{ status: "done", finished: 900, failed: 0, retried: 41 }],
  },
];

/** Healthy tasks, enough of them that the list takes two pages. */
const HEALTHY = 240;
const OLDEST_HEALTHY = 90100;

/** What the sample proxy lists at a tick of the story, newest first. `now` in epoch seconds. */
export function sampleTasks(tick: number, now: number): readonly SampleTask[] {
  const healthy = Array.from({ length: HEALTHY }, (_, index): Recipe => {
    const id = OLDEST_HEALTHY + index;
    const files = 1000 + (index % 7) * 250;
    const finished = Math.min(files - 1, 100 + index * 3 + tick * 20);
    const name = `group.EIC.demo.healthy.s${index + 1}`;
    return { id, name, files, site: null, stands: [running(finished, index % 4, index % 11)] };
  });
  return [...RECIPES, ...healthy].map((recipe) => makeTask(recipe, tick, now)).sort(newestFirst);
}

function newestFirst(a: SampleTask, b: SampleTask): number {
  return b.jeditaskid - a.jeditaskid;
}

function makeTask(recipe: Recipe, tick: number, now: number): SampleTask {
  const { id, files } = recipe;
  const stand = recipe.stands[Math.min(tick, recipe.stands.length - 1)] ?? running(0, 0);
  const { status, finished, failed, retried } = stand;
  const ended = status !== "running";
  const active = ended ? 0 : files - finished - failed;
  const failedJobs = failed * ATTEMPTS + retried;
  return {
    jeditaskid: id,
    taskname: recipe.name,
    status,
    username: "demo production",
    creationdate: naiveTime(now - 6 * 3600),
    starttime: files === 0 ? null : naiveTime(now - 5 * 3600),
    endtime: ended ? naiveTime(now - 120) : null,
    modificationtime: naiveTime(now - 60),
    reqid: id,
    processingtype: "epicproduction",
    transpath: "https://pandaserver.example/trf/user/runGen-00-00-02",
    progress: null,
    failurerate: null,
    errordialog: ended && status !== "done" ? (recipe.errordialog ?? null) : null,
    site: recipe.site,
    corecount: 1,
    taskpriority: 900,
    currentpriority: 900,
    gshare: "production",
    attemptnr: 0,
    parent_tid: id,
    workinggroup: "EIC",
    nactive: active,
    nfinished: finished,
    nfailed: failedJobs,
    nrunning: Math.floor(active * 0.7),
    nretries: retried + failed * (ATTEMPTS - 1),
    nfinalfailed: failed,
    nfilesfinished: finished,
    nretries_finished: retried,
    maxattempt: files === 0 ? null : failed > 0 ? ATTEMPTS : retried > 0 ? 2 : 1,
    computed_failurerate: share(failedJobs, finished, 4),
    computed_finalfailurerate: share(failed, finished, 4),
    computed_progress: percent(finished + failedJobs, active),
    avg_retries_success: finished === 0 ? null : rounded(retried / finished, 2),
    processingtype_raw: "epicproduction",
  };
}

/** `part` of `part + rest`; null where there is nothing to divide by, as PanDA answers. */
function share(part: number, rest: number, digits: number): number | null {
  return part + rest === 0 ? null : rounded(part / (part + rest), digits);
}

function percent(part: number, rest: number): number | null {
  const value = share(part, rest, 4);
  return value === null ? null : Math.round(value * 100);
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

function naiveTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 19);
}
