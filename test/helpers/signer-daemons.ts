import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { freePort } from "./free-port.ts";
import { findBinary } from "./peers.ts";
import { startSmtpSink } from "./smtp-sink.ts";

/*
 * Other people's signers, running with a configuration that dkimctl wrote. Each takes messages and gives them back with
 * the signatures it added. As root they run as nobody, as they do in life under a user of their own.
 */

export const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const asNobody = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

/** A folder that the signers can read, with `store` in it; gone after the test. */
export function signerFolder(): { readonly folder: string; readonly store: string } {
  const folder = mkdtempSync(join(tmpdir(), "dkimctl-signer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const store = join(folder, "store");
  mkdirSync(store, { mode: 0o755 });
  return { folder, store };
}

/** Gives everything in the folder to the user that the signers run as. */
export function handOver(folder: string): void {
  if (!isRoot) return;
  for (const name of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })]) {
    chownSync(join(folder, name), NOBODY, NOBODY);
  }
}

/** The DKIM-Signature fields put before the message. */
function withSignatures(fields: readonly string[], raw: Uint8Array): Uint8Array {
  return Buffer.concat([...fields.map((field) => Buffer.from(`DKIM-Signature: ${field}\r\n`, "latin1")), raw]);
}

/** An rspamd that goes when it is told to. */
export interface Rspamd {
  readonly url: string;
  readonly pid: number;
  sign(messages: readonly Uint8Array[]): Promise<Uint8Array[]>;
  stop(): Promise<void>;
}

