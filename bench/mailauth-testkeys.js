// The same by mailauth: each key of a store signs a message, and its verifier asks the name server for the record.
// Arguments: the folder of the package, the port, the store, how many keys.

import { Resolver } from "node:dns/promises";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Answers are waited for as dkimctl waits; the cryptography of mailauth holds up the one thread it has. */
const AT_ONCE = 64;

const [, , mailauth, port, store, count] = process.argv;
const require = createRequire(import.meta.url);
const { dkimSign } = require(join(mailauth, "lib/dkim/sign.js"));
const { dkimVerify } = require(join(mailauth, "lib/dkim/verify.js"));
const resolver = new Resolver();
resolver.setServers([`127.0.0.1:${port}`]);

const files = readdirSync(store).filter((file) => file.endsWith(".mail.pem"));
const domains = files.slice(0, Number(count)).map((file) => file.slice(0, -".mail.pem".length));

async function testKey(signingDomain) {
  const message = [
    ...[`From: <probe@${signingDomain}>`, `To: <probe@${signingDomain}>`, "Subject: probe"],
    ...[`Date: ${new Date().toUTCString()}`, `Message-ID: <probe@${signingDomain}>`, "", "A probe.", ""],
  ].join("\r\n");
  const privateKey = readFileSync(join(store, `${signingDomain}.mail.pem`), "utf8");
  // Without a time given it reads the clock twice, and one signature in a thousand does not verify.
  const signTime = new Date();
  const { signatures, errors } = await dkimSign(message, {
    ...{ canonicalization: "relaxed/relaxed", signTime },
    signatureData: [{ signingDomain, selector: "mail", privateKey, algorithm: "rsa-sha256" }],
  });
  if (errors.length > 0) throw errors[0].err;
  const { results } = await dkimVerify(signatures + message, {
    resolver: (name, type) => resolver.resolve(name, type),
  });
  const result = results[0]?.status.result;
  if (result !== "pass") throw new Error(`${signingDomain}: ${result} ${results[0]?.status.comment}`);
}

let next = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < domains.length) await testKey(domains[next++]);
  }),
);
