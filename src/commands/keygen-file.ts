import { resolve } from "node:path";
import type { CliContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import { resolveFileAccess } from "../keys/file-access.ts";
import { createKeyFile, replaceKeyFile } from "../keys/key-file.ts";
import { encodePrivateKey, encodePrivateKeyDer, type PrivateKey } from "../keys/private-key.ts";
import { DEFAULT_SELECTOR_TEMPLATE } from "../keys/selector-template.ts";
import { requireFileName, withHintIfTaken } from "./key-file-argument.ts";
import { generateKey, randomHex } from "./key-maker.ts";
import type { KeygenRun } from "./keygen.ts";
import { planKeys } from "./keygen-plan.ts";
import { createKeygenReport, describeKey } from "./keygen-report.ts";

/** How a private key leaves: PKCS#8 PEM, rspamd's DER (PKCS#1 for RSA), or the bare base64 seed. */
export type PrivateOutput = "pem" | "der" | "seed";

/** `keygen -k FILE`: one key into a file that is no part of the store, or (`-`) onto standard output before its record. */
export async function keygenToFile(run: KeygenRun & { readonly keyFile: string }, cli: CliContext): Promise<void> {
  const { options, settings, keyFile, algorithms, domains, tags, rsa, notices } = run;
  const [algorithm, ...otherAlgorithms] = algorithms;
  if (domains.length > 1 || otherAlgorithms.length > 0 || algorithm === undefined) {
    throw new UsageError("-k takes one key, and this makes several", {
      hint: "leave -k out: the store holds many keys",
    });
  }
  if (keyFile !== "-") requireFileName(keyFile);
  if (options.share) throw new UsageError("--share is for keys in the store, and -k writes elsewhere");
  if (keyFile === "-" && options.format === "json") {
    throw new UsageError("-k - prints a key before the record: that is no JSON", {
      hint: "write the key to a file: -k FILE",
    });
  }
  if (keyFile === "-" && options.privOutput === "der") {
    throw new UsageError("DER is not text: it cannot stand before a record", { hint: "write it to a file: -k FILE" });
  }
  if (options.privOutput === "seed" && algorithm === "rsa") {
    throw new UsageError("only an Ed25519 key has a seed", { hint: "add -t ed25519" });
  }
  const [job] = planKeys({
    domains,
    algorithms,
    selector: options.selector,
    template: settings.keygen.selector ?? DEFAULT_SELECTOR_TEMPLATE,
    share: false,
    now: cli.now(),
    random: randomHex,
    isTaken: () => false,
  });
  if (job === undefined) return;
  resolveFileAccess(settings.store); // what cannot be is said before the work
  const privateKey = await generateKey(algorithm, rsa);
  const { publicKey } = privateKey;
  const name = job.names[0];
  if (keyFile === "-") {
    cli.stdout.write(encodePrivateKey(privateKey, options.privOutput === "seed" ? "seed" : "pkcs8"));
  } else {
    const path = resolve(keyFile);
    const bytes = Buffer.from(encodeFor(privateKey, options.privOutput));
    const backup = options.force
      ? replaceKeyFile(path, bytes, { ...settings.store, now: cli.now() })
      : withHintIfTaken("give another FILE, or --force, which keeps the old key as a .bak file", () =>
          createKeyFile(path, bytes, settings.store),
        );
    notices.notice(
      `wrote ${keyFile} (${describeKey(publicKey)})${backup === undefined ? "" : `; the old key is kept as ${backup}`}`,
    );
  }
  const report = createKeygenReport(options.format, options.ttl ?? settings.records.ttl, cli.stdout);
  const location = keyFile === "-" ? undefined : resolve(keyFile);
  report.add({ kind: "made", name, algorithm, location, publicKey, tags });
  report.finish();
}

function encodeFor(key: PrivateKey, output: PrivateOutput): string | Uint8Array {
  if (output === "der") return encodePrivateKeyDer(key, key.type === "rsa" ? "pkcs1" : "pkcs8");
  return encodePrivateKey(key, output === "seed" ? "seed" : "pkcs8");
}
