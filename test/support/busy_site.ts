import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { json } from "./http_server.ts";
import { insertAlarm } from "./rows.ts";
import { makeSite, type Site, type SiteOptions, THINGS } from "./site.ts";

/** A site with one alarm that mails, and one thing that is wrong. */
export async function busySite(options: SiteOptions): Promise<Site> {
  const site = await makeSite(options);
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [{ key: "a", subject: "A is wrong" }];
  return site;
}

/** So long that no test comes near it, however slow the machine. */
export const PATIENT = "request_timeout = 300\nalarm_timeout = 300";

/** Holds the site's answers back until told; `asked` resolves when the first question is there. */
export function holdAnswers(site: Site): { readonly asked: Promise<void>; release(): void } {
  const waiting: (() => void)[] = [];
  let open = false;
  let tell = (): void => {};
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  site.source.answer = (_, response) => {
    const answer = () =>
      json(response, { items: site.things, has_more: false, next_before_id: null });
    if (open) answer();
    else waiting.push(answer);
    tell();
  };
  return {
    asked,
    release: () => {
      open = true;
      for (const answer of waiting) answer();
    },
  };
}

/** Starts a tick that the test is going to kill. */
export function startTick(site: Site): {
  readonly child: ChildProcess;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  kill(): Promise<void>;
} {
  const entry = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));
  const child = spawn(process.execPath, [entry, "run", "--config", site.config], {
    stdio: "ignore",
    env: { ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return {
    child,
    ended,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
