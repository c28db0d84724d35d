import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOLDER_FILE, lockFolder } from "../../../src/store/embedded/folder_lock.ts";
import { only } from "../../support/raw_entries.ts";
import { built, type Script, startScript } from "../../support/script.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "swf-alarms-lock-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const folder = (): string => mkdtempSync(join(root, "f-"));

/** A process that takes the lock, tells how that went, and gives it back when it hears a line. */
function locker(path: string, patience: number): Script {
  return startScript(
    `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
     const result = await lockFolder(process.env.FOLDER, Number(process.env.PATIENCE));
     console.log(result.held ? "held" : "busy: " + result.holder?.pid);
     await hear();
     if (result.held) await result.lock.release();
     console.log("released");
     await hear();
     process.stdin.destroy();`,
    { FOLDER: path, PATIENCE: String(patience) },
  );
}

describe("lockFolder", () => {
  test("one process holds it, a second learns who; once it is released the second gets it", async () => {
    const path = folder();
    const first = locker(path, 0);
    expect(await first.line()).toBe("held");
    expect(await lockFolder(path, 0)).toEqual(heldBy(first.pid));

    first.say("give it back");
    expect(await first.line()).toBe("released");
    const mine = await lockFolder(path, 0);
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
    const mine = await lockFolder(path, 0);
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
  });

  test("a holder that never releases it does not keep its process alive, and leaves nothing behind", async () => {
    const path = folder();
    const holder = startScript(
      `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
       console.log((await lockFolder(process.env.FOLDER, 0)).held);
       process.stdin.destroy();`,
      { FOLDER: path },
    );
    expect(await holder.ended).toEqual({ code: 0, stdout: "true\n", stderr: "" });
    const mine = await lockFolder(path, 0);
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
  });

  test("it waits for a holder that will be done soon", async () => {
    const path = folder();
    const holder = locker(path, 0);
    expect(await holder.line()).toBe("held");
    // Far more patience than the holder needs: only the holder decides when this goes on.
    const waiting = lockFolder(path, 600);
    holder.say("give it back");
    const mine = await waiting;
    expect(mine.held).toBe(true);
    if (mine.held) await mine.lock.release();
    holder.kill("SIGKILL");
  });

  test("of many that try at once exactly one gets it", async () => {
    const path = folder();
    const tries = await Promise.all(Array.from({ length: 10 }, () => lockFolder(path, 0)));
    const winner = only(tries.filter((result) => result.held));
    for (const result of tries) if (!result.held) expect(result.holder?.pid).toBe(process.pid);
    if (winner.held) await winner.lock.release();
  });

  test("many processes that wait their turn get it one after the other", async () => {
    const path = folder();
    const scripts = [1, 2, 3].map(() =>
      startScript(
        `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
         import { rmdirSync, mkdirSync } from "node:fs";
         for (let round = 0; round < 3; round++) {
           const result = await lockFolder(process.env.FOLDER, 600);
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
    const mine = await lockFolder(path, 0);
    const other = await lockFolder(folder(), 0);
    expect([mine.held, other.held]).toEqual([true, true]);
    expect(await lockFolder(link, 0)).toMatchObject({
      held: false,
      holder: { pid: process.pid },
    });
    expect(await lockFolder(`${path}/../${path.split("/").at(-1)}/`, 0)).toMatchObject({
      held: false,
    });
    for (const result of [mine, other]) if (result.held) await result.lock.release();
  });

  test("a holder that blocks its event loop still holds it, and its note says who it is", async () => {
    const path = folder();
    const holder = startScript(
      `import { lockFolder } from ${JSON.stringify(built("store/embedded/folder_lock.js"))};
       await lockFolder(process.env.FOLDER, 0);
       console.log("held");
       for (;;);`,
      { FOLDER: path },
    );
    expect(await holder.line()).toBe("held");
    expect(await lockFolder(path, 0)).toEqual(heldBy(holder.pid));
    holder.kill("SIGKILL");
    await holder.ended;
  });

  test("a holder that is stopped still holds it, and its note says who it is and since when", async () => {
    const path = folder();
    const holder = locker(path, 0);
    expect(await holder.line()).toBe("held");
    expect(statSync(join(path, HOLDER_FILE)).mode & 0o777).toBe(0o600);
    holder.kill("SIGSTOP");
    expect(await lockFolder(path, 0)).toEqual(heldBy(holder.pid));
    writeFileSync(join(path, HOLDER_FILE), JSON.stringify({ pid: holder.pid, since: 5 }));
    expect(await lockFolder(path, 0)).toEqual({
      held: false,
      holder: { pid: holder.pid, since: 5 },
    });
    for (const unreadable of ["", "{", '{"pid": "1", "since": 5}']) {
      writeFileSync(join(path, HOLDER_FILE), unreadable);
      expect(await lockFolder(path, 0)).toEqual({ held: false, holder: undefined });
    }
    holder.kill("SIGCONT");
    holder.say("give it back");
    expect(await holder.line()).toBe("released");
    expect(readdirSync(path)).toEqual([]);
    holder.kill("SIGKILL");
    await holder.ended;
  });

  test("the note of a killed holder is replaced", async () => {
    const path = folder();
    const killed = locker(path, 0);
    expect(await killed.line()).toBe("held");
    killed.kill("SIGKILL");
    await killed.ended;
    expect(readdirSync(path)).toEqual([HOLDER_FILE]);

    // Not followed, should it be a link.
    const victim = join(folder(), "victim");
    writeFileSync(victim, "precious");
    rmSync(join(path, HOLDER_FILE));
    symlinkSync(victim, join(path, HOLDER_FILE));
    const mine = await lockFolder(path, 0);
    expect(await lockFolder(path, 0)).toEqual(heldBy(process.pid));
    expect(readFileSync(victim, "utf8")).toBe("precious");
    if (mine.held) await mine.lock.release();
    expect(readdirSync(path)).toEqual([]);
  });

  test("releasing it twice does not remove the next holder's note", async () => {
    const path = folder();
    const first = await lockFolder(path, 0);
    if (first.held) await first.lock.release();
    const second = await lockFolder(path, 0);
    if (first.held) await first.lock.release();
    expect(readdirSync(path)).toEqual([HOLDER_FILE]);
    if (second.held) await second.lock.release();
  });
});

function heldBy(pid: number | undefined) {
  return { held: false, holder: { pid, since: expect.any(Number) } };
}
