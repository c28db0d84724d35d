import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Outgoing } from "../../src/channel/channel.ts";
import { type CommandSettings, commandChannel } from "../../src/channel/command_channel.ts";
import type { Bundle, ListedItem } from "../../src/core/bundle.ts";
import { delivered, PATIENTLY } from "../support/mails.ts";
import { isRunning } from "../support/process.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-command-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ITEM: ListedItem = {
  eventId: "e-1",
  dedupeKey: "task:1",
  subject: "task 1\n— é漢😀",
  body: "two\r\nlines",
  fireTime: 1_795_232_707.25,
  reason: "new",
  mayBeDuplicate: false,
};
const BUNDLE: Bundle = {
  entryId: "alarm_x",
  title: "X",
  description: "",
  time: 1_795_232_707.25,
  freshCount: 1,
  continuingCount: 0,
  clearedCount: 1,
  fresh: [ITEM],
  continuing: [],
  cleared: [{ ...ITEM, clearTime: 1_795_232_708, reason: "cleared before it could be mailed" }],
  caveats: ["one page was missing"],
  to: ["page"],
};
const OUTGOING: Outgoing = {
  id: "0b0e2f0c-0000-4000-8000-000000000001",
  alarm: "alarm_x",
  time: BUNDLE.time,
  recipients: ["page"],
  subject: "[alarm_x] 1 detection(s), 1 new, 0 continuing",
  text: "NEW (1):\n",
  html: "<p>NEW</p>",
  bundle: BUNDLE,
};
/** More than a pipe holds. */
const LARGE: Outgoing = { ...OUTGOING, text: "x".repeat(1_000_000) };