/** @param module the text of `dkim_signing { }` @param top statements beside it */
export async function startRspamd(folder: string, module: string, top = ""): Promise<Rspamd> {
  const port = await freePort();
  writeFileSync(join(folder, "tld.dat"), "com\norg\nnet\nexample\ntest\n");
  writeFileSync(
    join(folder, "rspamd.conf"),
    `options { filters = "dkim"; pidfile = "${folder}/pid"; url_tld = "${folder}/tld.dat";
  dns { nameserver = ["127.0.0.1:${port}"]; timeout = 1s; retransmits = 1; } }
logging { type = "file"; filename = "${folder}/log"; level = "info"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
lang_detection { languages = "/nonexistent"; }
modules { path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }
dkim { }
${top}
dkim_signing {
${module}
}
`,
  );
  handOver(folder);
  const variables = [`--var=DBDIR=${folder}`, `--var=RUNDIR=${folder}`];
  const daemon = start("rspamd", ["-f", "-c", join(folder, "rspamd.conf"), ...variables], asNobody);
  const url = `http://127.0.0.1:${port}/checkv2`;
  try {
    await untilListening(port, daemon);
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return {
    url,
    pid: daemon.pid,
    async sign(messages) {
      const signed: Uint8Array[] = [];
      for (const message of messages) {
        const response = await fetch(url, {
          method: "POST",
          headers: { IP: "127.0.0.1", Connection: "close" },
          body: Buffer.from(message),
        });
        const { "dkim-signature": fields = [] } = (await response.json()) as { "dkim-signature"?: string | string[] };
        signed.push(withSignatures([fields].flat(), message));
      }
      return signed;
    },
    stop: () => daemon.stop(),
  };
}

/** @param module the text of `dkim_signing { }` @param top statements beside it */
export async function signWithRspamd(
  folder: string,
  messages: readonly Uint8Array[],
  module: string,
  top = "",
): Promise<Uint8Array[]> {
  const rspamd = await startRspamd(folder, module, top);
  try {
    return await rspamd.sign(messages);
  } finally {
    await rspamd.stop();
  }
}

/** @param include the path of what we exported */
export async function signWithOpendkim(
  folder: string,
  messages: readonly Uint8Array[],
  include: string,
): Promise<Uint8Array[]> {
  const conf = join(folder, "opendkim.conf");
  // A temporary folder is below one in which everybody can write; RequireSafeKeys would refuse any key there.
  writeFileSync(
    conf,
    `Include ${include}\nMode s\nInternalHosts 0.0.0.0/0\nRequireSafeKeys false\nCanonicalization relaxed/simple\n`,
  );
  handOver(folder);
  return Promise.all(
    messages.map(async (message, index) => {
      const path = join(folder, `${index}.eml`);
      writeFileSync(path, message);
      const output = await run("opendkim", ["-x", conf, "-vv", "-t", path], asNobody).catch((error: Error) => {
        // So it ends for a message that nothing is to be done for.
        if (error.message.includes("mlfi_eoh() returned SMFIS_ACCEPT")) return "";
        throw error;
      });
      const fields = [...output.matchAll(/hname='DKIM-Signature' hvalue='([^']*)'/g)].map(([, value = ""]) => value);
      return withSignatures(
        fields.map((value) => value.replace(/\r?\n/g, "\r\n")),
        message,
      );
    }),
  );
}

/** The configuration of an amavisd that only signs. It must be root's: amavisd reads no other. */
export function amavisConfiguration(folder: string, exported: string, { port = 0, sink = 0 } = {}): string {
  for (const name of ["home", "tmp", "db"]) {
    mkdirSync(join(folder, name), { recursive: true });
    chownSync(join(folder, name), NOBODY, NOBODY);
  }
  const conf = join(folder, "amavisd.conf");
  writeFileSync(
    conf,
    `use strict;
$myhostname = 'mail.example.com'; $mydomain = 'example.com';
$daemon_user = 'nobody'; $daemon_group = 'nogroup';
$MYHOME = '${folder}/home'; $TEMPBASE = '${folder}/tmp'; $db_home = '${folder}/db'; $QUARANTINEDIR = undef;
$pid_file = '${folder}/home/pid'; $lock_file = '${folder}/home/lock';
$max_servers = 1; $inet_socket_port = [${port}]; $inet_socket_bind = '127.0.0.1'; $unix_socketname = undef;
$originating = 1; $enable_db = 0; $enable_zmq = 0; $do_syslog = 0; $log_level = 0;
@bypass_virus_checks_maps = (1); @bypass_spam_checks_maps = (1);
@bypass_banned_checks_maps = (1); @bypass_header_checks_maps = (1);
$enable_dkim_verification = 0;
$forward_method = 'smtp:[127.0.0.1]:${sink}'; $notify_method = $forward_method;
include_config_files('${exported}');
1;
`,
  );
  return conf;
}

/** Mail goes in by SMTP and comes out, signed, by SMTP. */
export async function signWithAmavis(
  folder: string,
  messages: readonly Uint8Array[],
  exported: string,
): Promise<Buffer[]> {
  const sink = await startSmtpSink();
  const port = await freePort();
  const conf = amavisConfiguration(folder, exported, { port, sink: sink.port });
  const daemon = start("amavisd", ["-c", conf, "foreground"]);
  try {
    await untilListening(port, daemon);
    const signed: Buffer[] = [];
    for (const message of messages) {
      await sendMail(port, message);
      signed.push(await sink.next());
    }
    return signed;
  } finally {
    await daemon.stop();
    await sink.stop();
  }
}

/** @param transport lines of the smtp transport */
export async function signWithExim(
  folder: string,
  messages: readonly Uint8Array[],
  transport: string,
): Promise<Buffer[]> {
  const sink = await startSmtpSink();
  mkdirSync(join(folder, "spool"), { recursive: true });
  const conf = join(folder, "exim.conf");
  const user = isRoot ? ["exim_user = nobody", "exim_group = nogroup"] : [];
  writeFileSync(
    conf,
    `${user.join("\n")}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log.%slog
primary_hostname = mail.example.com
keep_environment =
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1::${sink.port}
  self = send
  transport = out
begin transports
out:
  driver = smtp
${transport}
`,
  );
  handOver(folder);
  if (isRoot) chownSync(conf, 0, 0);
  try {
    const signed: Buffer[] = [];
    for (const message of messages) {
      const arrives = sink.next();
      const text = Buffer.from(message).toString("latin1").replaceAll("\r\n", "\n");
      await run("exim4", ["-C", conf, "-f", "a@example.com", "-odi", "b@example.org"], {}, text);
      signed.push(
        await Promise.race([arrives, failAfter(10_000, () => readFileSync(`${folder}/log.mainlog`, "utf8"))]),
      );
    }
    return signed;
  } finally {
    await sink.stop();
  }
}

/** @param lines of dkimpy-milter.conf that we exported; mail reaches the milter by miltertest(8) */
export function signWithDkimpyMilter(
  folder: string,
  messages: readonly Uint8Array[],
  lines: string,
): Promise<Uint8Array[]> {
  return signWithMilter(folder, messages, {
    program: "dkimpy-milter",
    lines: `UMask 007\nPidFile ${folder}/pid\nUserID nobody:nogroup\n${lines}`,
    parameters: (conf) => [conf],
  });
}

/** @param include the path of what we exported; mail reaches the milter by miltertest(8) */
export function signWithOpendkimMilter(
  folder: string,
  messages: readonly Uint8Array[],
  include: string,
): Promise<Uint8Array[]> {
  return signWithMilter(folder, messages, {
    program: "opendkim",
    lines: `Include ${include}\nRequireSafeKeys false\nBackground no\n${isRoot ? "UserID nobody:nogroup\n" : ""}`,
    parameters: (conf) => ["-f", "-x", conf],
  });
}

async function signWithMilter(
  folder: string,
  messages: readonly Uint8Array[],
  milter: { program: string; lines: string; parameters: (conf: string) => string[] },
): Promise<Uint8Array[]> {
  const port = await freePort();
  const conf = join(folder, "milter.conf");
  const socket = `inet:${port}@127.0.0.1`;
  const common = `Syslog no\nMode s\nSocket ${socket}\nInternalHosts 127.0.0.1\nCanonicalization relaxed/simple\n`;
  writeFileSync(conf, common + milter.lines);
  handOver(folder);
  const daemon = start(milter.program, milter.parameters(conf));
  try {
    await untilListening(port, daemon);
    const signed: Uint8Array[] = [];
    for (const message of messages) {
      const script = join(folder, "message.lua");
      writeFileSync(script, milterScript(socket, Buffer.from(message).toString("latin1")));
      const output = await run("miltertest", ["-s", script]);
      const fields = [...output.matchAll(/<<([\s\S]*?)>>/g)].map(([, value = ""]) => value.replace(/\r?\n/g, "\r\n"));
      signed.push(withSignatures(fields, message));
    }
    return signed;
  } finally {
    await daemon.stop();
  }
}

/** What JSON writes of these strings, Lua reads. */
function milterScript(socket: string, message: string): string {
  const [head = "", body = ""] = message.split("\r\n\r\n");
  const headers = head.split("\r\n").map((line) => {
    const colon = line.indexOf(":");
    return `mt.header(conn, ${JSON.stringify(line.slice(0, colon))}, ${JSON.stringify(line.slice(colon + 1).trim())})`;
  });
  return `conn = mt.connect(${JSON.stringify(socket)})
mt.conninfo(conn, "localhost", "127.0.0.1")
mt.macro(conn, SMFIC_MAIL, "i", "t-1")
mt.mailfrom(conn, "<a@example.com>")
${headers.join("\n")}
mt.eoh(conn)
mt.bodystring(conn, ${JSON.stringify(body)})
mt.eom(conn)
for i = 0, 3 do
  local field = mt.getheader(conn, "DKIM-Signature", i)
  if field then mt.echo("<<" .. field .. ">>") end
end
mt.disconnect(conn)
`;
}

export async function startRedis(folder: string): Promise<number> {
  const port = await freePort();
  const parameters = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const daemon = start("redis-server", parameters);
  onTestFinished(() => daemon.stop());
  await untilListening(port, daemon);
  return port;
}

async function failAfter(ms: number, reason: () => string): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
  throw new Error(reason());
}

