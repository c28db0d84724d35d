import { X509Certificate } from "node:crypto";
import { attempt } from "../text/attempt.ts";
import type { SettingsPlace } from "./config.ts";
import { orFault, showPath } from "./issue.ts";
import { resolvePath } from "./path.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** The certificates of a PEM file that a setting names. Undefined after a fault. */
export function readCertificates(
  key: string,
  file: string,
  { path, around, faults }: SettingsPlace,
): string | undefined {
  const at = showPath([...path, key]);
  const pem = orFault(at, faults, () => around.readText(resolvePath(around.folder, file), "pem"));
  if (pem === undefined) return undefined;
  const absolute = resolvePath(around.folder, file);
  const certificates = pem.match(CERTIFICATE) ?? [];
  const isBroken = (text: string) =>
    attempt(() => new X509Certificate(text), undefined) === undefined;
  const broken = certificates.findIndex(isBroken) + 1;
  const fault =
    certificates.length === 0
      ? `${absolute} has no certificate; it must have one or more in PEM form, which begins with -----BEGIN CERTIFICATE-----`
      : broken > 0
        ? `the certificate ${broken} in ${absolute} cannot be read; replace it`
        : around.writableFault?.(absolute);
  if (fault === undefined) return certificates.join("\n");
  faults.push(`${at}: ${fault}`);
  return undefined;
}
