import type { SourceResponse } from "../../src/source/requester.ts";

const headers = { type: "application/json" };

/** A response with a JSON value. */
export function jsonResponse(value: unknown): SourceResponse {
  return textResponse(JSON.stringify(value));
}

/** A response with status 200 and this body. */
export function textResponse(text: string): SourceResponse {
  return { status: 200, body: Buffer.from(text), headers };
}

/** The service's own 404. */
export const NOT_FOUND: SourceResponse = { status: 404, body: Buffer.from("{}"), headers };
