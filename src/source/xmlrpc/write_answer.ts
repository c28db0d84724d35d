import type { JsonValue } from "../../text/json.ts";
import { DECLARATION, writeParam, writeValue } from "./write_call.ts";

/** The body of a response with this value. */
export function writeAnswer(value: JsonValue): string {
  return `${DECLARATION}<methodResponse><params>${writeParam(value)}</params></methodResponse>`;
}

/** The body of a response with a fault. */
export function writeFault(faultCode: number, faultString: string): string {
  return `${DECLARATION}<methodResponse><fault>${writeValue({ faultCode, faultString })}</fault></methodResponse>`;
}
