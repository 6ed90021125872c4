import { basename, dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { resolveFileAccess } from "../keys/file-access.ts";
import { createKeyFile } from "../keys/key-file.ts";
import { type KeyName, parseKeyFileName } from "../keys/key-name.ts";
import { encodePrivateKey } from "../keys/private-key.ts";
import { commandLine } from "./command-line.ts";
import { requireFileName, withHintIfTaken } from "./key-file-argument.ts";
import { generateKey } from "./key-maker.ts";
import { describeKey } from "./keygen-report.ts";
import { createNotices } from "./notices.ts";
import { addKeyFileOptions, type GlobalOptions, type KeyFileOptions } from "./options.ts";
import { checkRsaBits, DEFAULT_RSA_BITS, parseRsaBits } from "./rsa-bits.ts";
import { loadSettings } from "./settings.ts";

interface GenrsaOptions extends GlobalOptions, KeyFileOptions {
  readonly traditional?: boolean;
  readonly allowWeak?: boolean;
  readonly fast?: boolean;
}

export function register(program: Command, cli: CliContext): void {
  const command = program
    .command("genrsa")
    .description("make one RSA private key in a file, as amavisd's genrsa does; never overwrites")
    .argument("<file>", "the file to make; <domain>.<selector>.pem in the store's folder is a key of the store")
    .argument("[nbits]", "size of the modulus, 1024 to 16384 (default: 2048)", parseRsaBits)
    .addOption(new Option("--traditional", "write PKCS#1 (BEGIN RSA PRIVATE KEY) instead of PKCS#8"))
    .option("--fast", "use random primes, in less than half the time; see the manual for what is given up")
    .addOption(new Option("--allow-weak", "allow 512 to 1023 bits, which no verifier may accept (RFC 8301)"));
  addKeyFileOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  dkimctl genrsa /var/lib/dkim/example.com.mail.pem    2048 bits, in PKCS#8
  dkimctl genrsa --traditional mail.pem 4096           PKCS#1, for older signers`,
    )
    .action((file: string, bits: number | undefined) =>
      genrsa(file, bits ?? DEFAULT_RSA_BITS, command.optsWithGlobals<GenrsaOptions>(), cli),
    );
}

async function genrsa(file: string, bits: number, options: GenrsaOptions, cli: CliContext): Promise<void> {
  const notices = createNotices(cli, options);
  requireFileName(file);
  checkRsaBits(bits, options.allowWeak === true, notices);
  const { store } = loadSettings(cli, options);
  const path = resolve(file);
  resolveFileAccess(store); // what cannot be is said before the work
  const key = await generateKey("rsa", { bits, fast: options.fast === true });
  const text = encodePrivateKey(key, options.traditional ? "pkcs1" : "pkcs8");
  withHintIfTaken("give another FILE, or move this one away", () => createKeyFile(path, Buffer.from(text), store));
  notices.notice(`wrote ${file} (${describeKey(key.publicKey)})`);
  const name = nameOf(path);
  if (name !== undefined) {
    notices.notice(`its record: ${commandLine({ ...options, store: dirname(path) }, "showkeys", name.domain)}`);
  }
}

/** The key name in the file name, when it is one. */
function nameOf(path: string): KeyName | undefined {
  try {
    return parseKeyFileName(basename(path));
  } catch {
    return undefined;
  }
}
