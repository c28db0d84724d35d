import { expect, test } from "vitest";
import { Patience } from "../../../src/store/postgres/patience.ts";

function away(): Error {
  return Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
}

test("a server that comes back is waited for", async () => {
  let attempts = 0;
  const patience = new Patience(600);
  const connected = await patience.connect(async () => {
    attempts += 1;
    if (attempts < 3) throw away();
    return "connected";
  });
  expect([connected, attempts]).toEqual(["connected", 3]);
});

test("patience is for the whole process: once it is used up, failures are at once", async () => {
  let attempts = 0;
  const patience = new Patience(0.25);
  const attempt = async () => {
    attempts += 1;
    throw away();
  };
  await expect(patience.connect(attempt)).rejects.toThrow("ECONNREFUSED");
  expect(attempts).toBeGreaterThan(1);
  const before = attempts;
  await expect(patience.connect(attempt)).rejects.toThrow("ECONNREFUSED");
  await expect(patience.connect(attempt)).rejects.toThrow("ECONNREFUSED");
  expect(attempts).toBe(before);
});

test("what waiting cannot mend is not waited for, and costs no patience", async () => {
  const patience = new Patience(0.1);
  let attempts = 0;
  const refused = async () => {
    attempts += 1;
    throw Object.assign(new Error("password authentication failed"), {
      code: "28P01",
      severity: "FATAL",
    });
  };
  for (let count = 0; count < 3; count++)
    await expect(patience.connect(refused)).rejects.toThrow("password");
  expect(attempts).toBe(3);
});
