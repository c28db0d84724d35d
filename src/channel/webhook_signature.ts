import { createHmac } from "node:crypto";

export const SECRET_WORDS =
  '"whsec_" and the base64 of 24 to 64 random bytes, such as: echo "whsec_$(openssl rand -base64 32)"';

/** The keys in a text of Standard Webhooks secrets, separated by blanks; undefined if one is wrong. */
export function parseKeys(text: string): readonly Buffer[] | undefined {
  const keys = text
    .trim()
    .split(/\s+/)
    .map((secret) => {
      const [, base64 = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
      return Buffer.from(base64, "base64");
    });
  return keys.every(({ length }) => length >= 24 && length <= 64) ? keys : undefined;
}

/** The headers of Standard Webhooks 1.0, with one signature for each key; `time` of this attempt in whole seconds. */
export function signatureHeaders(keys: readonly Buffer[], id: string, time: number, body: string) {
  const signatures = keys.map((key) => {
    const hmac = createHmac("sha256", key).update(`${id}.${time}.${body}`);
    return `v1,${hmac.digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(time),
    ...(signatures.length > 0 && { "webhook-signature": signatures.join(" ") }),
  };
}

/** As GitHub signs its webhooks. There is no time in it, so an old request can be sent again. */
export function githubSignature(secret: string, body: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}
