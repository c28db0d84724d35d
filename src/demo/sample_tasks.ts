import type { JsonObject } from "../text/json.ts";

/** A task's state at one tick of the demo. */
interface TaskState {
  readonly status: string;
  /** Input files that are done. */
  readonly finished: number;
  /** Input files that used up their retries: the alarm counts these. */
  readonly failed: number;
  /** Failed jobs that were retried: the alarm does not count these. */
  readonly retried: number;
}

interface Recipe {
  readonly id: number;
  readonly name: string;
  readonly files: number;
  /** One for each tick; the last one stays. */
  readonly states: readonly TaskState[];
}

const running = (finished: number, failed: number, retried = 0): TaskState => {
  return { status: "running", finished, failed, retried };
};

const FAILED: TaskState = { status: "failed", finished: 12, failed: 388, retried: 0 };
const BROKEN: TaskState = { status: "broken", finished: 0, failed: 0, retried: 0 };
const DONE: TaskState = { status: "done", finished: 900, failed: 0, retried: 41 };

const recipe = (id: number, name: string, files: number, states: readonly TaskState[]): Recipe => {
  return { id, name: `group.EIC.demo.${name}`, files, states };
};

const PIPE = [
  running(180, 0),
  running(260, 2),
  running(300, 64),
  running(330, 88),
  running(350, 97),
];
const CALO = [running(410, 3), running(520, 96), running(560, 131), running(590, 150)];
/** Fails, and is retried before the fifth tick. */
const ALIGN = [running(12, 9), FAILED, FAILED, FAILED, running(231, 4, 388)];

const RECIPES: readonly Recipe[] = [
  recipe(90421, "pipe.s3", 2000, PIPE),
  recipe(90417, "calo.s1", 2400, CALO),
  recipe(90415, "align.s1", 400, ALIGN),
  // Many jobs fail, but their retries succeed.
  recipe(90412, "noise.s2", 1500, [running(600, 2, 310), running(690, 2, 350)]),
  // Half of its files failed, but two files are too few to judge.
  recipe(90409, "new.s1", 800, [running(1, 1)]),
  // Broken before its first job, so it has no failure rate.
  recipe(90406, "no_input.s1", 0, [BROKEN]),
  recipe(90403, "minbias.s1", 900, [DONE]),
];

/** Enough for a second page. */
const HEALTHY_TASKS = 240;
const FIRST_HEALTHY_ID = 90100;

/** The proxy's tasks at a tick of the demo (0 is the first). `now` is in epoch seconds. */
export function sampleTasks(tick: number, now: number): readonly JsonObject[] {
  const healthy = Array.from({ length: HEALTHY_TASKS }, (_, index): Recipe => {
    const files = 1000 + (index % 7) * 250;
    const finished = Math.min(files - 1, 100 + index * 3 + tick * 20);
    const state = running(finished, index % 4, index % 11);
    return recipe(FIRST_HEALTHY_ID + index, `healthy.s${index + 1}`, files, [state]);
  });
  return [...RECIPES, ...healthy].map((made) => makeTask(made, tick, now));
}

/** Jobs that fail before a file has used up its retries. */
const ATTEMPTS = 3;

/** A task with every field of `GET /api/panda/tasks/`, in the order of the service. */
function makeTask(recipe: Recipe, tick: number, now: number): JsonObject {
  const { id, files } = recipe;
  const state = recipe.states[Math.min(tick, recipe.states.length - 1)] ?? running(0, 0);
  const { status, finished, failed, retried } = state;
  const hasEnded = status !== "running";
  const active = hasEnded ? 0 : files - finished - failed;
  const failedJobs = failed * ATTEMPTS + retried;
  const ended = finished + failedJobs;
  return {
    jeditaskid: id,
    taskname: recipe.name,
    status,
    username: "demo production",
    creationdate: naiveTime(now - 6 * 3600),
    starttime: files === 0 ? null : naiveTime(now - 5 * 3600),
    endtime: hasEnded ? naiveTime(now - 120) : null,
    modificationtime: naiveTime(now - 60),
    reqid: id,
    processingtype: "epicproduction",
    transpath: "https://pandaserver.example/trf/user/runGen-00-00-02",
    progress: null,
    failurerate: null,
    errordialog: status === "broken" ? "input dataset not found" : null,
    site: files === 0 ? null : "SAMPLE_SITE",
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
    computed_failurerate: ratio(failedJobs, ended, 4),
    computed_finalfailurerate: ratio(failed, finished + failed, 4),
    computed_progress: ratio(100 * ended, ended + active, 0),
    avg_retries_success: ratio(retried, finished, 2),
    processingtype_raw: "epicproduction",
  };
}

/** Null where there is nothing to divide by, as in PanDA. */
function ratio(part: number, whole: number, digits: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 10 ** digits) / 10 ** digits;
}

/** UTC without a zone, as PanDA writes it. */
function naiveTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 19);
}
