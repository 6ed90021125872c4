import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { run, start, untilListening } from "./daemon-process.ts";
import { freePort } from "./free-port.ts";
import { sendMail } from "./send-mail.ts";
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
export function withSignatures(fields: readonly string[], raw: Uint8Array): Uint8Array {
  return Buffer.concat([...fields.map((field) => Buffer.from(`DKIM-Signature: ${field}\r\n`, "latin1")), raw]);
}

/** A signer that goes when it is told to. */
export interface RunningSigner {
  sign(messages: readonly Uint8Array[]): Promise<Uint8Array[]>;
  stop(): Promise<void>;
}

/** Has the signer sign and go. */
export async function signOnce(
  starting: Promise<RunningSigner>,
  messages: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const signer = await starting;
  try {
    return await signer.sign(messages);
  } finally {
    await signer.stop();
  }
}

export interface Rspamd extends RunningSigner {
  readonly url: string;
  readonly pid: number;
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
export function signWithRspamd(
  folder: string,
  messages: readonly Uint8Array[],
  module: string,
  top = "",
): Promise<Uint8Array[]> {
  return signOnce(startRspamd(folder, module, top), messages);
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
export function signWithExim(
  folder: string,
  messages: readonly Uint8Array[],
  transport: string,
): Promise<Uint8Array[]> {
  return signOnce(startExim(folder, transport), messages);
}

/** An Exim that takes mail by SMTP, and hands it on, signed, by SMTP. */
export interface Exim extends RunningSigner {
  /** Makes it read its configuration; until it has, it refuses connections. */
  readonly reload: readonly string[];
  /** Its configuration. */
  readonly conf: string;
}

/** @param transport lines of the smtp transport */
export async function startExim(folder: string, transport: string): Promise<Exim> {
  const sink = await startSmtpSink();
  const port = await freePort();
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
tls_advertise_hosts =
acl_smtp_rcpt = accept
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
  // What is not there yet comes to be root's, and readable for all.
  handOver(folder);
  if (isRoot) chownSync(conf, 0, 0);
  const daemon = start("exim4", ["-C", conf, "-bdf", "-oX", `127.0.0.1:${port}`]);
  const stop = async () => {
    await daemon.stop();
    await sink.stop();
  };
  try {
    await untilListening(port, daemon);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    reload: ["kill", "-HUP", String(daemon.pid)],
    conf,
    async sign(messages) {
      const signed: Buffer[] = [];
      for (const message of messages) {
        const arrives = sink.next();
        await sendMail(port, message);
        signed.push(await Promise.race([arrives, failAfter(10_000, daemon.log)]));
      }
      return signed;
    },
    stop,
  };
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
  await delay(ms, undefined, { ref: false });
  throw new Error(reason());
}
