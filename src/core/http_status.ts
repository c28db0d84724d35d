/** Whether the same request may succeed later without a correction. Most server errors pass; 501 and a few others do not. */
export function waitingHelps(status: number): boolean {
  return /^(408|423|425|429|5(?!01|05|06|08|10|11))/.test(String(status));
}