/** Writes the program `page`, a script of this body. */
function program(body: string, interpreter = "/bin/sh"): string {
  const file = join(folder, "page");
  writeFileSync(file, `#!${interpreter}\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

async function deliver(
  body: string,
  outgoing = OUTGOING,
  signal = PATIENTLY,
  more: Partial<CommandSettings> = {},
) {
  const settings = { file: program(body), args: [], folder, timeout: 60, ...more };
  return await commandChannel(settings).deliver(outgoing, signal);
}

/** The text of a file of the folder, once a program has written it. */
async function written(name: string): Promise<string> {
  const path = join(folder, name);
  const text = () => (existsSync(path) ? readFileSync(path, "utf8") : "");
  await expect.poll(text).toMatch(/\n$/);
  return text().trim();
}

describe("what the program gets", () => {
  test("one JSON object on stdin, its arguments unchanged, and the configuration's folder", async () => {
    const body = 'cat > got.json; printf "%s\\n" "$#" "$1" "$2" > args';
    const args = ["$HOME; *", "--urgent"];
    expect(await deliver(body, OUTGOING, PATIENTLY, { args })).toEqual(delivered(["page"], []));
    expect(readFileSync(join(folder, "args"), "utf8")).toBe("2\n$HOME; *\n--urgent\n");
    const item = {
      event_id: "e-1",
      dedupe_key: "task:1",
      subject: "task 1 — é漢😀",
      body: "two\nlines",
      fire_time: "2026-11-21T03:45:07Z",
      reason: "new",
      may_be_duplicate: false,
    };
    expect(JSON.parse(readFileSync(join(folder, "got.json"), "utf8"))).toEqual({
      id: OUTGOING.id,
      alarm: "x",
      subject: OUTGOING.subject,
      text: OUTGOING.text,
      to: ["page"],
      time: "2026-11-21T03:45:07Z",
      may_be_duplicate: false,
      test: false,
      counts: { new: 1, continuing: 0, cleared: 1 },
      new: [item],
      continuing: [],
      cleared: [
        {
          ...item,
          clear_time: "2026-11-21T03:45:08Z",
          reason: "cleared before it could be mailed",
        },
      ],
      caveats: ["one page was missing"],
    });
  });

  test("the facts that only some events have, each text on one line", async () => {
    const facts: Partial<ListedItem> = {
      severity: "error",
      stage: "late\nphase",
      firstSeen: ITEM.fireTime - 900,
      changes: ["1\n2 when it fired, 3 now"],
      clearReason: "it\r\nended",
      reminder: { number: 3, isFinal: false },
    };
    const bundle: Bundle = { ...BUNDLE, fresh: [{ ...ITEM, ...facts }] };
    await deliver("cat > facts.json", { ...OUTGOING, bundle });
    const found: unknown = JSON.parse(readFileSync(join(folder, "facts.json"), "utf8"));
    expect(found).toMatchObject({
      new: [
        {
          severity: "error",
          stage: "late phase",
          first_seen: "2026-11-21T03:30:07Z",
          changes: ["1 2 when it fired, 3 now"],
          clear_reason: "it ended",
          reminder: { number: 3, final: false },
        },
      ],
    });
  });

  test("a repeat and a test are marked, and an old text has no lists", async () => {
    const bundle: Bundle = { ...BUNDLE, mayBeDuplicate: true, isTest: true };
    await deliver("cat > marked.json", { ...OUTGOING, bundle });
    await deliver("cat > old.json", { ...OUTGOING, bundle: undefined });
    const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));
    expect(read("marked.json")).toMatchObject({ may_be_duplicate: true, test: true });
    expect(read("old.json")).toMatchObject({ text: OUTGOING.text, new: [], test: false });
  });
});

describe("delivered", () => {
  test.each([
    ["a program that reads nothing", "exit 0"],
    ["a program that closes its stdin", "exec <&-; sleep 0.1; exit 0"],
    ["a program that reads a part", "head -c 10 > part"],
    [
      "a flood on stdout and stderr",
      "cat > /dev/null; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2",
    ],
  ])("%s", async (_, body) => {
    expect(await deliver(body, LARGE)).toEqual(delivered(["page"], []));
  });

  test("a process that it leaves in the background holds nothing up", async () => {
    expect(await deliver("sleep 1000 & echo $! > pid; exit 0")).toEqual(delivered(["page"], []));
    const pid = await written("pid");
    expect(isRunning(pid)).toBe(true);
    process.kill(Number(pid), "SIGKILL");
  });
});

describe("not delivered", () => {
  const FAILED = { retryable: false, mayBeDelivered: false, scope: "notification" };
  const rows: readonly [string, string, RegExp, object][] = [
    [
      "code 75 asks to try again",
      "echo busy >&2; exit 75",
      /^the program \/\S+\/page exited with code 75, which asks to try again: busy$/,
      { retryable: true, mayBeDelivered: false, scope: "notification" },
    ],
    [
      "any other code is a failure, with what it wrote on stderr",
      "cat > /dev/null; printf 'no \\033[31mroute\\n  to host\\n' >&2; exit 3",
      /exited with code 3: no {2}\[31mroute {3}to host; run it by hand to find the cause$/,
      FAILED,
    ],
    ["a program that is silent", "exit 1", /code 1: it wrote nothing to stderr; run/, FAILED],
    [
      "a signal leaves it open",
      "echo dying >&2; kill -KILL $$",
      /page was killed by SIGKILL and may have delivered: dying$/,
      { retryable: true, mayBeDelivered: true, scope: "channel" },
    ],
    [
      "a flood on stderr is cut",
      "cat > /dev/null; head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 4",
      /code 4: x{499}…; run it by hand/,
      FAILED,
    ],
    [
      "stderr that a process in the background keeps open",
      "echo lost >&2; sleep 1000 & echo $! > pid; exit 5",
      /code 5: lost; run it by hand/,
      FAILED,
    ],
  ];
  test.each(rows)("%s", async (_, body, message, error) => {
    const { confirmed, pending, error: found } = await deliver(body, LARGE);
    expect({ confirmed, pending }).toEqual({ confirmed: [], pending: ["page"] });
    expect(found).toEqual({
      message: expect.stringMatching(message),
      ...error,
    });
    if (existsSync(join(folder, "pid"))) process.kill(Number(await written("pid")), "SIGKILL");
  });

  const gone: readonly [string, () => string, RegExp][] = [
    ["a program that is gone", () => join(folder, "gone"), /gone could not be started: .*ENOENT; /],
    ["a folder", () => folder, /could not be started: .*EACCES; check that it exists, that the/],
    ["a lost interpreter", () => program("exit 0", "/no/such"), /ENOENT; .* its first line$/],
    [
      "a program that may not be executed",
      () => {
        const file = program("exit 0");
        chmodSync(file, 0o644);
        return file;
      },
      /page could not be started: .*EACCES; /,
    ],
  ];
  test.each(gone)("%s", async (_, make, message) => {
    const channel = commandChannel({ file: make(), args: [], folder, timeout: 60 });
    const { error } = await channel.deliver(LARGE, PATIENTLY);
    expect(error).toMatchObject({
      message: expect.stringMatching(message),
      ...FAILED,
      scope: "channel",
    });
  });

  test("a tick that is over starts nothing", async () => {
    const { error } = await deliver("touch started", OUTGOING, AbortSignal.abort("too late"));
    expect(error).toMatchObject({
      message: expect.stringMatching(/could not be started: too late$/),
      retryable: true,
      mayBeDelivered: false,
    });
    expect(existsSync(join(folder, "started"))).toBe(false);
  });
});

describe("a program that does not end is stopped with all that it has started", () => {
  const STUBBORN = "trap '' TERM; sleep 1000 & echo $$ $! > pids; wait; sleep 1000";
  const POLITE = "trap 'exit 0' TERM; (trap '' TERM; sleep 1000) & echo $$ $! > pids; wait";

  async function expectGone(): Promise<void> {
    const pids = (await written("pids")).split(" ");
    expect(pids).toHaveLength(2);
    for (const pid of pids) await expect.poll(() => isRunning(pid)).toBe(false);
  }

  test.each([
    ["one that ignores SIGTERM", STUBBORN],
    ["one that ends with code 0 on SIGTERM", POLITE],
  ])("at the end of the tick: %s", async (_, body) => {
    const tick = new AbortController();
    const delivery = deliver(body, LARGE, tick.signal);
    await written("pids");
    tick.abort(new Error("out of time"));
    expect((await delivery).error).toEqual({
      message: expect.stringMatching(
        /page was stopped by the engine and may have delivered: out of time$/,
      ),
      retryable: true,
      scope: "channel",
      mayBeDelivered: true,
    });
    await expectGone();
  });

  test("at its time limit", async () => {
    const { error } = await deliver("sleep 1000", LARGE, PATIENTLY, { timeout: 0.1 });
    expect(error).toMatchObject({
      message: expect.stringMatching(/it ran for longer than 0.1 s; raise timeout if it needs/),
      retryable: true,
      mayBeDelivered: true,
    });
  });
});
