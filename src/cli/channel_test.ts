import { type Command, InvalidArgumentError } from "commander";
import { type ConfiguredChannel, readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { type TestTarget, testChannel } from "../engine/channel_test.ts";
import { startDeadline } from "../engine/deadline.ts";
import type { Database, Queryable } from "../store/database.ts";
import type { ListedNotification } from "../store/notification_list.ts";
import { NotFound, requireKnown } from "./alarms.ts";
import { channelNames, channelState } from "./channels.ts";
import { consoleLog } from "./console_log.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { findNotification, notificationFacts, shortId } from "./notifications.ts";
import { addJsonOption, type JsonOption, print } from "./output.ts";
import { parseRecipients } from "./recipients.ts";
import {
  addConfigOption,
  type ConfigOption,
  makeEngine,
  readConfig,
  withDatabase,
} from "./session.ts";

interface TestOptions extends ConfigOption, JsonOption {
  readonly to?: readonly string[];
}

export function declare(command: Command, setExit: SetExit): void {
  addConfigOption(command.argument("<name>", "name of the channel"))
    .description(
      "Sends a message that says it is a test, as a tick would send a notification, and records it. Exit code 1 unless it is delivered to all.",
    )
    .option("--to <who...>", "addresses and @teams (else [email] operators), for a mail channel");
  addJsonOption(command).action(async (name: string, options: TestOptions) => {
    const read = readConfig(options);
    const channel = usableChannel(read.config, name);
    const work = (db: Database) => sendTest(db, read.config, channel, options);
    const sent = await withDatabase(read, work, "write");
    print(options, { ...notificationFacts(sent), text: sent.text }, renderTest(sent));
    setExit(sent.state === "delivered" ? EXIT.ok : EXIT.failed);
  });
}

/** Throws NotFound, which says what to write. */
function usableChannel(config: Config, name: string): ConfiguredChannel {
  const channels = readChannels(config.channels);
  requireKnown("channel", [name], channelNames(channels));
  const { state, faults } = channelState(name, channels);
  const channel = channels.get(name);
  if (channel !== undefined && state === "ready") return channel;
  throw new NotFound(`cannot test the channel ${name}: ${state}: ${faults.join("; ")}`);
}

async function sendTest(
  db: Database,
  config: Config,
  channel: ConfiguredChannel,
  options: TestOptions,
): Promise<ListedNotification> {
  const target = await targetOf(channel, db, config, options.to);
  const log = consoleLog(options.json !== true);
  const { signal } = startDeadline(config.engine.tickTimeout);
  const id = await testChannel(channel, target, makeEngine(db, config, log), signal);
  return await findNotification(db, id);
}

async function targetOf(
  { name, opener }: ConfiguredChannel,
  db: Queryable,
  { operators }: Config,
  typed: readonly string[] | undefined,
): Promise<TestTarget> {
  if (opener?.target !== undefined) {
    if (typed === undefined) return { to: [opener.target], recipients: [opener.target] };
    throw new InvalidArgumentError(
      `the channel ${name} delivers to ${opener.target}, not to addresses; leave out --to`,
    );
  }
  if (typed === undefined && operators.length === 0)
    throw new InvalidArgumentError(
      "there are no [email] operators to send the test to; add --to with an address or a @team",
    );
  const { to, addresses } = await parseRecipients(db, typed ?? operators);
  return { to, recipients: addresses };
}

function renderTest({ id, channel, to, state, messageIds, error }: ListedNotification): string[] {
  const where = `on ${channel} to ${to.join(", ")}`;
  return [
    state === "delivered" ? `sent a test ${where}` : `the test ${where} is ${state}: ${error}`,
    ...messageIds.map((messageId) => `message id: ${messageId}`),
    `see: bin/swf-alarms notification show ${shortId(id)}`,
  ];
}
