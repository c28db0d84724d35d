import type { DetectLimits } from "./model.ts";

/** Of `[engine]`, and of a test, so that a module has in its test what it has in a tick. */
export const DEFAULT_LIMITS: DetectLimits = { timeout: 60, memory: 512, detections: 100_000 };

/** Seconds for one HTTP request. */
export const DEFAULT_REQUEST_TIMEOUT = 20;
