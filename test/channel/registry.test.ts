import { expect, test } from "vitest";
import { openChannel } from "../../src/channel/registry.ts";
import { built, runScript } from "../support/script.ts";

const FROM = "alarms@host.example";
const NO_NOTES = () => {};

test("each provider opens its channel, and none opens none", async () => {
  const ses = { provider: "ses", from: FROM, region: "us-east-1", endpoint: undefined } as const;
  const file = { provider: "file", from: FROM, dir: "/nowhere" } as const;
  expect((await openChannel(ses, NO_NOTES))?.name).toBe("ses");
  expect((await openChannel(file, NO_NOTES))?.name).toBe("file");
  expect(await openChannel({ provider: "none" }, NO_NOTES)).toBeUndefined();
});

test.each([
  ["none", ""],
  ["file", "nodemailer\n"],
  ["ses", "nodemailer\n@aws-sdk/client-ses\n"],
])("provider %s loads only its own libraries", async (provider, loaded) => {
  const { stdout, stderr } = await runScript(
    `import { createRequire } from "node:module";
     const { openChannel } = await import(${JSON.stringify(built("channel/registry.js"))});
     await openChannel({ provider: ${JSON.stringify(provider)}, from: "a@host.example", dir: "/nowhere" });
     const loaded = Object.keys(createRequire(import.meta.url).cache);
     for (const name of ["nodemailer", "@aws-sdk/client-ses"])
       if (loaded.some((file) => file.includes("/node_modules/" + name + "/"))) console.log(name);`,
  );
  expect({ stdout, stderr }).toEqual({ stdout: loaded, stderr: "" });
});
