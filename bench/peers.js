import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";

/** What dkimctl is compared with, and how each tells its version. */
const PEERS = {
  openssl: ["version"],
  "opendkim-genkey": ["--version"],
  rspamadm: ["--version"],
};

/** The peers that are installed, with their versions; those that are not, by name. */
export function findPeers() {
  const found = new Map();
  const absent = [];
  for (const [name, options] of Object.entries(PEERS)) {
    try {
      const output = execFileSync(name, options, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      found.set(name, output.trim().split("\n")[0]);
    } catch {
      absent.push(name);
    }
  }
  return { found, absent };
}

/** The limit programs, compiled into `folder`. @throws without a C compiler or OpenSSL's headers */
export function buildLimits(folder) {
  const limits = {};
  for (const name of ["rsa-generation", "sign-verify"]) {
    limits[name] = join(folder, name);
    const source = join(import.meta.dirname, `limits/${name}.c`);
    execFileSync("cc", ["-O2", "-o", limits[name], source, "-lcrypto", "-lpthread"]);
  }
  return limits;
}

/** name-server.js with these records, on a port that is free. */
export async function startNameServer(recordsFile) {
  const script = join(import.meta.dirname, "name-server.js");
  const child = spawn(process.execPath, [script, recordsFile], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((resolve, reject) => {
    child.once("error", reject).once("exit", () => reject(new Error("the name server ended")));
    child.stdout.once("data", (text) => resolve(Number(text)));
  });
  return { address: `127.0.0.1#${port}`, stop: () => child.kill() };
}
