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
  const keygen = (n, type, ...more) => ({
    argv: [...dkimctl, "--store", store, "--quiet", "keygen", "--domains-from", domains(n), "--type", type, ...more],
    before,
  });
  const genrsa = { argv: [...dkimctl, "--quiet", "genrsa", join(store, "one.pem")], before };
  const each = (n, command) => ["sh", "-c", `seq ${n} | xargs -P ${threads} -I{} ${command}`];
  const own = "dkimctl keygen";
  const commands = {
    [`libcrypto, ${threads} threads`]: {
      argv: [limits["rsa-generation"], String(count), String(threads), "2048"],
      printsSeconds: true,
    },
    [own]: keygen(count, "rsa"),
    "dkimctl keygen --fast": keygen(count, "rsa", "--fast"),
  };
  const single = { "dkimctl genrsa": genrsa };
  if (peers.has("openssl")) {
    commands["openssl genrsa"] = { argv: each(count, `openssl genrsa -out ${store}/{}.pem 2048`), before };
    single["openssl genrsa"] = { argv: ["openssl", "genrsa", "-out", join(store, "one.pem"), "2048"], before };
  }
  if (peers.has("opendkim-genkey")) {
    commands["opendkim-genkey"] = {
      argv: each(count, `opendkim-genkey -b 2048 -D ${store} -d {}.example -s s{}`),
      before,
    };
  }
  if (peers.has("rspamadm")) {
    const one = `rspamadm dkim_keygen -b 2048 -d {}.example -s s{} -k ${store}/{}.pem`;
    commands["rspamadm dkim_keygen"] = { argv: each(count, one), before };
  }
  const seconds = await interleave(commands, Math.max(1, Math.ceil(rounds / 3)));
  // How long one key takes is chance: only many rounds tell.
  const one = await interleave(single, rounds * 5);
  const sizes = [1, 100, ...(scale > 1 ? [1000, 10_000] : []), ...(scale > 4 ? [100_000] : [])];
  const small = await interleave(
    Object.fromEntries(sizes.map((n) => [n, keygen(n, "ed25519")])),
    Math.max(1, Math.floor(rounds / 3)),
  );
  const perSize = Object.fromEntries(sizes.map((n) => [n, median(small[n])]));
  const [limit] = Object.keys(commands);
  const speed = (name) => medianRatio(seconds[name], seconds[own]);
  const beside = (name, least) =>
    seconds[name] === undefined
      ? []
      : [{ what: `RSA-2048, of ${name}, ${threads} at once`, value: speed(name), least }];
  return {
    title: `Key generation (${count} RSA keys of 2048 bits)`,
    columns: ["", "keys/s"],
    rows: [
      ...Object.keys(seconds).map((name) => [name, (count / median(seconds[name])).toFixed(1)]),
      ...Object.keys(one).map((name) => [`${name}, one key`, (1 / median(one[name])).toFixed(1)]),
      ...sizes.map((n) => [`dkimctl keygen, ${n} Ed25519, durably`, (n / perSize[n]).toFixed(0)]),
    ],
    growth: { title: "keygen, Ed25519", perSize },
    targets: [
      { what: "RSA-2048, of libcrypto on all cores", value: speed(limit), least: 0.95 },
      ...beside("openssl genrsa", 1.1),
      ...beside("opendkim-genkey", 1.1),
      ...beside("rspamadm dkim_keygen", 1.1),
      { what: "--fast, of the default", value: medianRatio(seconds[own], seconds["dkimctl keygen --fast"]), least: 2 },
      ...(one["openssl genrsa"] === undefined
        ? []
        : [
            {
              what: "one key, of openssl genrsa",
              value: median(one["openssl genrsa"]) / median(one["dkimctl genrsa"]),
              least: 1,
            },
          ]),
      { what: "Ed25519: growth of the cost, exponent", value: growthExponent(perSize), most: 1.1 },
    ],
  };
}
