import { object, optional } from "valibot";
import { proxyFor } from "../config/proxy.ts";
import { httpUrl, stringThat } from "../config/values.ts";
import { channelType } from "./channel_type.ts";
import { MISSING_SENDER, sender } from "./sender.ts";

const region = stringThat('an AWS region such as "us-east-1"', (value) =>
  /^[a-z0-9-]+$/.test(value),
);

/** Amazon SES, by the usual AWS credentials. */
export const ses = channelType(
  object({ region: optional(region), from: sender, endpoint: optional(httpUrl) }, MISSING_SENDER),
  (settings, { around: { env }, faults }) => {
    const host = `email.${settings.region ?? env.AWS_REGION ?? "us-east-1"}.amazonaws.com`;
    const proxy = proxyFor(settings.endpoint ?? `https://${host}`, env, faults);
    return {
      target: undefined,
      open: async (note) =>
        (await import("./ses_channel.ts")).sesChannel({ ...settings, proxy }, note),
    };
  },
);
