import type { DetectLimits } from "../core/model.ts";
import type { Retention } from "../core/retention.ts";

/** The engine's settings after parsing: every default filled in, every path absolute. */
export interface Config {
  readonly engine: {
    /** Undefined until somebody sets it: alarms that need it are "not configured". */
    readonly baseUrl: string | undefined;
    /** Seconds for one HTTP request, from the first byte sent to the last received. */
    readonly requestTimeout: number;
    /** Requests under way at one source at the same time, unless it says otherwise. */
    readonly maxConnections: number;
    /** Seconds for a whole tick. */
    readonly tickTimeout: number;
    /** For one run of one alarm's `detect`, unless its row says otherwise. */
    readonly limits: DetectLimits;
    /** File that the log is appended to. */
    readonly logPath: string | undefined;
    /** Where two folders hold a module of the same name, the later one's is used. */
    readonly alarmFolders: readonly AlarmFolder[];
    /** Said on the command line: use a configuration and modules that others can write. */
    readonly allowWritable?: true;
    /** Own failures in a row that quarantine an alarm; 0 is never. */
    readonly quarantineAfter: number;
    /** Part of an alarm's active events that may clear at once; 1 is all. */
    readonly clearGuardShare: number;
    /** Seconds that a source is unreachable before the operators are mailed. */
    readonly unreachableAfter: number;
  };
  /** Further services, by the name that modules use. */
  readonly sources: { readonly [name: string]: SourceConfig };
  readonly db: DbConfig;
  readonly email: EmailConfig;
  /** Who is mailed about the engine's own trouble, as typed: addresses and `@team` names. */
  readonly operators: readonly string[];
  readonly retention: Retention;
}

export interface AlarmFolder {
  readonly path: string;
  /** Set for a folder that the configuration does not name: the site's own by default. */
  readonly mayBeMissing?: true;
}

export interface SourceConfig {
  readonly baseUrl: string;
  readonly headers: { readonly [name: string]: string };
  /** Value of the environment variable that the configuration names; never shown. */
  readonly token: string | undefined;
  readonly userAgent: string | undefined;
  /** Requests under way at the same time. */
  readonly maxConnections: number;
}

export type DbConfig =
  | { readonly kind: "embedded"; readonly path: string }
  | { readonly kind: "dsn"; readonly dsn: string }
  | { readonly kind: "env file"; readonly path: string; readonly login: DbLogin };

/** What a dotenv file gives; an absent part is left to the driver's default. */
export interface DbLogin {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: string;
}

export type EmailConfig =
  | { readonly provider: "none" }
  | {
      readonly provider: "ses";
      readonly from: string;
      readonly region: string | undefined;
      /** Another SES endpoint than the region's own: tests, private endpoints. */
      readonly endpoint: string | undefined;
    }
  | { readonly provider: "file"; readonly from: string; readonly dir: string };

/** Everything outside the text that its meaning depends on, read at the edge. */
export interface Surroundings {
  /** Folder of the configuration file, where relative paths start. */
  readonly folder: string;
  /** Folder of the shipped alarm modules, for a configuration that names no folders. */
  readonly shippedAlarms: string;
  /** The folder `alarms` beside the installed engine; undefined where it was not installed by install.sh. */
  readonly siteAlarms?: string | undefined;
  readonly env: { readonly [name: string]: string | undefined };
  /** Text of a file, or undefined where it cannot be read. */
  readonly readText: (path: string) => string | undefined;
}
