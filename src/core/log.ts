/** Where the engine says what it does. Problems that need somebody are `error`; the rest is for who looks. */
export interface Log {
  error(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}
