import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir, uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LockAttempt } from "../../../src/store/database.ts";
import {
  DATABASE_LOCK,
  isFolderLocked,
  lockFolder,
} from "../../../src/store/embedded/folder_lock.ts";
import { APART } from "../../support/apart.ts";
import { only } from "../../support/raw_entries.ts";
import { built, type Script, startScript } from "../../support/script.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "swf-alarms-lock-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const lock = (path: string, wait = 0) => lockFolder(path, DATABASE_LOCK, { wait });

const folder = (): string => mkdtempSync(join(root, "f-"));

/** A process that takes the lock, tells how that went, and gives it back when it hears a line. */
function locker(path: string, patience: number, via: readonly string[] = []): Script {
  return startScript(
    `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
     const result = await lockFolder(process.env.FOLDER, "swf-alarms", { wait: Number(process.env.PATIENCE) });
     console.log(result.held ? "held" : "busy: " + result.holder.split(" ")[1]);
     await hear();
     if (result.held) await result.lock.release();
     console.log("released");
     await hear();
     process.stdin.destroy();`,
    { FOLDER: path, PATIENCE: String(patience) },
    [],
    via,
  );
}

describe("lockFolder", () => {
  test("one process holds it, a second learns who; once it is released the second gets it", async () => {
    const path = folder();
    const first = locker(path, 0);
    expect(await first.line()).toBe("held");
    expect(await lock(path)).toEqual(heldBy(first.pid));

    first.say("give it back");
    expect(await first.line()).toBe("released");
    const mine = await lock(path);
    expect(mine.held).toBe(true);
    const third = locker(path, 0);
    expect(await third.line()).toBe(`busy: ${process.pid}`);
    if (mine.held) await mine.lock.release();
    for (const script of [first, third]) script.kill("SIGKILL");
  });

  test("a holder that is killed leaves nothing behind", async () => {
    const path = folder();
    const holder = locker(path, 0);
    expect(await holder.line()).toBe("held");
    holder.kill("SIGKILL");
    await holder.ended;
    const mine = await lock(path);
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
  });

  test("a holder that never releases it does not keep its process alive, and leaves nothing behind", async () => {
    const path = folder();
    const holder = startScript(
      `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
       console.log((await lockFolder(process.env.FOLDER, "swf-alarms")).held);
       process.stdin.destroy();`,
      { FOLDER: path },
    );
    expect(await holder.ended).toEqual({ code: 0, stdout: "true\n", stderr: "" });
    const mine = await lock(path);
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
  });

  test("it waits for a holder that will be done soon", async () => {
    const path = folder();
    const holder = locker(path, 0);
    expect(await holder.line()).toBe("held");
    // Far more patience than the holder needs: only the holder decides when this goes on.
    const waiting = lock(path, 600);
    holder.say("give it back");
    const mine = await waiting;
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
    holder.kill("SIGKILL");
  });

  test("of many that try at once exactly one gets it", async () => {
    const path = folder();
    const tries = await Promise.all(Array.from({ length: 10 }, () => lock(path)));
    const winner = only(tries.filter((result) => result.held));
    for (const result of tries) if (!result.held) expect(result).toEqual(heldBy(process.pid));
    if (winner.held) await winner.lock.release();
  });

  test("many processes that wait their turn get it one after the other", async () => {
    const path = folder();
    const scripts = [1, 2, 3].map(() =>
      startScript(
        `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
         import { rmdirSync, mkdirSync } from "node:fs";
         for (let round = 0; round < 3; round++) {
           const result = await lockFolder(process.env.FOLDER, "swf-alarms", { wait: 600 });
           // Fails where another is inside at the same time.
           mkdirSync(process.env.FOLDER + "/inside");
           rmdirSync(process.env.FOLDER + "/inside");
           await result.lock.release();
         }
         process.stdin.destroy();`,
        { FOLDER: path },
      ),
    );
    for (const script of scripts)
      expect(await script.ended).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("other folders do not matter, and a link to the folder is the folder", async () => {
    const path = folder();
    const link = join(root, "link");
    symlinkSync(path, link);
    const mine = await lock(path);
    const other = await lock(folder());
    expect([mine.held, other.held]).toEqual([true, true]);
    expect(await lock(link)).toEqual(heldBy(process.pid));
    expect(await lock(`${path}/../${path.split("/").at(-1)}/`)).toMatchObject({
      held: false,
    });
    for (const result of [mine, other]) if (result.held) await result.lock.release();
  });

  test("a holder that blocks its event loop still holds it, and its note says who it is", async () => {
    const path = folder();
    const holder = startScript(
      `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
       await lockFolder(process.env.FOLDER, "swf-alarms");
       console.log("held");
       for (;;);`,
      { FOLDER: path },
    );
    expect(await holder.line()).toBe("held");
    expect(await lock(path)).toEqual(heldBy(holder.pid));
    holder.kill("SIGKILL");
    await holder.ended;
  });

  test("a holder that is stopped still holds it, however many look at it", async () => {
    const path = folder();
    const holder = locker(path, 0);
    expect(await holder.line()).toBe("held");
    holder.kill("SIGSTOP");
    // More than wait in the queue of a socket.
    for (let n = 0; n < 700; n++) expect(await isFolderLocked(path, DATABASE_LOCK)).toBe(true);
    expect(await lock(path)).toEqual(heldBy(holder.pid));
    holder.kill("SIGCONT");
    holder.say("give it back");
    expect(await holder.line()).toBe("released");
    expect(readdirSync(path)).toEqual([]);
    holder.kill("SIGKILL");
    await holder.ended;
  });

  test("the name of the socket says who holds it, where, since when, and for how long at most", async () => {
    const path = folder();
    const mine = await lockFolder(path, "swf-alarms tick", { limit: 1.5 });
    const [socket = ""] = readdirSync(join(path, "swf-alarms.tick.lock"));
    expect(await lockFolder(path, "swf-alarms tick")).toEqual(heldBy(process.pid));
    const [pid, since, limit, random, ...host] = socket.split(".");
    expect([pid, limit, host.join(".")]).toEqual([String(process.pid), "2", hostname()]);
    expect(random).toMatch(/^[0-9a-f]{8}$/);
    expect(Math.abs(Number(since) - uptime())).toBeLessThan(60);
    const rename = (name: string): void =>
      renameSync(lockFile(path, socket, "tick."), lockFile(path, name, "tick."));
    const renameBack = (name: string): void =>
      renameSync(lockFile(path, name, "tick."), lockFile(path, socket, "tick."));
    const begun = Math.floor(uptime());
    const told: readonly (readonly [string, RegExp, boolean])[] = [
      [`7.${begun}.600.0a0a0a0a.far.away`, /^process 7 on far\.away since .* UTC$/, false],
      ["7.0.Infinity.0a0a0a0a.far", /^process 7 on far since .* UTC$/, false],
      [
        "7.0.1.0a0a0a0a.far",
        /^process 7 on far since .* UTC, longer than it may take; end it: kill -9 7$/,
        true,
      ],
    ];
    for (const [name, says, overdue] of told) {
      rename(name);
      const holder = expect.stringMatching(says);
      // A clock that is wrong in one of the processes changes nothing.
      vi.spyOn(Date, "now").mockReturnValueOnce(4_000_000_000_000);
      expect(await lockFolder(path, "swf-alarms tick")).toEqual({ held: false, holder, overdue });
      vi.restoreAllMocks();
      renameBack(name);
    }
    // Whatever its name, a socket that is answered is held.
    for (const name of [
      "x",
      "0",
      "1.2.3",
      `${"9".repeat(11)}.1.1.00000000.h`,
      "1.1.x.00000000.h",
    ]) {
      rename(name);
      expect(await lockFolder(path, "swf-alarms tick")).toEqual(UNKNOWN);
      renameBack(name);
    }
    await free(mine);
    expect(readdirSync(path)).toEqual([]);
  });

  test("two locks of one folder do not matter to each other", async () => {
    const path = folder();
    const database = await lock(path);
    expect(await isFolderLocked(path, "swf-alarms tick")).toBe(false);
    const tick = await lockFolder(path, "swf-alarms tick");
    expect([database.held, tick.held]).toEqual([true, true]);
    await free(database);
    expect(await isFolderLocked(path, "swf-alarms tick")).toBe(true);
    expect(await isFolderLocked(path, DATABASE_LOCK)).toBe(false);
    await free(tick);
  });

  test("the holder hears of each process that looks at its lock", async () => {
    const path = folder();
    let asked = (): void => {};
    const heard = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const mine = await lockFolder(path, DATABASE_LOCK, { onRequest: asked });
    const other = locker(path, 600);
    await heard;
    await free(mine);
    expect(await other.line()).toBe("held");
    other.kill("SIGKILL");
    await other.ended;
  });

  test("releasing it twice does not release the next holder's", async () => {
    const path = folder();
    const first = await lock(path);
    await free(first);
    const second = await lock(path);
    await free(first);
    expect(await lock(path)).toEqual(heldBy(process.pid));
    await free(second);
    expect(readdirSync(path)).toEqual([]);
  });

  /** What may be where the lock is, although nobody holds it. */
  const STALE: readonly (readonly [string, (path: string) => void])[] = [
    ["a file", (path) => writeFileSync(path, "")],
    ["an old holder's note", (path) => writeFileSync(path, '{"pid":1,"since":5}')],
    ["an empty folder", (path) => mkdirSync(path)],
    ["a broken link", (path) => symlinkSync("nothing", path)],
    ["a link to itself", (path) => symlinkSync(path, path)],
    ["a link to a folder", (path) => symlinkSync(folder(), path)],
    ["a pipe", (path) => spawnSync("mkfifo", [path])],
    ["a dead socket", (path) => deadSocket(path)],
    ["a folder with a dead socket", (path) => mkdirSync(path) ?? deadSocket(join(path, "s"))],
    [
      "a folder with a socket from before the machine was restarted",
      (path) => mkdirSync(path) ?? deadSocket(join(path, "1.1700000000.600.0a0a0a0a.elsewhere")),
    ],
    [
      "a folder with everything",
      (path) => {
        mkdirSync(join(path, "folder", "deep"), { recursive: true });
        writeFileSync(join(path, "file"), "");
        writeFileSync(join(path, "n".repeat(255)), "");
        symlinkSync("nothing", join(path, "link"));
        deadSocket(join(path, "s"));
      },
    ],
  ];
  test.each(STALE)("%s at its place does not hold it", async (_sentence, make) => {
    const path = folder();
    make(join(path, "swf-alarms.lock"));
    expect(await isFolderLocked(path, DATABASE_LOCK)).toBe(false);
    make(join(path, "swf-alarms.other.lock"));
    const other = await lockFolder(path, "swf-alarms other");
    const mine = await lock(path);
    expect([mine.held, other.held]).toEqual([true, true]);
    expect(await lock(path)).toEqual(heldBy(process.pid));
    for (const result of [mine, other]) await free(result);
    expect(readdirSync(path)).toEqual([]);
  });

  test("a link at its place is removed, and not what it names", async () => {
    const path = folder();
    const victim = folder();
    writeFileSync(join(victim, "precious"), "");
    symlinkSync(victim, join(path, "swf-alarms.lock"));
    await free(await lock(path));
    expect(readdirSync(victim)).toEqual(["precious"]);
  });

  test("what a process left that was killed while it took the lock does not hold it; other files stay", async () => {
    const path = folder();
    const leftover = "swf-alarms.lock.7.1700000000.600.0a0a0a0a.host";
    mkdirSync(join(path, leftover));
    deadSocket(join(path, leftover, "s"));
    writeFileSync(join(path, "swf-alarms.lock.bak"), "mine");
    await free(await lock(path));
    expect(readdirSync(path).sort()).toEqual([leftover, "swf-alarms.lock.bak"]);
  });

  test("of many processes that find it stale at the same moment exactly one takes it, each time", async () => {
    const path = folder();
    const ROUNDS = Number(process.env.SWF_ALARMS_LOCK_ROUNDS ?? 12);
    const scripts = Array.from({ length: 6 }, () =>
      startScript(
        `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
         for (let round = 0; round < ${ROUNDS}; round++) {
           await hear();
           const tries = [1, 2, 3].map(() => lockFolder(process.env.FOLDER, "swf-alarms"));
           const taken = (await Promise.all(tries)).filter(({ held }) => held);
           console.log(taken.length);
           await hear();
           for (const { lock } of taken) await lock.release();
           console.log("ready");
         }
         process.stdin.destroy();`,
        { FOLDER: path },
      ),
    );
    for (let round = 0; round < ROUNDS; round++) {
      const place = join(path, "swf-alarms.lock");
      if (round % 3 === 0) deadSocket(place);
      else {
        mkdirSync(place);
        for (let n = 0; n < round % 3; n++) deadSocket(join(place, `dead${n}`));
      }
      for (const script of scripts) script.say("take it");
      const taken = await Promise.all(scripts.map((script) => script.line()));
      expect(taken.reduce((sum, count) => sum + Number(count), 0)).toBe(1);
      for (const script of scripts) script.say("give it back");
      for (const script of scripts) expect(await script.line()).toBe("ready");
      expect(readdirSync(path)).toEqual([]);
    }
    for (const script of scripts) expect(await script.ended).toMatchObject({ code: 0, stderr: "" });
  }, 600_000);

  test("processes that are killed at any moment leave nothing that blocks", async () => {
    const path = folder();
    for (let n = 0; n < 15; n++) {
      const script = startScript(
        `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
         console.log("starts");
         for (;;) {
           const result = await lockFolder(process.env.FOLDER, "swf-alarms", { wait: 600 });
           await result.lock.release();
         }`,
        { FOLDER: path },
      );
      expect(await script.line()).toBe("starts");
      await sleep(n);
      script.kill("SIGKILL");
      await script.ended;
    }
    const mine = await lock(path);
    expect(mine.held).toBe(true);
    await free(mine);
    expect(readdirSync(path)).not.toContain("swf-alarms.lock");
  }, 60_000);

  test("a path that is too long for a socket is locked all the same", async () => {
    for (const length of [60, 90, 100, 107, 108, 200, 255]) {
      const path = join(folder(), "d".repeat(length));
      mkdirSync(path);
      const holder = locker(path, 0);
      expect(await holder.line()).toBe("held");
      expect(await lock(path)).toEqual(heldBy(holder.pid));
      holder.kill("SIGKILL");
      await holder.ended;
      await free(await lock(path));
      expect(readdirSync(path)).toEqual([]);
    }
  }, 60_000);

  test("a folder that is moved stays locked", async () => {
    const path = folder();
    const mine = await lock(path);
    renameSync(path, `${path}-moved`);
    expect(await lock(`${path}-moved`)).toEqual(heldBy(process.pid));
    await free(mine);
    const next = await lock(`${path}-moved`);
    expect(next.held).toBe(true);
    await free(next);
  });

  test.each(APART)("a process %s cannot take it, and takes it when it is free", async (_, via) => {
    const path = folder();
    const mine = await lock(path);
    const other = locker(path, 0, via);
    expect(await other.line()).toBe(`busy: ${process.pid}`);
    other.say("end");
    await other.line();
    other.say("end");
    await other.ended;
    await free(mine);
    const third = locker(path, 0, via);
    expect(await third.line()).toBe("held");
    expect(await isFolderLocked(path, DATABASE_LOCK)).toBe(true);
    third.say("give it back");
    expect(await third.line()).toBe("released");
    expect(await isFolderLocked(path, DATABASE_LOCK)).toBe(false);
    third.say("end");
    await third.ended;
  });
});

/** A socket that its process has left: bound, and never closed by it. */
function deadSocket(path: string): void {
  spawnSync(process.execPath, [
    "-e",
    'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
    path,
  ]);
}

function lockFile(folder: string, socket: string, name = ""): string {
  return join(folder, `swf-alarms.${name}lock`, socket);
}

async function free(result: LockAttempt): Promise<void> {
  if (result.held) await result.lock.release();
}

const UNKNOWN = { held: false, holder: "an unknown process", overdue: false };

function heldBy(pid: number | undefined) {
  const holder = expect.stringMatching(new RegExp(`^process ${pid} since .* UTC$`));
  return { held: false, holder, overdue: false };
}
