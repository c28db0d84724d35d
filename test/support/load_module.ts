import { type LoadedModule, parseModule } from "../../src/alarm/alarm_module.ts";
import type { ModuleFile } from "../../src/alarm/discover.ts";
import type { Detect, ModuleLoader } from "../../src/worker/child/load.ts";

export interface LoadedHere {
  readonly parsed: LoadedModule;
  readonly detect: Detect | undefined;
}

/** Loads a module in this process, and reads its exports as the engine does. */
export async function loadHere(
  loader: ModuleLoader,
  file: ModuleFile,
  timeout = 10,
): Promise<LoadedHere> {
  const { exports, error, detect } = await loader.load(file, timeout);
  const parsed: LoadedModule = error === null ? parseModule(file, exports) : { ok: false, error };
  return { parsed, detect: parsed.ok ? detect : undefined };
}
