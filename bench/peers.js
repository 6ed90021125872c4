import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What dkimctl is compared with, and how each tells its version; opendkim-testkey and dnsperf tell none. */
const PEERS = {
  amavisd: ["-V"],
  dnsperf: ["-h"],
  openssl: ["version"],
  "opendkim-genkey": ["--version"],
  "opendkim-testkey": [],
  rspamadm: ["--version"],
  "redis-server": ["--version"],
};

/** The peers that are installed and usable, with their versions; the others by name. */
export function findPeers() {
  const found = new Map();
  const absent = [];
  for (const [name, options] of Object.entries(PEERS)) {
    const { error, stdout } = spawnSync(name, options, { encoding: "utf8" });
    // It takes no configuration but root's.
    if (name === "amavisd" && process.getuid() !== 0) absent.push("amavisd (root only)");
    else if (error === undefined) found.set(name, stdout.trim().split("\n")[0] || "version not told");
    else absent.push(name);
  }
  const mailauth = findMailauth();
  if (mailauth === undefined) absent.push("mailauth");
  else found.set("mailauth", JSON.parse(readFileSync(join(mailauth, "package.json"), "utf8")).version);
  return { found, absent };
}

/**
 * The folder of mailauth (on Node 20: 4.13.3 or older), which is no dependency of ours: where `DKIMCTL_BENCH_MAILAUTH`
 * says, else where Node finds it.
 */
export function findMailauth() {
  const told = process.env.DKIMCTL_BENCH_MAILAUTH;
  if (told !== undefined) return existsSync(join(told, "lib/dkim/sign.js")) ? told : undefined;
  try {
    return dirname(createRequire(import.meta.url).resolve("mailauth/package.json"));
  } catch {
    return undefined;
  }
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

/**
 * A name server on loopback with these records: BIND where it is installed, else name-server.js. A process of its own, so
 * that it takes no time from what is measured.
 * @returns {Promise<{ name: string, address: string, port: number, stop: () => Promise<void> }>}
 */
export async function startNameServer(recordsFile, folder) {
  const named = ["/usr/sbin/named", "/usr/local/sbin/named"].find((path) => existsSync(path));
  return named === undefined ? startOwnServer(recordsFile) : startNamed(named, recordsFile, folder);
}

async function startOwnServer(recordsFile) {
  const script = join(import.meta.dirname, "name-server.js");
  const child = spawn(process.execPath, [script, recordsFile], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((resolve, reject) => {
    child.once("error", reject).once("exit", () => reject(new Error("the name server ended")));
    child.stdout.once("data", (text) => resolve(Number(text)));
  });
  return { name: "bench/name-server.js", address: `127.0.0.1#${port}`, port, stop: () => ended(child) };
}

async function startNamed(named, recordsFile, parent) {
  const folder = mkdtempSync(join(parent, "named-"));
  const records = readFileSync(recordsFile, "utf8").trimEnd().split("\n");
  const lines = records.map((line) => {
    const [name, text] = line.split("\t");
    return `${name}. TXT ${text
      .match(/.{1,255}/g)
      .map((part) => `"${part}"`)
      .join(" ")}\n`;
  });
  const head =
    "$TTL 3600\nexample. SOA ns.example. bench.example. 1 3600 600 86400 60\nexample. NS ns.example.\nns.example. A 127.0.0.1\n";
  writeFileSync(join(folder, "example.zone"), head + lines.join(""));
  const port = await freePort();
  writeFileSync(
    join(folder, "named.conf"),
    `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none; recursion no; };
controls { };
zone "example" { type primary; file "example.zone"; };
`,
  );
  const child = spawn(named, ["-g", "-c", join(folder, "named.conf")], { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise((resolve, reject) => {
    let log = "";
    child.once("error", reject).once("exit", () => reject(new Error(`named ended: ${log.slice(-500)}`)));
    child.stderr.on("data", (text) => {
      log = (log + text).slice(-4000);
      if (log.includes(" running\n")) resolve();
    });
  });
  return { name: "named", address: `127.0.0.1#${port}`, port, stop: () => ended(child) };
}

async function freePort() {
  const socket = createSocket("udp4");
  await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

async function ended(child) {
  child.removeAllListeners("exit");
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await exit;
}
