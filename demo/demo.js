// The main job for real: the real command line, a temporary store, an embedded authoritative server on loopback.
// Needs no root and no network. Run it with `npm run demo`.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEmbeddedServer } from "./.compiled/dns/embedded-server.js";
import { parseZoneText } from "./.compiled/dns/zone-text.js";

const DKIMCTL = fileURLToPath(new URL("../bin/dkimctl.js", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "dkimctl-demo-"));
const store = join(folder, "keys");
const server = await startEmbeddedServer({ zones: ["example.com"] });
let succeeded = false;
try {
  await demonstrate();
  succeeded = true;
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
if (succeeded) say("The demonstration is over; its keys and its server are gone.");

async function demonstrate() {
  say("1. Two keys for example.com, one RSA and one Ed25519, and the records to publish");
  await dkimctl(["keygen", "-d", "example.com", "-s", "mail", "-t", "both"], 0);

  say("2. Before the records are published, nobody can verify what these keys sign");
  await dkimctl(["testkeys", "--server", server.address], 1);

  say("3. Publish them: a name server on this machine serves what showkeys prints");
  const records = parseZoneText(await dkimctl(["showkeys"], 0));
  for (const { name, strings } of records) server.publish(name, [{ type: "TXT", strings }]);
  await dkimctl(["testkeys", "--server", server.address], 0);

  say("4. Somebody damages a record: a piece of the key is lost on its way through a web form");
  const damaged = records.find(({ name }) => name.startsWith("mail-rsa."));
  server.publish(damaged.name, [{ type: "TXT", strings: [damaged.strings.join("").slice(0, -40)] }]);
  await dkimctl(["testkeys", "--server", server.address], 1);

  say("5. What is wrong with it, and what is the right record?");
  await dkimctl(["verify-key", "example.com", "mail-rsa", "--server", server.address], 1);
}

/** Runs one command line as a user would, shows it with its true output, and insists on its exit status. */
async function dkimctl(args, expectedStatus) {
  process.stdout.write(`$ dkimctl ${args.map((arg) => (/^[\w.#:@/-]+$/.test(arg) ? arg : `'${arg}'`)).join(" ")}\n`);
  const child = spawn(process.execPath, [DKIMCTL, ...args], {
    env: { ...process.env, DKIMCTL_STORE: store, DKIMCTL_CONFIG: "/dev/null" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
    process.stdout.write(text);
  });
  child.stderr.pipe(process.stdout, { end: false });
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  process.stdout.write(`  (exit status ${status})\n`);
  if (status !== expectedStatus) throw new Error(`expected exit status ${expectedStatus}`);
  return output;
}

function say(text) {
  process.stdout.write(`\n# ${text}\n\n`);
}
