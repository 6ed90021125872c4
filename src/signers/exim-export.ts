import { compareKeyNames, keyRecordName } from "../keys/key-name.ts";
import { byDomain, requirePath, type SignerForm, SignerFormError, WRITTEN_BY } from "./signer-form.ts";

const MAIN_FILE = "transport";

/**
 * Two files that Exim searches (lsearch), and the lines for its smtp transport. All keys of a domain sign. What reaches a
 * file name comes from these files, not from the message: Exim 4.94 and later refuse tainted names. Both
 * are read anew for each mail, one after the other, and it goes unsigned when the second does not know the selector of the
 * first: so keys that are leaving stay in it.
 * @see Exim's specification, chapter 58.2 "Signing outgoing messages" and chapter 9.3 (lsearch, ret=key)
 */
export const eximForm: SignerForm = {
  defaultFolder: "/etc/exim4/dkim",
  mainFile: MAIN_FILE,
  cannotUse: ({ algorithm, encoding }) =>
    algorithm === "ed25519" && encoding !== "pem" ? "Exim reads Ed25519 keys in PEM only" : undefined,
  files(keys, { folder, leaving = [] }) {
    // In an expanded string `$`, `\`, braces, quotes and spaces have meanings of their own.
    if (!/^[\w./+@%,=-]+$/.test(folder)) {
      throw new SignerFormError(`Exim cannot be told of files in ${JSON.stringify(folder)}`, {
        hint: "give --output a folder with a plain name",
      });
    }
    const at = (name: string) => `${folder === "/" ? "" : folder}/${name}`;
    const selectors = [...byDomain(keys)].map(
      ([domain, ofDomain]) => `${domain}: ${ofDomain.map(({ name }) => name.selector).join(" : ")}\n`,
    );
    const paths = [...leaving, ...keys]
      .sort((a, b) => compareKeyNames(a.name, b.name))
      .map(
        (key) => `${keyRecordName(key.name)}: ${requirePath(key, /^[^\x00-\x20"\\\x7f-\x9f]$/, "Exim's lsearch")}\n`,
      );
    return [
      { name: "keys", text: WRITTEN_BY + paths.join("") },
      { name: "selectors", text: WRITTEN_BY + selectors.join("") },
      {
        name: MAIN_FILE,
        text: `${WRITTEN_BY}# For the smtp transport, such as remote_smtp:
dkim_domain = \${lookup {\${lc:\${domain:$h_from:}}} lsearch,ret=key {${at("selectors")}}}
dkim_selector = \${lookup {$dkim_domain} lsearch {${at("selectors")}}}
dkim_private_key = \${lookup {$dkim_selector._domainkey.$dkim_domain} lsearch {${at("keys")}}}
dkim_canon = relaxed
dkim_strict = true
`,
      },
    ];
  },
};
