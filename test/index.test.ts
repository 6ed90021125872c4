import { expect, test } from "vitest";
import * as face from "../src/index.ts";

test("the public face is this and nothing else", () => {
  expect(Object.keys(face).sort()).toEqual([
    "DirectoryKeyStore",
    "DkimctlError",
    "KeyExistsError",
    "KeyFileError",
    "KeyNotFoundError",
    "KeyRecordSyntaxError",
    "KeyStoreError",
    "MessageLimitError",
    "NameSyntaxError",
    "PrivateKeyError",
    "SigningError",
    "StoreLockedError",
    "checkRecord",
    "checkRecordName",
    "checkRrset",
    "checkZone",
    "correctRecord",
    "formatKeyRecord",
    "keyRecordFor",
    "keyRecordName",
    "parseDomainName",
    "parseKeyName",
    "parseKeyRecord",
    "parsePrivateKey",
    "parseSelector",
    "recogniseRecordInput",
    "signMessage",
    "summarizeResults",
    "verifyMessage",
  ]);
});

const SIGNED = [
  "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;",
  " x=1000000000; c=relaxed/relaxed; b=AAAA",
  "From: a@example.com",
  "",
  "",
].join("\r\n");

test("a signature that has expired is refused without anybody giving the time", async () => {
  const { signatures } = await face.verifyMessage(Buffer.from(SIGNED), { lookup: async () => ({ status: "no-name" }) });
  expect(signatures[0]).toMatchObject({ result: "permerror", reason: expect.stringContaining("expired") });
});

test("the time that is given counts", async () => {
  const { signatures } = await face.verifyMessage(
    Buffer.from(SIGNED),
    { lookup: async () => ({ status: "no-name" }) },
    { now: new Date(999_999_999_000) },
  );
  expect(signatures[0]?.reason).not.toContain("expired");
});
