import { keyRecordName } from "../keys/key-name.ts";
import {
  byDomain,
  PLAIN_PATH,
  requirePath,
  type SignerFile,
  type SignerForm,
  SignerFormError,
  type SignerFormOptions,
  type SignerKey,
  WRITTEN_BY,
} from "./signer-form.ts";

/*
 * KeyTable and SigningTable, of OpenDKIM and of dkimpy-milter, which has a table of its own for Ed25519 keys.
 * A key is named by its record, so that each name is there once.
 * @see opendkim.conf(5) KeyTable, SigningTable, RequireSafeKeys; opendkim(8) DATA SETS; dkimpy-milter.conf(5)
 */

const MAIN_FILE = "dkimctl.conf";

/** In a table `:` divides fields and `%` is the sender's domain. */
const TABLE_PATH = /^[!-$&-9;-~]$/;

/**
 * OpenDKIM 2.11 signs with one algorithm, a setting for all keys, and defers each mail for which it finds a key of the
 * other type, or an Ed25519 key that is a bare seed. So Ed25519 keys are told of only where there is no RSA key.
 */
export const opendkimForm: SignerForm = {
  cannotUse({ algorithm, encoding }, all) {
    if (algorithm === "rsa") return undefined;
    if (encoding !== "pem") return "OpenDKIM reads Ed25519 keys in PEM only";
    return all.some((key) => key.algorithm === "rsa")
      ? "OpenDKIM signs with keys of one type, and would defer mail for which it finds another"
      : undefined;
  },
  takes: ["catchAll"],
  reload: "systemctl reload opendkim",
  defaultFolder: "/etc/opendkim",
  mainFile: MAIN_FILE,
  files(keys, options) {
    const { folder } = options;
    const several = [...byDomain(keys)].find(([, { length }]) => length > 1)?.[0];
    if (several !== undefined && options.catchAll !== undefined) {
      throw new SignerFormError(
        `OpenDKIM would sign all mail with the key of ${options.catchAll} as well: ${several} has several keys, and then all patterns that match count`,
        { hint: "export one key a domain (--selector), or leave --catch-all out" },
      );
    }
    return [
      { name: "KeyTable", text: keyTable(keys, "OpenDKIM") },
      { name: "SigningTable", text: signingTable(keys, options) },
      {
        name: MAIN_FILE,
        text: `${WRITTEN_BY}# In /etc/opendkim.conf: Include ${tablePath(folder, "dkimctl.conf")}
# and neither Domain, Selector nor KeyFile.
# RequireSafeKeys (on by default) refuses a key file that others can read or write than its owner and a group that
# opendkim is in, and one in a folder that they can write to: 0600, or 0640 with the group opendkim.
KeyTable ${tablePath(folder, "KeyTable")}
SigningTable refile:${tablePath(folder, "SigningTable")}
${several !== undefined ? "MultipleSignatures yes\n" : ""}${keys.some(({ algorithm }) => algorithm === "ed25519") ? "SignatureAlgorithm ed25519-sha256\n" : ""}`,
      },
    ];
  },
};

export const dkimpyMilterForm: SignerForm = {
  defaultFolder: "/etc/dkimpy-milter",
  mainFile: MAIN_FILE,
  namedByHand: { files: ["KeyTable", "KeyTableEd25519"], configuration: "dkimpy-milter.conf" },
  signsOnce: "by-type",
  wantsSeeds: true,
  reload: "systemctl restart dkimpy-milter",
  cannotUse: ({ algorithm, encoding }) =>
    algorithm === "ed25519" && encoding !== "base64"
      ? "dkimpy-milter wants an Ed25519 key as a bare seed (keygen --priv-output seed)"
      : undefined,
  files(keys, options) {
    const { folder } = options;
    const files: SignerFile[] = [];
    const settings: string[] = [];
    for (const [type, name] of [
      ["rsa", "KeyTable"],
      ["ed25519", "KeyTableEd25519"],
    ] as const) {
      const ofType = keys.filter(({ algorithm }) => algorithm === type);
      if (ofType.length === 0) continue;
      // Both tables are asked for the one name that the SigningTable has for a sender.
      files.push({ name, text: keyTable(ofType, "dkimpy-milter", ({ name: { domain } }) => domain) });
      settings.push(`${name} ${tablePath(folder, name)}\n`);
      const without = [...byDomain(keys).keys()].find((domain) => !ofType.some((key) => key.name.domain === domain));
      if (without !== undefined) {
        throw new SignerFormError(
          `${without} has no ${type} key and other domains have: dkimpy-milter fails at a name that one of its tables lacks`,
          { hint: `make one: dkimctl keygen -d ${without} -t ${type}` },
        );
      }
    }
    const senders = [...byDomain(keys).keys()].map((domain) => `*@${domain} ${domain}\n`);
    return [
      ...files,
      { name: "SigningTable", text: WRITTEN_BY + senders.join("") },
      {
        name: MAIN_FILE,
        text: `${WRITTEN_BY}# These lines belong into dkimpy-milter.conf, in place of Domain, Selector, KeyFile and theirs for Ed25519.
${settings.join("")}SigningTable refile:${tablePath(folder, "SigningTable")}
`,
      },
    ];
  },
};

function keyTable(
  keys: readonly SignerKey[],
  signer: string,
  id = ({ name }: SignerKey): string => keyRecordName(name),
): string {
  const lines = keys.map((key) => {
    const { domain, selector } = key.name;
    return `${id(key)} ${domain}:${selector}:${requirePath(key, TABLE_PATH, signer)}\n`;
  });
  return WRITTEN_BY + lines.join("");
}

/** Patterns are tried from the top; with several keys a domain has as many lines. */
function signingTable(keys: readonly SignerKey[], { catchAll }: SignerFormOptions): string {
  const lines = keys.map(({ name }) => `*@${name.domain} ${keyRecordName(name)}\n`);
  const fallback = keys.filter(({ name }) => name.domain === catchAll);
  return WRITTEN_BY + [...lines, ...fallback.map(({ name }) => `* ${keyRecordName(name)}\n`)].join("");
}

function tablePath(folder: string, name: string): string {
  const path = `${folder === "/" ? "" : folder}/${name}`;
  if ([...path].every((char) => PLAIN_PATH.test(char) && char !== "#" && char !== ",")) return path;
  throw new SignerFormError(`a table cannot be at ${JSON.stringify(path)}: its configuration cannot name it`, {
    hint: "give --output a folder with a plain name",
  });
}
