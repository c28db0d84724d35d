/** The engine's log. `error` needs action; the rest is for diagnosis. */
export interface Log {
  error(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

export const SILENT: Log = { error: () => {}, info: () => {}, debug: () => {} };
