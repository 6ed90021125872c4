import { createHash } from "node:crypto";
import { shellQuote } from "../keys/file-permissions.ts";
import { type KeyName, keyFileName, keyRecordName } from "../keys/key-name.ts";
import { rspamdVaultKey } from "../keys/rspamd-raw-key.ts";
import {
  byDomain,
  PLAIN_PATH,
  requirePath,
  type SecretSignerKey,
  type SignerFile,
  type SignerForm,
  SignerFormError,
  type SignerKey,
  shellPath,
  WRITTEN_BY,
} from "./signer-form.ts";

/*
 * The forms in which rspamd's module dkim_signing is told of keys. Each main file is for /etc/rspamd/local.d, that is
 * without `dkim_signing { }` around it. `use_esld` is off, so that the key of mail.example.com signs for that domain and
 * for no other; `try_fallback` is off, so that no domain is looked for that is not written here.
 * @see https://rspamd.com/doc/modules/dkim_signing.html, lua_dkim_tools.lua of rspamd 3.4
 */

const MAIN_FILE = "dkim_signing.conf";
const COMMON = "use_esld = false;\ntry_fallback = false;\n";

const RELOAD = "systemctl reload rspamd";

const DOT_IN_MAPS =
  "its selector has a dot, so a change to or from this key changes both maps, and until rspamd has reread both, mail may be signed under a selector that is not the key's: use selectors without a dot (rotation.selector), or the form domain";

/** As a hint has it, after which comes why. */
const USE_DOMAIN_FORM = "use the form domain (for rotate: signer.form, and a file as signer.output), which";

/** What holds for every form in which rspamd reads the key's own file. */
const filesOfKeys = {
  reload: RELOAD,
  wantsSeeds: true,
  caution: ({ algorithm, encoding }: SignerKey) =>
    algorithm === "ed25519" && (encoding === "pem" || encoding === "der")
      ? "rspamd before 3.13.2 cannot load such an Ed25519 key: it wants the bare seed (keygen --priv-output seed)"
      : undefined,
};

/** `domain { }`: any number of keys a domain, all of which sign. */
export const rspamdDomainForm: SignerForm = {
  ...filesOfKeys,
  files(keys) {
    const blocks = [...byDomain(keys)].map(([domain, ofDomain]) => {
      const selectors = ofDomain.map((key) => `      { path = ${quote(key)}; selector = "${key.name.selector}"; },\n`);
      return `  "${domain}" {\n    selectors [\n${selectors.join("")}    ]\n  }\n`;
    });
    return [{ name: MAIN_FILE, text: `${WRITTEN_BY}${COMMON}domain {\n${blocks.join("")}}\n` }];
  },
};

/**
 * `selector_map` and `path_map`: one key a domain. rspamd rereads each map when it likes, without a reload: what it knows
 * of the two may be of before and after a change. So the selector alone decides; the paths stay as they are.
 */
export const rspamdMapsForm: SignerForm = {
  ...filesOfKeys,
  caution(key) {
    const cautions = [filesOfKeys.caution(key), key.name.selector.includes(".") ? DOT_IN_MAPS : undefined];
    return cautions.filter((one) => one !== undefined).join("; ") || undefined;
  },
  signsOnce: "by-domain",
  defaultFolder: "/etc/rspamd/local.d",
  mainFile: MAIN_FILE,
  files(keys, { folder }) {
    const map = (value: (key: SignerKey) => string) =>
      WRITTEN_BY + keys.map((key) => `${key.name.domain} ${value(key)}\n`).join("");
    const [selectors, paths] = ["dkim_selectors.map", "dkim_paths.map"];
    // A domain with a path and no selector yet is not signed for: the path with rspamd's default selector leads to no file.
    return [
      { name: paths, text: map(mapPath) },
      { name: selectors, text: map(({ name }) => name.selector) },
      {
        name: MAIN_FILE,
        text: `${WRITTEN_BY}${COMMON}${setting("selector_map", folder, selectors)}${setting("path_map", folder, paths)}`,
      },
    ];
  },
};

/**
 * `signing_table` and `key_table`. Before rspamd 4.1.2 the patterns of both match anywhere in what they are compared
 * with: `*@foo.co` signs for foo.com too, and `bvv` finds the key of `bvvvolley`. Names of one length cannot be part of
 * each other; domains can, and are refused.
 *
 * A domain keeps its name, whatever other domains come and go: rspamd may know one table of before a change and the other
 * of after it, and must not find another domain's key. Selector and file of a key stand in one line.
 */
export const rspamdTablesForm: SignerForm = {
  ...filesOfKeys,
  warning:
    "rspamd before 4.1.2 (see rspamd --version) does not look at where a pattern of signing_table ends, and signs mail of foreign domains that start like one of yours as well: with such a version use the form domain",
  signsOnce: "by-domain",
  defaultFolder: "/etc/rspamd/local.d",
  mainFile: MAIN_FILE,
  files(keys, { folder }) {
    const domains = keys.map(({ name }) => name.domain);
    const ends = [...domains].sort();
    for (const [index, domain] of ends.entries()) {
      const next = ends[index + 1];
      if (next?.startsWith(domain)) {
        throw new SignerFormError(
          `in signing_table the pattern of ${domain} would also match mail of ${next}: rspamd before 4.1.2 does not look at where a pattern ends`,
          { hint: `${USE_DOMAIN_FORM} compares whole domains` },
        );
      }
    }
    const signing = keys.map(({ name }) => `*@${name.domain} ${tableId(name)}\n`);
    const table = keys.map((key) => {
      const { domain, selector } = key.name;
      requireNoDotInFile(key);
      return `${tableId(key.name)} ${domain}:${selector}:${requirePath(key, /^[^\x00-\x20#:%"'\\$\x7f-\uffff]$/, "rspamd's key_table")}\n`;
    });
    return [
      { name: "dkim_key.table", text: WRITTEN_BY + table.join("") },
      { name: "dkim_signing.table", text: WRITTEN_BY + signing.join("") },
      {
        name: MAIN_FILE,
        text: `${WRITTEN_BY}${setting("key_table", folder, "dkim_key.table")}${setting("signing_table", folder, "dkim_signing.table")}`,
      },
    ];
  },
};

