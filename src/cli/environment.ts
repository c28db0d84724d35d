const dropped: string[] = [];

/**
 * Takes out of the environment what would weaken every connection of the process, before anything is
 * connected; so child processes do not get it either.
 */
export function dropUnsafeVariables(): void {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== "0") return;
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  dropped.push(
    "the variable NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always checked; to trust an authority of your own, name its file in NODE_EXTRA_CA_CERTS",
  );
}

/** What was taken out, one line each, for the log. */
export function droppedVariables(): readonly string[] {
  return dropped;
}
