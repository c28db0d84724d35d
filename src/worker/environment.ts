const PASSED_ON = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/** All that a module's process gets of the engine's environment: no secret can be in it. */
export function moduleEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = PASSED_ON.filter((name) => env[name] !== undefined);
  return Object.fromEntries(kept.map((name) => [name, env[name]]));
}
