import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";

export const TITLE = "__TITLE__";

export const DESCRIPTION = "A path of __SOURCE__ cannot be read.";

export const SOURCES = ["__SOURCE__"];

export const PARAMS = {
  path: { type: "string", default: "/", description: "request this path" },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const dedupeKey = `path:${params.path}`;
  // This alarm reports the failure itself. Because of the scope, the outcome stays complete.
  const answer = await client
    .source("__SOURCE__")
    .request(params.path, { as: "text", scope: dedupeKey });
  if (answer.ok) return;
  yield {
    dedupeKey,
    subject: `${params.path} of __SOURCE__ cannot be read`,
    body: answer.reason,
    data: { kind: answer.kind, status: answer.status ?? null },
  };
}
