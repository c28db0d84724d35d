import type { ConnectionOptions } from "node:tls";
import type { DetectLimits } from "../core/model.ts";
import type { Retention } from "../core/retention.ts";

/** The engine's settings after parsing: every default filled in, every path absolute. */
export interface Config {
  readonly engine: {
    /** Seconds for one HTTP request, from the first byte sent to the last received, unless the source sets its own. */
    readonly requestTimeout: number;
    /** Concurrent requests to one source, unless the source sets its own limit. */
    readonly maxConnections: number;
    /** Seconds for a whole tick. */
    readonly tickTimeout: number;
    /** For one run of one alarm's `detect`, unless its row says otherwise. */
    readonly limits: DetectLimits;
    /** File that the log is appended to. */
    readonly logPath: string | undefined;
    /** If two folders have a module of the same name, the later folder's is used. */
    readonly alarmFolders: readonly AlarmFolder[];
    /** From the command line: accept files that other users can write. */
    readonly allowWritable?: true;
    /** Consecutive failures of its own after which an alarm is quarantined; 0 means never. */
    readonly quarantineAfter: number;
    /** Share of an alarm's active events that may clear at once; 1 means all. */
    readonly clearGuardShare: number;
    /** Seconds that a source is unreachable before the operators are mailed. */
    readonly unreachableAfter: number;
  };
  /** The services, by the name that modules use; without `main`, alarms that need it are "not configured". */
  readonly sources: SettingsTables;
  readonly db: DbConfig;
  readonly channels: SettingsTables;
  /** Who is notified of errors of the engine: addresses and `@team` names. */
  readonly operators: readonly string[];
  readonly retention: Retention;
}

export interface AlarmFolder {
  readonly path: string;
  /** For a default folder, which the configuration does not name. */
  readonly mayBeMissing?: true;
}

export type DbConfig =
  | { readonly kind: "embedded"; readonly path: string }
  | {
      readonly kind: "server";
      readonly login: DbLogin;
      /** Of the tables; undefined leaves it to the server's search path. */
      readonly schema: string | undefined;
      /** The dotenv file that the login comes from, unless it comes from a dsn. */
      readonly envPath: string | undefined;
      /** Whether the password is there too. */
      readonly hasPassword: boolean;
    };

/** How to connect to a server, as its driver takes it: nothing is left to the driver's own defaults. */
export interface DbLogin {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** If there is none, a function that says where it was looked for. */
  readonly password: string | (() => Promise<never>);
  readonly options: string | undefined;
  readonly connectionTimeoutMillis: number;
  /** To try in turn; false is an unencrypted connection. */
  readonly tls: readonly (ConnectionOptions | false)[];
}

/** The settings of a channel or a source as written; `registry.ts` of its folder reads them. */
export interface SettingsTable {
  /** Its place in the file. */
  readonly path: readonly string[];
  /** Of a channel with the key `type`, of a source with `kind`, unless it is `http`. */
  readonly settings: { readonly [key: string]: unknown };
}

/** The settings of the channels, or of the sources, by name. */
export interface SettingsTables {
  readonly tables: ReadonlyMap<string, SettingsTable>;
  readonly around: Surroundings;
}

/** Where settings stand, and what they may refer to. */
export interface SettingsPlace {
  /** In the file, such as `channels`, `chat`. */
  readonly path: readonly string[];
  readonly around: Surroundings;
  /** Each fault begins with the path of its key. */
  readonly faults: string[];
}

export interface Environment {
  readonly [name: string]: string | undefined;
}

/** Everything outside the text that its meaning depends on, read at the edge. */
export interface Surroundings {
  /** Folder of the configuration file, where relative paths start. */
  readonly folder: string;
  /** For a configuration that names no folders. */
  readonly alarmFolders: readonly AlarmFolder[];
  readonly env: Environment;
  /** Text of a file. Throws ConfigError where it cannot be read. */
  readonly readText: (path: string, kind?: "pem") => string;
  /** The engine's own user, if the system knows it, and the folder of local servers' sockets. */
  readonly system: {
    readonly username?: string;
    readonly homedir?: string;
    readonly sockets: string;
  };
  /** The same for a file that may be missing, and that no other user may read if it is `secret`. */
  readonly findText: (path: string, kind?: "pem" | "secret") => string | undefined;
  /** From the command line; it replaces the login of the configuration. */
  readonly dsn?: string | undefined;
  /** How other users could change what a channel runs or writes; undefined where they cannot, or may. */
  readonly writableFault?: (path: string) => string | undefined;
  /** What is wrong with the settings of a channel, each fault with its path. */
  readonly channelFaults: (table: SettingsTable, around: Surroundings) => readonly string[];
  /** The same for a source. */
  readonly sourceFaults: (table: SettingsTable, around: Surroundings) => readonly string[];
}
