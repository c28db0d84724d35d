import { isAbsolute } from "node:path";
import { object, optional } from "valibot";
import { isPath, numberFrom, stringThat } from "../config/values.ts";
import { sourceKind } from "./source_kind.ts";
import { SpoolSource } from "./spool/spool_source.ts";

/** Seconds: three of the lines that a feeder writes each minute as a sign of life. */
export const SILENT_AFTER = 180;

/** A folder of lines that feeders such as `swf-alarms listen` write. */
export const spool = sourceKind(
  object({
    path: stringThat(
      'the absolute path of a folder, such as "/var/spool/swf-alarms"',
      (path) => isPath(path) && isAbsolute(path),
    ),
    silent_after: optional(
      numberFrom(1, 86_400, "a number of seconds from 1 to 86400, such as 180"),
      SILENT_AFTER,
    ),
  }),
  ({ path, silent_after: silentAfter }) => ({
    secrets: [],
    open: ({ name }) => new SpoolSource({ name, path, silentAfter }),
  }),
);
