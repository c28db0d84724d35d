import { readFile, statfs } from "node:fs/promises";
import { cpus, loadavg, uptime } from "node:os";
import type { AlarmClient } from "swf-alarms";
import { numberOf, objectOf, textOf } from "./fields.ts";
import { busyPercent, parseCpuTimes, parseKib } from "./proc.ts";
import { memoryOf, type ProcessMemory, readProcesses } from "./process_memory.ts";

/** What is measured, in the unit of its limit. */
export interface Reading {
  readonly value: number;
  /** With its unit, for the dashboard's metric cell. */
  readonly metric: string;
  /** The same in words, for the subject. */
  readonly text: string;
  readonly body?: string;
}

export interface Question {
  /** The path or the name that is asked about; empty where there is only one of it. */
  readonly of: string;
  /** The source that knows programs; empty if there is none. */
  readonly supervisor: string;
  /** The beginning of the keys that a failed request leaves as they are. */
  readonly scope: string;
}

export interface Resource {
  /** What the column `of` must have; undefined where it has nothing. */
  readonly of?: string;
  readonly unit: string;
  /** Undefined if there is nothing to compare, which is no fault. Throws if it cannot be known. */
  readonly read: (client: AlarmClient, question: Question) => Promise<Reading | undefined>;
}

export const RESOURCES: { readonly [what: string]: Resource } = {
  cpu: { unit: "%", read: readCpu },
  load: { unit: " per CPU", read: async () => readLoad() },
  memory: { unit: "%", read: readMemory },
  swap: { unit: "%", read: readSwap },
  disk: { of: "a path", unit: "%", read: readDisk },
  inodes: { of: "a path", unit: "%", read: readInodes },
  process: { of: "the name of a process", unit: " MiB", read: readNamed(false) },
  process_tree: { of: "the name of a process", unit: " MiB", read: readNamed(true) },
  program: { of: "the name of a supervised program", unit: " MiB", read: readProgram },
};

/** Since the tick before; the first tick has nothing to compare with. */
async function readCpu(client: AlarmClient): Promise<Reading | undefined> {
  const now = parseCpuTimes(await readProc("stat"));
  if (now === null) throw new Error("/proc/stat has no line for all CPUs");
  const boot = (await readProc("sys/kernel/random/boot_id")).trim();
  const previous = await client.previous();
  client.remember({ ...now, boot });
  if (previous === undefined) return undefined;
  const memory = objectOf(previous.value);
  // The counters begin at 0 when the host starts.
  const [busy, total] =
    textOf(memory?.boot) === boot ? [numberOf(memory?.busy), numberOf(memory?.total)] : [0, 0];
  const value = busy === null || total === null ? null : busyPercent({ busy, total }, now);
  if (value === null) return undefined;
  const minutes = Math.max(1, Math.round(Math.min(client.now - previous.at, uptime()) / 60));
  return { ...percent(value), text: `CPU ${shown(value)}% busy in the last ${minutes} min` };
}

function readLoad(): Reading {
  const [, average = 0] = loadavg();
  const count = cpus().length;
  if (count === 0) throw new Error("the number of CPUs is not known");
  const value = average / count;
  const text = `load ${shown(value)} per CPU (5-minute average ${shown(average)}, ${count} CPUs)`;
  return { value, metric: shown(value), text };
}

async function readMemory(): Promise<Reading> {
  const { total, free } = await readMeminfo("MemTotal", "MemAvailable");
  const value = (100 * (total - free)) / total;
  const text = `memory ${shown(value)}% used, ${size(free)} of ${size(total)} available`;
  return { ...percent(value), text };
}

async function readSwap(): Promise<Reading> {
  const { total, free } = await readMeminfo("SwapTotal", "SwapFree");
  // A host without swap uses none.
  const value = total === 0 ? 0 : (100 * (total - free)) / total;
  return {
    ...percent(value),
    text: `swap ${shown(value)}% used, ${size(total - free)} of ${size(total)}`,
  };
}

async function readMeminfo(totalName: string, freeName: string) {
  const text = await readProc("meminfo");
  const [total, free] = [parseKib(totalName, text), parseKib(freeName, text)];
  if (total === null || free === null)
    throw new Error(`/proc/meminfo does not have ${totalName} and ${freeName}`);
  return { total, free };
}

