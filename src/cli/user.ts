import { userInfo } from "node:os";
import { attempt } from "../text/attempt.ts";

/** Who runs the command, as rows record it; a container may run as a user whom the system does not know. */
export function commandUser(): string {
  return `cli:${attempt(() => userInfo().username, `uid ${process.getuid?.()}`)}`;
}
