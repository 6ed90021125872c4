import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { growthExponent, interleave, median, medianRatio } from "./measure.js";

/** Making keys: RSA is bound by libcrypto, Ed25519 by the disk. */
export async function measure({ folder, dkimctl, rounds, scale, limits, threads, peers }) {
  const count = Math.max(threads, 32 * scale);
  const store = join(folder, "made");
  const domains = (n) => {
    const list = join(folder, `domains-${n}`);
    writeFileSync(list, Array.from({ length: n }, (_, i) => `domain${i}.example\n`).join(""));
    return list;
  };
  const before = () => {
    rmSync(store, { recursive: true, force: true });
    mkdirSync(store, { mode: 0o700 });
  };
  const keygen = (n, type) => ({
    argv: [...dkimctl, "--store", store, "--quiet", "keygen", "--domains-from", domains(n), "--type", type],
    before,
  });
  const each = (n, command) => ["sh", "-c", `seq ${n} | xargs -P ${threads} -I{} ${command}`];
  const commands = {
    [`libcrypto, ${threads} threads`]: {
      argv: [limits["rsa-generation"], String(count), String(threads), "2048"],
      printsSeconds: true,
    },
    "dkimctl keygen": keygen(count, "rsa"),
    [`openssl genrsa, ${threads} at once`]: {
      argv: each(count, `openssl genrsa -out ${store}/{}.pem 2048`),
      before,
    },
  };
  if (peers.has("opendkim-genkey")) {
    commands[`opendkim-genkey, ${threads} at once`] = {
      argv: each(count, `opendkim-genkey -b 2048 -D ${store} -d {}.example -s s{}`),
      before,
    };
  }
  const seconds = await interleave(commands, Math.max(1, Math.ceil(rounds / 3)));
  const [limit, own, openssl, opendkim] = Object.keys(commands);
  const sizes = [1, 100, ...(scale > 1 ? [1000] : [])];
  const small = await interleave(
    Object.fromEntries(sizes.map((n) => [n, keygen(n, "ed25519")])),
    Math.ceil(rounds / 3),
  );
  const perSize = Object.fromEntries(sizes.map((n) => [n, median(small[n])]));
  const speed = (name) => medianRatio(seconds[name], seconds[own]);
  return {
    title: `Key generation (${count} RSA keys of 2048 bits)`,
    columns: ["", "keys/s"],
    rows: [
      ...Object.keys(seconds).map((name) => [name, (count / median(seconds[name])).toFixed(1)]),
      ...sizes.map((n) => [`dkimctl keygen, ${n} Ed25519, durably`, (n / perSize[n]).toFixed(0)]),
    ],
    targets: [
      { what: "RSA-2048, of libcrypto on all cores", value: speed(limit), least: 0.95 },
      { what: "RSA-2048, of openssl genrsa in parallel", value: speed(openssl), least: 1.1 },
      ...(opendkim === undefined
        ? []
        : [{ what: "RSA-2048, of opendkim-genkey in parallel", value: speed(opendkim), least: 1.1 }]),
      { what: "Ed25519: growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}