/** As `df` counts it: what only root may use is neither used nor free. */
async function readDisk(_: AlarmClient, { of }: Question): Promise<Reading> {
  const { blocks, bfree, bavail, bsize } = await statfsInTime(of);
  const used = blocks - bfree;
  if (used + bavail === 0) throw new Error(`${of} has no space that is counted; name another path`);
  const value = (100 * used) / (used + bavail);
  const free = size((bavail * bsize) / 1024);
  return { ...percent(value), text: `disk ${of} ${shown(value)}% full, ${free} free` };
}

async function readInodes(_: AlarmClient, { of }: Question): Promise<Reading> {
  const { files, ffree } = await statfsInTime(of);
  if (files === 0) throw new Error(`the file system of ${of} has no fixed number of inodes`);
  const value = (100 * (files - ffree)) / files;
  const text = `${shown(value)}% of the inodes of ${of} used, ${ffree} of ${files} free`;
  return { ...percent(value), text };
}

/** Of several processes that have the name, the one with the most memory. */
function readNamed(withChildren: boolean) {
  return async (client: AlarmClient, { of }: Question): Promise<Reading | undefined> => {
    const all = await readProcesses();
    const named = all.filter(({ names }) => names.includes(of));
    if (named.length === 0) client.note(`no process ${of} is running`);
    return largest(`process ${of}`, memoryOf(named, all, withChildren));
  };
}

/** With all that it started: the process that supervisord knows is often a shell. */
async function readProgram(client: AlarmClient, { of, supervisor, scope }: Question) {
  const source = client.source(supervisor);
  const answer = await source.call("supervisor.getProcessInfo", [of], { scope });
  if (!answer.ok && answer.kind === "fault") throw new Error(`supervisord: ${answer.reason}`);
  // The failed request is recorded.
  if (!answer.ok) return undefined;
  const pid = numberOf(objectOf(answer.value)?.pid);
  if (pid === null) throw new Error("supervisord's answer has no pid");
  if (pid === 0) {
    client.note(`program ${of} is not running`);
    return undefined;
  }
  const all = await readProcesses();
  const own = all.filter((process) => process.pid === pid);
  if (own.length === 0)
    throw new Error(
      `supervisord says that its process is ${pid}, but this host has none; ask the supervisord of this host`,
    );
  return largest(`program ${of}`, memoryOf(own, all, true));
}

function largest(what: string, [first, ...others]: readonly ProcessMemory[]): Reading | undefined {
  if (first === undefined) return undefined;
  const value = first.rss / 1024;
  const metric = `${Math.round(value)} MiB`;
  const more = others.slice(0, 5).map((each) => `${inWords(each)}: ${size(each.rss)}`);
  return {
    value,
    metric,
    text: `${what} (${inWords(first)}) uses ${metric}`,
    ...(more.length > 0 && { body: `Others of this name:\n${more.join("\n")}` }),
  };
}

function inWords({ pid, processes }: ProcessMemory): string {
  return processes === 1 ? `pid ${pid}` : `pid ${pid} and ${processes - 1} below it`;
}

async function readProc(name: string): Promise<string> {
  try {
    return await readFile(`/proc/${name}`, "utf8");
  } catch (error) {
    throw new Error(`/proc/${name}, which Linux has, cannot be read: ${error}`, { cause: error });
  }
}

const STATFS_SECONDS = 5;

/** A network file system whose server is gone does not answer. */
async function statfsInTime(path: string) {
  return await inTime(statfs(path), STATFS_SECONDS, `the file system of ${path}`);
}

/** Throws if there is no result within this time; the promise itself continues. */
export async function inTime<T>(promise: Promise<T>, seconds: number, what: string): Promise<T> {
  const limit = AbortSignal.timeout(seconds * 1000);
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${what} did not answer within ${seconds} s`);
    limit.addEventListener("abort", () => reject(error));
  });
  return await Promise.race([promise, late]);
}

function percent(value: number) {
  return { value, metric: `${shown(value)}%` };
}

/** A value that is near its limit needs a digit after the point; a limit of 99.95% two. */
function shown(value: number): string {
  return value.toFixed(value > 99 && value < 100 ? 2 : 1);
}

function size(kib: number): string {
  const gib = kib / 1024 ** 2;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
