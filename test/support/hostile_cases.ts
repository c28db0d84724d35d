import { expect } from "vitest";

/** What a module of test/hostile costs its own alarm. */
export interface HostileCase {
  readonly status: "complete" | "partial" | "failed";
  /** What its record says. */
  readonly says: unknown;
  /** Whether it yields `before` before it does its worst. */
  readonly before: boolean;
  /** Keys of its row beside the usual ones. */
  readonly row: { readonly [key: string]: unknown };
}

function failed(says: RegExp, before = true, row: HostileCase["row"] = {}): HostileCase {
  return { status: "failed", says: expect.stringMatching(says), before, row };
}

function partial(says: RegExp, row: HostileCase["row"] = {}): HostileCase {
  return { status: "partial", says: expect.stringMatching(says), before: true, row };
}

function complete(row: HostileCase["row"] = {}): HostileCase {
  return { status: "complete", says: "", before: true, row };
}

const BLOCKED =
  /^out of time: detect did not end within 2 s, and it computes without a pause, so its process was ended$/;
const LATE = /^out of time: detect did not end within 2 s$/;
const MEMORY = /out of memory: it used more than \d+ MiB; alarm_memory in the alarm's row/;
/** Time enough for what is not about time. */
const PATIENT = { alarm_timeout: 60 };

/** By the module's name. */
export const CASES: { readonly [name: string]: HostileCase } = {
  aborts: failed(/^its process was ended by SIGABRT$/),
  asks_a_million: failed(/detect asked more than 20000 questions/, true, PATIENT),
  asks_later: complete(),
  asks_odd_paths: partial(/^GET .*evil\.example.* and \d+ more reasons$/, PATIENT),
  blocks_in_a_command: failed(BLOCKED),
  blocks_in_atomics: failed(BLOCKED),
  changes_globals: failed(/changed globals that other code relies on: .*Promise/),
  changes_globals_at_import: {
    ...partial(/changed globals that other code relies on: .*String\.prototype\.trim/),
    before: false,
  },
  changes_node: partial(/changed globals that other code relies on: node:fs\.\w+/),
  changes_process: partial(
    /changed globals that other code relies on: .*process\.env or the working/,
  ),
  closes_pipes: failed(/^it closed the pipe to the engine$/),
  eats_buffers: failed(MEMORY, true, PATIENT),
  eats_heap: failed(MEMORY, true, { ...PATIENT, alarm_memory: 64 }),
  eats_text: failed(MEMORY, true, PATIENT),
  eats_typed_arrays: failed(MEMORY, true, PATIENT),
  exits: failed(/^detect ended its process with exit code 0$/),
  exits_at_import: failed(/cannot load .*: its import ended the process with exit code 3$/, false),
  exits_for_real: failed(/^its process ended with code 5$/),
  exits_in_a_listener: failed(/^detect ended its process with exit code 7$/),
  exits_in_a_timer: complete(),
  exits_in_finally: failed(/^detect ended its process with exit code 4$/),
  fetches_itself: failed(/TypeError: fetch is not there for alarms; ask with client\.get/),
  forks: failed(LATE),
  imports_missing: failed(/cannot load .*Cannot find module 'not-there-at-all'/, false),
  kills_itself: failed(/^its process was ended by SIGKILL$/),
  leaves_things_open: complete(),
  logs_a_flood: complete(PATIENT),
  loops_after_yield: failed(BLOCKED),
  loops_at_import: failed(/cannot load .*: its import did not end within 2 s$/, false),
  loops_at_once: failed(BLOCKED, false),
  loops_in_promises: failed(BLOCKED),
  matches_for_ever: failed(BLOCKED),
  params_functions: failed(/PARAMS\.p: must be an object .*PARAMS\.q: type must be one of/, false),
  params_mined: failed(/PARAMS cannot be read: no$/, false),
  prints_a_flood: complete(PATIENT),
  prints_to_console: complete(),
  recurses: failed(/RangeError: Maximum call stack size exceeded/),
  rejects_later: partial(/^an error that nobody caught: rejected behind its back$/),
  removes_listeners: failed(/^its process ended with code 1: .*nobody listens/),
  returns_a_class: failed(/Class constructor detect cannot be invoked without 'new'/, false),
  returns_endless_iterator: failed(LATE),
  returns_nothing: failed(/^detect returned undefined; it must be a generator/, false),
  returns_stuck_iterator: failed(LATE, false),
  returns_throwing_iterator: failed(/^detect threw Error: no next/, false),
  source_huge: failed(MEMORY, false, PATIENT),
  spins_in_a_worker: complete(),
  stops_itself: failed(BLOCKED),
  swallows_failures: partial(/^GET \/missing\/ from main: status 404/, PATIENT),
  syntax_error: failed(/cannot load .*syntax_error\.mjs/, false),
  tells_secrets: complete(),
  throws_endless_text: failed(/^detect threw Error: long/, true, PATIENT),
  throws_in_a_timer: partial(/^an error that nobody caught: thrown in a timer$/),
  throws_mined_error: failed(/^detect threw /),
  throws_null: failed(/^detect threw null$/),
  throws_proxy: failed(/^detect threw something that throws at whoever looks at it$/),
  throws_text: failed(/^detect threw string only a text$/),
  title_huge: failed(/TITLE has 10000000 characters; at most 100000 are taken; DESCRIPTION/, false),
  waits_at_import: failed(/cannot load .*: its import did not end within 2 s$/, false),
  waits_for_ever: failed(LATE),
  writes_endless_line: failed(
    /^it wrote into the pipe to the engine, which is not its own$/,
    true,
    PATIENT,
  ),
  writes_forged_end: failed(/^it wrote into the pipe to the engine, which is not its own$/),
  writes_garbage: failed(/^it wrote into the pipe to the engine, which is not its own$/),
  yields_a_million: failed(
    /^it yielded more than 20000 detections; if so many are real, raise/,
    false,
    PATIENT,
  ),
  yields_a_million_slowly: failed(/^it yielded more than 20000 detections/, false, PATIENT),
  yields_for_ever: failed(/^it yielded more than 20000 detections/, false, PATIENT),
  yields_garbage: partial(/^yielded undefined; a detection is .*and \d+ more reasons$/),
  yields_huge_data: partial(
    /^yielded "huge" with \d+ characters of data; at most \d+ are kept$/,
    PATIENT,
  ),
  yields_odd_data: complete(PATIENT),
  yields_too_much_text: failed(/^it yielded more than 64 MiB of detections/, false, PATIENT),
};
