const PASSING = [408, 423, 425, 429];
const PERMANENT = [501, 505, 506, 508, 510, 511];

export const PROXY_LOGIN = "the proxy requires a login: set it as http://user:password@host:port";

/** Whether the same request may succeed later without a correction. Most server errors pass; 501 and a few others do not. */
export function waitingHelps(status: number): boolean {
  return PASSING.includes(status) || (status >= 500 && !PERMANENT.includes(status));
}