/**
 * Commands for a shell that put the keys into Redis, and what rspamd must be configured with. redis-cli reads each key
 * from its file (-x): no key stands in what is printed, nor in the arguments of a process.
 */
export const rspamdRedisForm: SignerForm = {
  takes: ["keyPrefix"],
  isHandedOver: true,
  caution: filesOfKeys.caution,
  files(keys, { keyPrefix = "DKIM_KEYS" }) {
    const domains = [...byDomain(keys)].map(([domain, ofDomain]) => {
      const selectors = ofDomain.map(({ name }) => `{ selector = "${name.selector}"; }`);
      return `#   "${domain}" { selectors [ ${selectors.join(", ")} ] }\n`;
    });
    const commands = keys.map((key) => {
      const { domain, selector } = key.name;
      const path = shellPath(key);
      const command = `redis-cli -x HSET ${shellQuote(keyPrefix)} '${selector}.${domain}'`;
      if (key.encoding !== "base64") return `${command} < ${path}\n`;
      // As rspamdRawKey has it. Without the test a file that is missing would become an empty key.
      return `test -r ${path}\n{ echo; cat ${path}; } | ${command}\n`;
    });
    return [
      {
        name: "dkim-redis.sh",
        text: `#!/bin/sh
${WRITTEN_BY}# rspamd reads the keys with this in /etc/rspamd/local.d/${MAIN_FILE}:
# use_redis = true;
# key_prefix = "${keyPrefix}";
# use_esld = false;
# try_fallback = false;
# domain {
${domains.join("")}# }
set -e
${commands.join("")}`,
      },
    ];
  },
};

/** The documents that Vault holds for rspamd, a file a domain. They hold the keys themselves. */
export const rspamdVaultForm: SignerForm<SecretSignerKey> = {
  takes: ["kvVersion"],
  defaultFolder: ".",
  files: (keys, { kvVersion = 1 }) =>
    [...byDomain(keys)].map(([domain, ofDomain]): SignerFile => {
      const selectors = ofDomain.map(({ name, algorithm, privateKey }) => ({
        selector: name.selector,
        domain: name.domain,
        alg: algorithm,
        key: rspamdVaultKey(privateKey),
      }));
      const document = kvVersion === 2 ? { data: { selectors } } : { selectors };
      return { name: `${domain}.json`, text: `${JSON.stringify(document, undefined, 2)}\n` };
    }),
};

/** The path as a string of UCL, in which `$NAME` would be a variable and rspamd itself expands `$domain`. */
function quote(key: SignerKey): string {
  return ucl(requirePath(key, /^[^\x00-\x1f$\x7f-\x9f]$/, "rspamd"));
}

function ucl(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * The path with `$selector` for the selector, where the file's name holds it as the DNS does: the store writes a dot in it
 * as %2E. rspamd has filled it in for as long as it has path_map: dkim_signing.lua of each release from 1.5.3 to 4.1.5 says
 * so, and 3.4 was measured. The variable's name ends where ".pem" begins.
 */
function mapPath(key: SignerKey): string {
  const path = requirePath(key, /^[^\x00-\x20#"'\\$\x7f-\uffff]$/, "a map of rspamd");
  const { domain, selector } = key.name;
  const end = `/${domain}.${selector}.pem`;
  return path.endsWith(end) ? `${path.slice(0, -end.length)}/${domain}.$selector.pem` : path;
}

/** A file of the store with a dot in its selector: wherever the store is, rspamd would look for another. @throws {SignerFormError} */
function requireNoDotInFile({ path, name }: SignerKey): void {
  if (!name.selector.includes(".") || !path.endsWith(`/${keyFileName(name)}`)) return;
  throw new SignerFormError(
    `the selector of ${keyRecordName(name)} has a dot, which stands as %2E in the name of its file, and rspamd's key_table takes "%" for the sender's domain`,
    { hint: `${USE_DOMAIN_FORM} takes "%" as it is, or selectors without a dot (rotation.selector)` },
  );
}

/** 128 bits, for with fewer a customer who may choose a domain could find one that signs as another's. */
function tableId({ domain }: KeyName): string {
  return createHash("sha256").update(domain).digest("hex").slice(0, 32);
}

function setting(name: string, folder: string, file: string): string {
  const path = `${folder === "/" ? "" : folder}/${file}`;
  if (![...path].every((char) => PLAIN_PATH.test(char) && char !== "$" && char !== ";")) {
    throw new SignerFormError(`rspamd cannot be told of a map at ${JSON.stringify(path)}`, {
      hint: "give a folder with a plain name as --output, or signer.output",
    });
  }
  return `${name} = ${ucl(path)};\n`;
}
