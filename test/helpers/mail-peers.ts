import { execFile, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "./peers.ts";

/**
 * Other people's signers and verifiers, each fed with messages and a table of keys in place of DNS. Verifiers answer
 * with one word per message: `pass`, or whatever they say instead.
 */

/** Query name to TXT record. */
export type PublishedKeys = Readonly<Record<string, string>>;

export interface PeerSigning {
  readonly raw: Uint8Array;
  /** PEM, PKCS#8. */
  readonly privateKeyPem: string;
  /** The bare seed in base64, as dkimpy reads Ed25519 keys. */
  readonly seedBase64: string;
  readonly algorithm: "rsa-sha256" | "ed25519-sha256";
  readonly canonicalization: string;
  readonly domain: string;
  readonly selector: string;
}

/** Runs a program to its end; its standard output. */
function run(program: string, parameters: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...parameters], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${error.message}\n${stderr}`));
    });
    // A program that reads no input may be gone before it is written.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-peer-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString("base64");

/** The interpreter that Debian's dkimpy belongs to, which need not be the first python3 of the PATH. */
function dkimpyInterpreter(): string {
  const script = findBinary("dkimverify");
  return (script && /^#!\s*(\S+)/.exec(readFileSync(script, "utf8"))?.[1]) ?? "python3";
}

export async function verifyWithDkimpy(messages: readonly Uint8Array[], keys: PublishedKeys): Promise<string[]> {
  const program = `
import base64, dkim, json, sys
given = json.load(sys.stdin)
def dnsfunc(name, timeout=5):
    return given["keys"].get(name.decode().rstrip("."), "").encode() or None
def verdict(message):
    try:
        return "pass" if dkim.DKIM(base64.b64decode(message)).verify(dnsfunc=dnsfunc) else "fail"
    except dkim.DKIMException as error:
        return str(error)
print(json.dumps([verdict(message) for message in given["messages"]]))`;
  const input = JSON.stringify({ keys, messages: messages.map(base64) });
  return JSON.parse(await run(dkimpyInterpreter(), ["-c", program], input)) as string[];
}

/** The DKIM-Signature fields, with line end. */
export async function signWithDkimpy(jobs: readonly PeerSigning[]): Promise<string[]> {
  const program = `
import base64, dkim, json, sys
def sign(job):
    key = job["seedBase64"] if job["algorithm"].startswith("ed25519") else job["privateKeyPem"]
    c = [part.encode() for part in job["canonicalization"].split("/")]
    return dkim.sign(base64.b64decode(job["raw"]), job["selector"].encode(), job["domain"].encode(), key.encode(),
        canonicalize=tuple(c), signature_algorithm=job["algorithm"].encode()).decode()
print(json.dumps([sign(job) for job in json.load(sys.stdin)]))`;
  const input = JSON.stringify(jobs.map((job) => ({ ...job, raw: base64(job.raw) })));
  return JSON.parse(await run(dkimpyInterpreter(), ["-c", program], input)) as string[];
}

export async function verifyWithMailDkim(messages: readonly Uint8Array[], keys: PublishedKeys): Promise<string[]> {
  const program = `
use strict; use warnings; use Encode; use JSON::PP; use MIME::Base64; use Mail::DKIM::Verifier; use Net::DNS;
my $given = decode_json(do { local $/; <STDIN> });
{ no warnings "redefine"; *Mail::DKIM::DNS::query = sub {
  my $text = $given->{keys}{$_[0]}; $@ = "NXDOMAIN"; return unless defined $text;
  my @strings = encode_utf8($text) =~ /(.{1,255})/gs;
  # Net::DNS takes master-file spelling.
  s/([^A-Za-z0-9 ])/sprintf("\\\\%03d", ord $1)/ge for @strings;
  return Net::DNS::RR->new(owner => $_[0], type => "TXT", txtdata => [@strings]);
}; }
print encode_json([map {
  my $verifier = Mail::DKIM::Verifier->new; $verifier->PRINT(decode_base64($_)); $verifier->CLOSE; $verifier->result_detail;
} @{$given->{messages}}]);`;
  const input = JSON.stringify({ keys, messages: messages.map(base64) });
  return JSON.parse(await run("perl", ["-e", program], input)) as string[];
}

export async function signWithMailDkim(jobs: readonly PeerSigning[]): Promise<string[]> {
  const program = `
use strict; use warnings; use JSON::PP; use MIME::Base64; use Mail::DKIM::Signer; use Mail::DKIM::PrivateKey;
print encode_json([map {
  (my $key = $_->{privateKeyPem}) =~ s/-----.*?-----|\\s//g;
  my $signer = Mail::DKIM::Signer->new(Algorithm => $_->{algorithm}, Method => $_->{canonicalization},
    Domain => $_->{domain}, Selector => $_->{selector}, Key => Mail::DKIM::PrivateKey->load(Data => $key));
  $signer->PRINT(decode_base64($_->{raw})); $signer->CLOSE; $signer->signature->as_string . "\\r\\n";
} @{decode_json(do { local $/; <STDIN> })}]);`;
  return JSON.parse(
    await run("perl", ["-e", program], JSON.stringify(jobs.map((job) => ({ ...job, raw: base64(job.raw) })))),
  ) as string[];
}

const opendkim = () => findBinary("opendkim") ?? "opendkim";

export function verifyWithOpendkim(messages: readonly Uint8Array[], keys: PublishedKeys): Promise<string[]> {
  return inTemporaryFolder(async (folder) => {
    const path = (name: string) => join(folder, name);
    const keyLines = Object.entries(keys).map(([name, record]) => `${name} ${record}\n`);
    writeFileSync(path("keys"), keyLines.join(""));
    writeFileSync(path("conf"), `Mode v\nTestPublicKeys ${path("keys")}\nInternalHosts /dev/null\n`);
    const verdicts = messages.map(async (message, index) => {
      writeFileSync(path(`${index}.eml`), message);
      const output = await run(opendkim(), ["-x", path("conf"), "-vv", "-t", path(`${index}.eml`)]);
      const results = [...output.matchAll(/\bdkim=(\w+)/g)].map(([, word]) => word);
      return results.length > 0 && results.every((word) => word === "pass") ? "pass" : output;
    });
    return Promise.all(verdicts);
  });
}

export function signWithOpendkim(jobs: readonly PeerSigning[]): Promise<string[]> {
  return inTemporaryFolder(async (folder) => {
    const path = (name: string) => join(folder, name);
    const fields = jobs.map(async ({ raw, privateKeyPem, algorithm, canonicalization, domain, selector }, index) => {
      writeFileSync(path(`${index}.pem`), privateKeyPem, { mode: 0o600 });
      writeFileSync(path(`${index}.eml`), raw);
      const settings = {
        ...{ Mode: "s", Domain: domain, Selector: selector, KeyFile: path(`${index}.pem`) },
        ...{ Canonicalization: canonicalization, SignatureAlgorithm: algorithm },
        ...{ InternalHosts: "0.0.0.0/0", RequireSafeKeys: "false" },
      };
      const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
      writeFileSync(path(`${index}.conf`), lines.join(""));
      const output = await run(opendkim(), ["-x", path(`${index}.conf`), "-vv", "-t", path(`${index}.eml`)]);
      const value = /hname='DKIM-Signature' hvalue='([^']*)'/.exec(output)?.[1];
      if (value === undefined) throw new Error(`opendkim did not sign: ${output}`);
      return `DKIM-Signature: ${value.replace(/\r?\n/g, "\r\n")}\r\n`;
    });
    return Promise.all(fields);
  });
}

/** Scans with a server of our own: rspamd has no verifying command, and takes keys from its configuration. */
export function verifyWithRspamd(messages: readonly Uint8Array[], keys: PublishedKeys): Promise<string[]> {
  return inTemporaryFolder(async (folder) => {
    const port = await freePort();
    const records = Object.entries(keys).map(
      ([name, record]) => `{ name = "${name}"; type = "txt"; replies = [${JSON.stringify(record)}]; }`,
    );
    writeFileSync(join(folder, "tld.dat"), "com\nexample\n");
    writeFileSync(
      join(folder, "rspamd.conf"),
      `options { filters = "dkim"; pidfile = "${folder}/pid"; url_tld = "${folder}/tld.dat";
  dns { nameserver = ["127.0.0.1:${port}"]; timeout = 1s; retransmits = 1; fake_records = [ ${records.join(", ")} ]; } }
logging { type = "file"; filename = "${folder}/log"; level = "info"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
lang_detection { languages = "/nonexistent"; }
dkim { dkim_cache_size = 0; check_local = true; check_authed = true; }
`,
    );
    // rspamd refuses to run as root.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    if (user.uid !== undefined) {
      chmodSync(folder, 0o700);
      for (const file of [folder, join(folder, "tld.dat"), join(folder, "rspamd.conf")])
        chownSync(file, user.uid, user.gid);
    }
    const variables = [`--var=DBDIR=${folder}`, `--var=RUNDIR=${folder}`];
    const server = spawn(findBinary("rspamd") ?? "rspamd", ["-f", "-c", join(folder, "rspamd.conf"), ...variables], {
      ...user,
      stdio: "ignore",
    });
    const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
    try {
      await untilAnswering(`http://127.0.0.1:${port}/ping`, () => server.exitCode !== null);
      const verdicts: string[] = [];
      for (const message of messages) {
        const response = await fetch(`http://127.0.0.1:${port}/checkv2`, {
          method: "POST",
          body: Buffer.from(message),
        });
        const { symbols } = (await response.json()) as { symbols: Record<string, unknown> };
        const isPass = "R_DKIM_ALLOW" in symbols && !("R_DKIM_REJECT" in symbols) && !("R_DKIM_PERMFAIL" in symbols);
        verdicts.push(isPass ? "pass" : JSON.stringify(symbols));
      }
      return verdicts;
    } finally {
      server.kill("SIGTERM");
      await ended;
    }
  });
}

async function untilAnswering(url: string, hasEnded: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (hasEnded()) throw new Error("rspamd ended by itself");
    const isUp = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("rspamd does not answer");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
