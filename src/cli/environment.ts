const dropped: string[] = [];

/** Removes what would weaken every TLS connection, also of child processes; before any is opened. */
export function dropUnsafeVariables(): void {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== "0") return;
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  dropped.push(
    "the variable NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always checked; to trust your own authority, set NODE_EXTRA_CA_CERTS to its file",
  );
}

/** What was removed, one line each, for the log. */
export function droppedVariables(): readonly string[] {
  return dropped;
}
