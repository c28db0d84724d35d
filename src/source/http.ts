import { httpKind } from "./http/http_kind.ts";

/** A REST service. */
export const http = httpKind("http");
