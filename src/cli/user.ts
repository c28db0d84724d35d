import { userInfo } from "node:os";

/** Who runs the command, as rows record it; a container may run as a user whom the system does not know. */
export function commandUser(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return `cli:uid ${process.getuid?.()}`;
  }
}
