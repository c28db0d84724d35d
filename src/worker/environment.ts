const PASSED_ON = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/** The environment of a worker: no variable that could hold a secret. */
export function moduleEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = PASSED_ON.filter((name) => env[name] !== undefined);
  return Object.fromEntries(kept.map((name) => [name, env[name]]));
}
