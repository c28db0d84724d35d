import { object, optional } from "valibot";
import { stringThat } from "../config/values.ts";
import { chatMessage, storedChatMessage } from "../message/markdown.ts";
import { excerpt } from "../text/excerpt.ts";
import type { Channel } from "./channel.ts";
import { channelType } from "./channel_type.ts";
import { deliverToHook, HOOK_SETTINGS, hookSecrets, readHook } from "./hook.ts";
import { httpError } from "./http_error.ts";
import type { HttpResponse, PostTarget } from "./http_post.ts";

/** The server splits longer messages. */
export const MAX_MATTERMOST_TEXT = 16_383;

/** An incoming webhook of Mattermost. */
export const mattermost = channelType(
  object({
    ...HOOK_SETTINGS,
    channel: optional(
      stringThat('the name of a channel such as "alarms", or of a user such as "@ann"', (value) =>
        /^[@#]?[\w.-]{1,64}$/.test(value),
      ),
    ),
    username: optional(
      stringThat('a name of at most 64 characters such as "SWF alarms"', (value) =>
        /^[^\p{Cc}]{1,64}$/u.test(value),
      ),
    ),
    mention: optional(
      stringThat('a mention such as "@here" or "@shift", or several with blanks between', (value) =>
        /^@[\w.-]+( @[\w.-]+)*$/.test(value),
      ),
    ),
  }),
  (settings, place) => {
    const target = readHook(settings, place);
    if (target === undefined) return undefined;
    return {
      target: settings.channel ?? target.url.origin,
      secrets: hookSecrets(target),
      open: async () => mattermostChannel({ ...settings, target }),
    };
  },
);

interface MattermostSettings {
  readonly target: PostTarget;
  readonly channel?: string | undefined;
  readonly username?: string | undefined;
  readonly mention?: string | undefined;
}

function mattermostChannel({ target, mention, ...more }: MattermostSettings): Channel {
  return {
    deliver: async (outgoing, signal) => {
      const { bundle } = outgoing;
      // Not for reminders and clears.
      const isNews =
        bundle !== undefined &&
        (bundle.freshCount > 0 || bundle.continuing.some(({ reason }) => reason === "unsent"));
      const head = isNews && mention !== undefined ? `${mention}\n\n` : "";
      const room = MAX_MATTERMOST_TEXT - head.length;
      const text =
        bundle === undefined ? storedChatMessage(outgoing, room) : chatMessage(bundle, room);
      const { channel, username } = more;
      const body = JSON.stringify({ text: head + text, channel, username });
      return await deliverToHook(target, outgoing, { body }, signal, (response) =>
        confirm(response, target),
      );
    },
  };
}

/** Only `ok` confirms: a login page has status 200 too. */
function confirm({ status, text }: HttpResponse, target: PostTarget) {
  const found = text.trim();
  if (found === "ok") return undefined;
  if (status === 200 && "ok".startsWith(found))
    return httpError(target, 'the connection was lost before the answer "ok"', {
      retryable: true,
      mayBeDelivered: true,
    });
  const instead = found === "" ? "" : `, but ${excerpt(found)}`;
  const reason = `status ${status} without the answer "ok" of Mattermost${instead}`;
  return httpError(target, `${reason}; check the hook URL`);
}
