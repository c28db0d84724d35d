/**
 * Made-up tasks in the wire shape of `GET /api/panda/tasks/`, about 1.2 kB each. A task is a function of
 * its id alone: no list is kept, and every run of the bench measures the same rows.
 */

/** The oldest task's id. */
export const FIRST_ID = 100_001;

/** Of five tasks four fail: what makes 8,000 detections of 10,000 tasks. */
export function isFailing(id: number): boolean {
  return id % 5 !== 0;
}

const SITES = ["BNL_PanDA_1", "JLAB_FARM_EIC", "CERN_T0_EIC", "SWT2_CPB_EIC"];
const STATUSES = ["running", "failed", "broken", "finished"];
const DAY = "2026-11-20T";

export function pandaTask(id: number) {
  const failed = isFailing(id) ? 40 + (id % 50) : 0;
  const finished = 60;
  const rate = Math.round((failed / (failed + finished)) * 10_000) / 10_000;
  const clock = `${two(id % 24)}:${two(id % 60)}:${two((id * 7) % 60)}`;
  return {
    jeditaskid: id,
    taskname: `group.EIC.26.11.0.epic_craterlake.DIS.NC.18x275.minQ2=${id % 1000}.hepmc3.simulation.task_${id}.production.campaign.November_2026.v${id % 9}`,
    status: STATUSES[id % STATUSES.length],
    username: `Production Operator ${id % 12}`,
    creationdate: `${DAY}${clock}`,
    starttime: `${DAY}${clock}.123456`,
    endtime: null,
    modificationtime: `${DAY}${clock}.654321`,
    reqid: 20_000 + (id % 400),
    processingtype: "panda-client-jedi-run",
    transpath: "https://pandaserver-doma.cern.ch/trf/user/runGen-00-00-02",
    progress: null,
    failurerate: null,
    errordialog: isFailing(id)
      ? `insufficient inputs are ready. ${failed} files failed at ${SITES[id % SITES.length]}: the payload ended with exit code 65; see the log of job ${id * 3} for the transform's own message`
      : null,
    site: SITES[id % SITES.length],
    corecount: 1,
    taskpriority: 900,
    currentpriority: 880 + (id % 40),
    gshare: "EIC Production",
    attemptnr: 1 + (id % 3),
    parent_tid: id - 1,
    workinggroup: "EIC",
    nactive: id % 70,
    nfinished: finished,
    nfailed: failed,
    nrunning: id % 30,
    nretries: id % 11,
    nfinalfailed: failed,
    nfilesfinished: finished,
    nretries_finished: id % 7,
    maxattempt: 3,
    computed_failurerate: rate,
    computed_finalfailurerate: rate,
    computed_progress: 100 - (id % 60),
    avg_retries_success: 0.12,
    processingtype_raw: "panda-client-1.5.83-jedi-run",
  };
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** A row of another service, for a million of them: no more than a name and a rate. */
export function smallItem(id: number) {
  return { id, rate: isFailing(id) ? 0.5 : 0.4 };
}

export interface Page {
  readonly items: readonly object[];
  readonly has_more: boolean;
  readonly next_before_id: number | null;
}

/**
 * One page of the list that ends with its newest: ids descend from `FIRST_ID + count - 1`, and the
 * cursor is the last id of the page, as PanDA has it.
 */
export function page(
  count: number,
  makeItem: (id: number) => object,
  limit: number,
  beforeId: number | undefined,
): Page {
  const end = FIRST_ID + count;
  const newest = Math.min(beforeId ?? end, end) - 1;
  const oldest = Math.max(newest - limit + 1, FIRST_ID);
  const length = Math.max(newest - oldest + 1, 0);
  const items = Array.from({ length }, (_, place) => makeItem(newest - place));
  const more = oldest > FIRST_ID && length > 0;
  return { items, has_more: more, next_before_id: more ? oldest : null };
}
