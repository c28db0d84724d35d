/** Characters that one run of a module may log, and as many that it may print. */
const MAX_LOGGED = 64 * 2 ** 10;

/** A log that stops before it fills the disk. */
export function boundedLog(log: (message: string) => void): (message: string) => void {
  let logged = 0;
  return (message) => {
    if (logged > MAX_LOGGED) return;
    logged += message.length + 1;
    log(logged > MAX_LOGGED ? "… and more, not shown" : message);
  };
}
