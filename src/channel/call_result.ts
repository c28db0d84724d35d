/**
 * What became of a call that failed.
 * `again`: SES surely did not take it, and may take it in a moment;
 * `not taken`: it surely did not, and would not in a moment either;
 * `unknown`: it may have taken it, so that another call may be a second mail.
 */
export type CallResult = "again" | "not taken" | "unknown";

const THROTTLING = new Set([
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "TooManyRequestsException",
  "RequestLimitExceeded",
  "LimitExceededException",
  "SlowDown",
]);

/** Reads an error of the SDK; anything else that is thrown comes from before the call. */
export function callResultOf(error: unknown): CallResult {
  if (!(error instanceof Error)) return "not taken";
  const status = statusOf(error);
  if (status === undefined) return fateWithoutAnswer(error);
  if (status >= 200 && status < 300) return "unknown";
  if (status === 429 || THROTTLING.has(error.name)) return "again";
  // A gateway that gives up says nothing about the call that it had passed on.
  if (status >= 500) return isForeign(error) ? "unknown" : "again";
  return isClockMended(error) ? "again" : "not taken";
}

/** Whether something answered in which the SDK found neither a result nor an error of SES. */
export function isForeign(error: Error): boolean {
  if (String(Reflect.get(error, "code")).startsWith("HPE_")) return true;
  return statusOf(error) !== undefined && ["Unknown", "Error", "SyntaxError"].includes(error.name);
}

/** The HTTP status that the SDK notes on its errors, also where something that is not SES answered. */
export function statusOf(error: Error): number | undefined {
  const inMetadata = part(error, "$metadata", "httpStatusCode");
  const status = inMetadata ?? part(error, "$response", "statusCode");
  return typeof status === "number" ? status : undefined;
}

function fateWithoutAnswer(error: Error): CallResult {
  // Of a name that is not found, and of a connection that is not made, Node names the system's call.
  if (["connect", "getaddrinfo"].includes(String(Reflect.get(error, "syscall")))) return "again";
  if (error.name === "TimeoutError" && /establish/i.test(error.message)) return "again";
  const broke = /^(ECONNRESET|EPIPE|ETIMEDOUT|HPE_.*)$/.test(String(Reflect.get(error, "code")));
  return broke || error.name === "TimeoutError" ? "unknown" : "not taken";
}

/** SES refuses what is signed by a clock that is wrong; the SDK then signs by the time of the answer. */
function isClockMended(error: Error): boolean {
  return part(error, "$metadata", "clockSkewCorrected") === true;
}

function part(error: Error, name: string, key: string): unknown {
  const value: unknown = Reflect.get(error, name);
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
