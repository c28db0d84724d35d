import type { ChannelVerdict } from "./channel_verdict.ts";
import { heldFacts } from "./event_facts.ts";
import { jsonTime } from "./output.ts";

/** What would be sent on a channel, in JSON. */
export function channelFacts(verdict: ChannelVerdict) {
  const { channel, notifiedAt, notifies, reason, until, to, nextReminder } = verdict;
  return {
    channel,
    notified_at: jsonTime(notifiedAt),
    notifies,
    ...heldFacts({ reason, until }),
    to,
    next_reminder: jsonTime(nextReminder),
  };
}
