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
  /^out of time: detect did not end within 2 s; it blocked the event loop; worker killed; look for a loop that does not end$/;
/** On a slow machine it may be the process that is late, not the module. */
const LATE = /^out of time: detect did not end within 2 s/;
const MEMORY =
  /out of memory: the module used more than \d+ MiB; raise alarm_memory in the alarm's row/;
/** For what ends in no other way; the others have time enough on any machine. */
const HASTY = { alarm_timeout: 2 };

/** By the module's name. */
export const CASES: { readonly [name: string]: HostileCase } = {
  aborts: failed(/^the worker was killed by SIGABRT$/),
  asks_a_million: failed(/detect sent more than 20000 requests/),
  asks_later: complete(),
  asks_odd_paths: partial(/evil\.example.* and \d+ more reasons$/),
  blocks_in_a_command: failed(BLOCKED, true, HASTY),
  blocks_in_atomics: failed(BLOCKED, true, HASTY),
  changes_globals: complete(),
  changes_globals_at_import: {
    ...partial(/^yielded a detection whose dedupeKey is "before"/),
    before: false,
  },
  changes_node: complete(),
  changes_process: complete(),
  clears_for_ever: failed(/^detect yielded more than 20000 clears/, false),
  clears_garbage: partial(/^yielded "old" with the clear null; .* and \d+ more reasons$/),
  closes_pipes: failed(/^(out of time: |the worker )/, true, HASTY),
  eats_buffers: failed(MEMORY),
  eats_heap: failed(MEMORY, true, { alarm_memory: 64 }),
  eats_text: failed(MEMORY),
  eats_typed_arrays: failed(MEMORY),
  exits: failed(/^the module exited the process with code 0$/),
  exits_at_import: failed(/cannot load .*: the module exited the process with code 3$/, false),
  exits_for_real: failed(/^the worker exited with code 5$/),
  exits_in_a_listener: failed(/^the module exited the process with code 7$/),
  exits_in_a_timer: complete(),
  exits_in_finally: failed(/^the module exited the process with code 4$/),
  fetches_itself: failed(/TypeError: fetch is not available to alarms; use client\.request/),
  forks: failed(LATE, true, HASTY),
  imports_missing: failed(/cannot load .*Cannot find package 'not-there-at-all'/, false),
  kills_itself: failed(/^the worker was killed by SIGKILL$/),
  leaves_things_open: complete(),
  levels_odd: complete(),
  logs_a_flood: complete(),
  loops_after_yield: failed(BLOCKED, true, HASTY),
  loops_at_import: failed(/cannot load .*: import did not finish within 10 s$/, false),
  loops_at_once: failed(BLOCKED, false, HASTY),
  loops_in_promises: failed(BLOCKED, true, HASTY),
  matches_for_ever: failed(BLOCKED, true, HASTY),
  params_functions: failed(/PARAMS\.p: must be an object .*PARAMS\.q: type must be one of/, false),
  params_mined: failed(/PARAMS must be an object of name/, false),
  prints_a_flood: complete(),
  prints_to_console: complete(),
  recurses: failed(/RangeError: Maximum call stack size exceeded/),
  rejects_later: partial(
    /^unhandled error in the module: rejected behind its back \(at .*\); is an await missing\?$/,
  ),
  removes_listeners: failed(/^the worker exited with code 1: .*nobody listens/),
  returns_a_class: failed(/Class constructor detect cannot be invoked without 'new'/, false),
  // Whichever limit it meets first.
  returns_endless_iterator: failed(/^(out of time|detect yielded more than 20000)/, true, HASTY),
  returns_nothing: failed(/^detect returned undefined; it must be a generator/, false),
  returns_stuck_iterator: failed(LATE, false, HASTY),
  returns_throwing_iterator: failed(/^detect threw Error: no next/, false),
  source_huge: failed(MEMORY, false),
  spins_in_a_worker: complete(),
  stages_mined: failed(/STAGES must be/, false),
  stops_itself: failed(BLOCKED, true, HASTY),
  swallows_failures: partial(/^GET \/missing\/ from main: status 404/),
  syntax_error: failed(/cannot load .*syntax_error\.mjs/, false),
  tells_secrets: complete(),
  throws_endless_text: failed(/^detect threw Error: long/),
  throws_in_a_timer: partial(/^unhandled error in the module: thrown in a timer \(at .*\)$/),
  throws_mined_error: failed(/^detect threw /),
  throws_null: failed(/^detect threw null$/),
  throws_proxy: failed(/^detect threw an error that cannot be read$/),
  throws_text: failed(/^detect threw string only a text$/),
  title_huge: failed(
    /TITLE, DESCRIPTION, SOURCES, STAGES, PARAMS, NETWORK and GRAPH have more than 1048576 characters/,
    false,
  ),
  waits_at_import: failed(/cannot load .*: import did not finish within 10 s$/, false),
  waits_for_ever: failed(LATE, true, HASTY),
  writes_endless_line: failed(/^the module wrote to the engine's pipe$/),
  writes_forged_end: failed(/^the module wrote to the engine's pipe$/),
  writes_garbage: failed(/^the module wrote to the engine's pipe$/),
  yields_a_million: failed(
    /^detect yielded more than 20000 detections; if that is expected, raise/,
    false,
  ),
  yields_a_million_slowly: failed(/^detect yielded more than 20000 detections/, false),
  yields_for_ever: failed(/^detect yielded more than 20000 detections/, false),
  yields_garbage: partial(/^yielded undefined; a detection is .*and \d+ more reasons$/),
  yields_huge_data: partial(/^yielded "huge" with \d+ characters of data; the limit is \d+$/),
  yields_odd_data: complete(),
  yields_too_much_text: failed(/^more than 256 MiB of new detections in this tick/, false),
};
