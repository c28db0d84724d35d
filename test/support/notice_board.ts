import { appendFileSync } from "node:fs";
import { object, optional } from "valibot";
import { channelType } from "../../src/channel/channel_type.ts";
import { resolvePath } from "../../src/config/path.ts";
import { pathLike } from "../../src/config/values.ts";
import { delivered } from "../../src/core/delivery.ts";

/** A kind of channel that the engine does not have: one line in a file for each notification. */
export const noticeBoard = channelType(
  object({ board: optional(pathLike("board.txt"), "board.txt") }),
  ({ board }, { around }) => {
    const path = resolvePath(around.folder, board);
    const open = async () => ({
      deliver: async ({
        recipients,
        subject,
      }: {
        recipients: readonly string[];
        subject: string;
      }) => {
        appendFileSync(path, `${subject}\n`);
        return delivered(recipients);
      },
    });
    return { target: board, open };
  },
);
