import { measure } from "./measured_process.ts";

export interface StartupPart {
  readonly part: string;
  /** Milliseconds of user and system time. */
  readonly cpuMs: number;
  /** Milliseconds. */
  readonly wallMs: number;
}

/** What the start of a process costs, part by part. */
export async function startup(): Promise<readonly StartupPart[]> {
  const { signal } = new AbortController();
  const { wall, cpu } = await measure([process.execPath, "-e", "0"], { signal });
  return [{ part: "`node -e 0`", cpuMs: cpu * 1000, wallMs: wall * 1000 }];
}
