import { expect, test } from "vitest";
import * as face from "../src/index.ts";
import { temporaryFolder } from "./helpers/store.ts";

test("the public face is this and nothing else", () => {
  expect(Object.keys(face).sort()).toEqual([
    "DirectoryKeyStore",
    "DkimctlError",
    "KeyExistsError",
    "KeyFileError",
    "KeyGenerationError",
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
    "encodePrivateKey",
    "formatKeyRecord",
    "generateEd25519Key",
    "generateRsaKey",
    "keyRecordFor",
    "keyRecordName",
    "parseDomainName",
    "parseKeyName",
    "parseKeyRecord",
    "parsePrivateKey",
    "parseSelector",
    "publicKeyFingerprint",
    "recogniseRecordInput",
    "signMessage",
    "summarizeResults",
    "verifyMessage",
  ]);
});

test("a key is made, stored and signs, by what the face has", async () => {
  const store = new face.DirectoryKeyStore({ path: temporaryFolder() });
  const name = face.parseKeyName("example.com", "mail");
  const privateKey = await face.generateEd25519Key();
  await store.create(name, { privateKey, tags: {} });
  const stored = await store.read(name);
  const record = face.formatKeyRecord(face.keyRecordFor(stored.privateKey.publicKey));
  const signed = await face.signMessage(Buffer.from("From: a@example.com\r\n\r\nx\r\n"), {
    ...name,
    privateKey: stored.privateKey,
  });
  const { signatures } = await face.verifyMessage(signed.message, {
    lookup: async () => ({ status: "found", records: [record] }),
  });
  expect(signatures[0]).toMatchObject({ result: "pass" });
  expect(face.publicKeyFingerprint(privateKey.publicKey)).toBe(face.publicKeyFingerprint(stored.privateKey.publicKey));
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
