import { createPrivateKey } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { generateFastRsaKey } from "../../src/keys/fast-rsa-key.ts";
import { parseKeyName } from "../../src/keys/key-name.ts";
import { toPrivateKeyObject } from "../../src/keys/private-key.ts";
import { buildProbeMessage, probeSignOptions } from "../../src/signing/probe-message.ts";
import { signMessage } from "../../src/signing/sign.ts";
import { verifyMessage } from "../../src/signing/verify.ts";
import {
  type PeerSigning,
  type PublishedKeys,
  signWithDkimpy,
  signWithMailDkim,
  signWithOpendkim,
  verifyWithDkimpy,
  verifyWithMailDkim,
  verifyWithOpendkim,
  verifyWithRspamd,
} from "../helpers/mail-peers.ts";
import { requirePeer } from "../helpers/peers.ts";
import { makeEd25519Key, makeRsaKey, recordOf, zone } from "../helpers/signing-keys.ts";

const now = new Date();
const domain = "example.com";
const rsa = makeRsaKey(2048);
const fast = await generateFastRsaKey(2048);
const ed25519 = makeEd25519Key();
const keys = { rsa, fast, ed25519 } as const;
const published: PublishedKeys = {
  "rsa._domainkey.example.com": recordOf(rsa),
  "fast._domainkey.example.com": recordOf(fast),
  "ed25519._domainkey.example.com": recordOf(ed25519),
};
const canonicalizations = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"] as const;

/** Folds, repeated fields, white space at line ends and inside, 8-bit text. No blank line at the end, about which verifiers
 * disagree, and one space after each colon: opendkim sees no more of it than a milter does, and loses a second. */
const awkward = Buffer.from(
  [
    "Received: from a by b;",
    "\tFri, 20 Nov 2026 10:00:00 +0000",
    "From: J\xc3\xb6 <jo@example.com>",
    "To: one@example.org,",
    "    two@example.org \t",
    "Subject: spaces   and\ttabs  ",
    "Comments: first",
    "Comments: second",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    "",
    "  Gr\xc3\xbc\xc3\x9fe  \t und mehr \t",
    "\t",
    "-- ",
    "end",
    "",
  ].join("\r\n"),
  "latin1",
);

interface Sample {
  readonly title: string;
  readonly type: "rsa" | "fast" | "ed25519";
  readonly message: Uint8Array;
}

async function makeSamples(): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const type of ["rsa", "fast", "ed25519"] as const) {
    for (const canonicalization of canonicalizations) {
      const name = parseKeyName(domain, type);
      const options = { privateKey: keys[type], canonicalization };
      const probe = await signMessage(buildProbeMessage(name, now), { ...probeSignOptions(name, now), ...options });
      const other = await signMessage(awkward, {
        ...{ domain, selector: type, identity: "Jö=@mail.example.com", signedAt: now, ...options },
        expiresAt: new Date(now.getTime() + 3_600_000),
      });
      samples.push({ title: `probe, ${type}, ${canonicalization}`, type, message: probe.message });
      samples.push({ title: `awkward, ${type}, ${canonicalization}`, type, message: other.message });
    }
  }
  return samples;
}

let samples: Sample[] = [];
beforeAll(async () => {
  samples = await makeSamples();
});

describe("what we sign, others verify", () => {
  type Verifier = (messages: readonly Uint8Array[], keys: PublishedKeys) => Promise<string[]>;
  const verifiers: [string, string[], Verifier, readonly Sample["type"][]][] = [
    // Debian 12's Mail::DKIM knows no Ed25519.
    ["Mail::DKIM", ["dkimproxy-verify"], verifyWithMailDkim, ["rsa", "fast"]],
    ["dkimpy", ["dkimverify"], verifyWithDkimpy, ["rsa", "fast", "ed25519"]],
    ["opendkim", ["opendkim"], verifyWithOpendkim, ["rsa", "fast", "ed25519"]],
    ["rspamd", ["rspamd"], verifyWithRspamd, ["rsa", "fast", "ed25519"]],
  ];
  for (const [peer, binaries, verify, types] of verifiers) {
    const { skip, reason } = requirePeer(...binaries);
    test.skipIf(skip)(`${peer} ${reason}`, async () => {
      const ours = samples.filter(({ type }) => types.includes(type));
      const verdicts = await verify(
        ours.map(({ message }) => message),
        published,
      );
      expect(ours.map(({ title }, i) => `${title}: ${verdicts[i]}`)).toEqual(ours.map(({ title }) => `${title}: pass`));
    });
    test.skipIf(skip)(`${peer} sees a changed body ${reason}`, async () => {
      const [first] = samples;
      const changed = Buffer.from(
        Buffer.from(first?.message ?? [])
          .toString("latin1")
          .replace("proves", "proved"),
        "latin1",
      );
      expect(await verify([changed], published)).not.toEqual(["pass"]);
    });
  }
});

describe("what others sign, we verify", () => {
  const signers: [
    string,
    string[],
    (jobs: readonly PeerSigning[]) => Promise<string[]>,
    readonly ("rsa" | "ed25519")[],
  ][] = [
    ["Mail::DKIM", ["dkimproxy-sign"], signWithMailDkim, ["rsa"]],
    ["dkimpy", ["dkimsign"], signWithDkimpy, ["rsa", "ed25519"]],
    ["opendkim", ["opendkim"], signWithOpendkim, ["rsa", "ed25519"]],
  ];
  for (const [peer, binaries, sign, types] of signers) {
    const { skip, reason } = requirePeer(...binaries);
    test.skipIf(skip)(`${peer} ${reason}`, async () => {
      const jobs = types.flatMap((type) =>
        canonicalizations.map((canonicalization): PeerSigning => {
          const privateKeyPem = toPrivateKeyObject(keys[type]).export({ type: "pkcs8", format: "pem" }).toString();
          const { d: seed = "" } = createPrivateKey(privateKeyPem).export({ format: "jwk" });
          const seedBase64 = Buffer.from(seed, "base64url").toString("base64");
          const algorithm = `${type}-sha256` as const;
          return { raw: awkward, privateKeyPem, seedBase64, algorithm, canonicalization, domain, selector: type };
        }),
      );
      const table = Object.fromEntries(Object.entries(published).map(([name, record]) => [name, [record]]));
      const fields = await sign(jobs);
      const verdicts = fields.map(async (field, index) => {
        const message = Buffer.concat([Buffer.from(field, "latin1"), awkward]);
        const { signatures } = await verifyMessage(message, zone(table), { now: new Date() });
        const words = signatures.map(({ result, reason }) => reason ?? result).join();
        return `${jobs[index]?.algorithm} ${jobs[index]?.canonicalization} ${words}`;
      });
      expect(await Promise.all(verdicts)).toEqual(
        jobs.map(({ algorithm, canonicalization }) => `${algorithm} ${canonicalization} pass`),
      );
    });
  }
});
