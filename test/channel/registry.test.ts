import { expect, test } from "vitest";
import { openChannel } from "../../src/channel/registry.ts";
import { built, runScript } from "../support/script.ts";

const FROM = "alarms@host.example";

test("each provider opens its channel, and none opens none", async () => {
  const ses = { provider: "ses", from: FROM, region: "us-east-1", endpoint: undefined } as const;
  const file = { provider: "file", from: FROM, dir: "/nowhere" } as const;
  expect((await openChannel(ses))?.name).toBe("ses");
  expect((await openChannel(file))?.name).toBe("file");
  expect(await openChannel({ provider: "none" })).toBeUndefined();
});

/** Tells on stdout each of the two libraries that is asked for; runs in a thread of Node's own. */
const TELLTALE = `
  import { writeSync } from "node:fs";
  export async function resolve(name, context, next) {
    if (name === "nodemailer" || name === "@aws-sdk/client-ses") writeSync(1, name + "\\n");
    return await next(name, context);
  }
`;

test.each([
  ["none", ""],
  ["file", "nodemailer\n"],
  ["ses", "@aws-sdk/client-ses\n"],
])("provider %s loads only its own library", async (provider, loaded) => {
  const { stdout, stderr } = await runScript(
    `import { register } from "node:module";
     register("data:text/javascript," + encodeURIComponent(${JSON.stringify(TELLTALE)}));
     const { openChannel } = await import(${JSON.stringify(built("channel/registry.js"))});
     await openChannel({ provider: ${JSON.stringify(provider)}, from: "a@host.example", dir: "/nowhere" });`,
  );
  expect({ stdout, stderr }).toEqual({ stdout: loaded, stderr: "" });
});
