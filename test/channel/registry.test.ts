import { expect, test } from "vitest";
import { built, runScript } from "../support/script.ts";

const FROM = "alarms@host.example";
const SETTINGS = {
  file: { type: "file", dir: "outbox" },
  smtp: { type: "smtp", from: FROM, smtp_host: "mail.host.example" },
  ses: { type: "ses", from: FROM, region: "us-east-1" },
};

test.each([
  ["none", ""],
  ["file", ""],
  ["smtp", "nodemailer\n"],
  ["ses", "nodemailer\n@aws-sdk/client-ses\n"],
])(
  "all channels are read, and the opened one loads only its own libraries: %s",
  async (opened, loaded) => {
    const tables = Object.entries(SETTINGS).map(([name, settings]) => [
      name,
      { path: ["channels", name], settings },
    ]);
    const { stdout, stderr } = await runScript(
      `import { createRequire } from "node:module";
     const { readChannels } = await import(${JSON.stringify(built("channel/registry.js"))});
     const around = { folder: "/nowhere", env: {} };
     const channels = readChannels({ tables: new Map(${JSON.stringify(tables)}), around });
     for (const { name, faults, opener } of channels.values())
       if (opener === undefined) console.log(name, faults);
     const channel = await channels.get(${JSON.stringify(opened)})?.opener.open(console.log);
     if (channel && typeof channel.deliver !== "function") console.log("not a channel");
     const loaded = Object.keys(createRequire(import.meta.url).cache);
     for (const name of ["nodemailer", "@aws-sdk/client-ses"])
       if (loaded.some((file) => file.includes("/node_modules/" + name + "/"))) console.log(name);`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: loaded, stderr: "" });
  },
);