interface Daemon {
  readonly pid: number;
  log(): string;
  hasEnded(): boolean;
  stop(): Promise<void>;
}

function start(program: string, parameters: readonly string[], user: { uid?: number; gid?: number } = {}): Daemon {
  const child = spawn(findBinary(program) ?? program, parameters, { ...user, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    pid: child.pid ?? 0,
    log: () => log,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function untilListening(port: number, daemon: Daemon): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (daemon.hasEnded()) throw new Error(`the signer ended by itself:\n${daemon.log()}`);
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the signer does not listen:\n${daemon.log()}`);
}

/** One message by SMTP; every answer must be a good one. */
function sendMail(port: number, message: Uint8Array): Promise<void> {
  const steps = [
    "EHLO mail.example.com\r\n",
    "MAIL FROM:<a@example.com>\r\n",
    "RCPT TO:<b@example.org>\r\n",
    "DATA\r\n",
    Buffer.concat([message, Buffer.from(".\r\n")]),
    "QUIT\r\n",
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
      const last = /^(\d{3}) [^\n]*\n$/m.exec(answer)?.[1];
      if (last === undefined) return;
      if (!/^[23]/.test(last)) return void socket.destroy(new Error(answer));
      answer = "";
      const step = steps.shift();
      if (step === undefined) socket.end();
      else socket.write(step);
    });
    socket.once("error", reject).once("close", () => resolve());
  });
}

/** Runs a program to its end; its standard output. */
export function run(
  program: string,
  parameters: readonly string[],
  user: { uid?: number; gid?: number } = {},
  input = "",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ...user, maxBuffer: 1 << 24 };
    const child = execFile(findBinary(program) ?? program, [...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${error.message}\n${stdout}\n${stderr}`));
    });
    child.stdin?.end(input);
  });
}
