// Tells all that it can see of the engine.
export async function* detect() {
  yield {
    dedupeKey: "before",
    data: { env: process.env, argv: process.argv, execArgv: process.execArgv, cwd: process.cwd() },
  };
}
