// How the peers are asked about the keys of a store, against the name server of the bench.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { domainName, keyFile, keyName } from "./material.js";

/** Key after key, as its users do who have several. It compares the two halves, and signs nothing. */
export function opendkimLoop(folder, port, store, count) {
  const configuration = join(folder, `opendkim-${port}.conf`);
  writeFileSync(configuration, `Nameservers 127.0.0.1@${port}\n`);
  const script = join(import.meta.dirname, "opendkim-testkey-loop.js");
  return { argv: [process.execPath, script, configuration, store, String(count)] };
}

/** All keys of its own table in one process. */
export function opendkimKeyTable(folder, port, store, count) {
  const table = join(folder, `key-table-${count}`);
  const line = (i) => `${keyName(i)} ${domainName(i)}:mail:${keyFile(store, i)}\n`;
  writeFileSync(table, Array.from({ length: count }, (_, i) => line(i)).join(""));
  const configuration = join(folder, `opendkim-table-${count}.conf`);
  writeFileSync(configuration, `KeyTable ${table}\nNameservers 127.0.0.1@${port}\n`);
  return { argv: ["opendkim-testkey", "-x", configuration] };
}

/** Signs and verifies with every key, as we do, in a process of its own. */
export function mailauthTestkeys(folder, port, store, count) {
  const script = join(import.meta.dirname, "mailauth-testkeys.js");
  return { argv: [process.execPath, script, folder, String(port), store, String(count)] };
}

/** The DNS alone, with as many questions under way as testkeys has. It tells its own time. */
export function dnsperf(folder, port, count) {
  const questions = join(folder, `questions-${count}`);
  writeFileSync(questions, Array.from({ length: count }, (_, i) => `${keyName(i)} TXT\n`).join(""));
  const command = `dnsperf -s 127.0.0.1 -p ${port} -d ${questions} -q 64 -n 1 | sed -n 's/.*Run time (s): *//p'`;
  return { argv: ["sh", "-c", command], printsSeconds: true };
}

const LOOKUPS = (bin, bundle) => `
  const { processContext } = require(${JSON.stringify(bin)}).loadBundle(${JSON.stringify(bundle)})("cli.cjs");
  const [port, count, told] = process.argv.slice(1);
  const names = Array.from({ length: Number(count) }, (_, i) => "mail._domainkey.domain" + String(i).padStart(6, "0") + ".example");
  const servers = [{ transport: "udp", host: "127.0.0.1", port: Number(port) }];
  processContext().createResolver({ servers }).then(async (resolver) => {
    const start = process.hrtime.bigint();
    let lost = 0, next = 0;
    const ask = async () => {
      while (next < names.length) {
        const { status, attempts } = await resolver.lookupTxt(names[next++]);
        if (status !== "found" || attempts.length > 1) lost++;
      }
    };
    await Promise.all(Array.from({ length: 64 }, ask));
    console.log(told === "lost" ? lost : Number(process.hrtime.bigint() - start) / 1e9);
    await resolver.close();
  });`;

/** The same by dkimctl's resolver. @param told `lost`: how many questions had to be asked again, in place of seconds */
export function ownLookups(bin, bundle, port, count, told = "seconds") {
  return {
    argv: [process.execPath, "-e", LOOKUPS(bin, bundle), String(port), String(count), told],
    printsSeconds: true,
  };
}
