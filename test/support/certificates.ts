import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

/** An authority of the test's own, in a folder that `remove` takes away. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), "swf-alarms-certificates-"));
  /** The file for $NODE_EXTRA_CA_CERTS. */
  readonly path = join(this.#folder, "ca.pem");

  constructor() {
    this.#openssl("req", "-x509", ...NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem", ...CA);
  }

  /** A certificate that this authority vouches for; `days` below 0 is one that has expired. */
  issue(altName: string, days: number): Certificate {
    const name = `subjectAltName=${altName}`;
    this.#openssl("req", ...NEW_KEY, "-keyout", "key", "-out", "csr", ...SUBJECT, "-addext", name);
    this.#openssl("x509", "-req", "-in", "csr", ...BY_CA, "-days", String(days), "-out", "cert");
    return this.#read();
  }

  /** One that nobody vouches for. */
  selfSigned(): Certificate {
    this.#openssl("req", "-x509", ...NEW_KEY, "-keyout", "key", "-out", "cert", ...SUBJECT);
    return this.#read();
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #read(): Certificate {
    const read = (name: string): string => readFileSync(join(this.#folder, name), "utf8");
    return { key: read("key"), cert: read("cert") };
  }

  #openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { cwd: this.#folder, stdio: "pipe" });
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const CA = ["-subj", "/CN=authority of a test", "-days", "2"];
const SUBJECT = ["-subj", "/CN=service of a test"];
const BY_CA = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy"];

/** Whether certificates can be made here at all. */
export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}
