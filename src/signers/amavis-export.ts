import type { RecordTags } from "../keys/key-store.ts";
import {
  requirePath,
  type SignerFile,
  type SignerForm,
  type SignerFormOptions,
  type SignerKey,
  WRITTEN_BY,
} from "./signer-form.ts";

/**
 * amavisd's `dkim_key` lines and signature options, as a file for Debian's /etc/amavis/conf.d. Perl reads it: text stands
 * in single quotes, in which only `\` and `'` mean something.
 * @see amavisd's RELEASE_NOTES (2.6.0: "dkim_key", "@dkim_signature_options_bysender_maps") and Amavis/Conf.pm
 */
export const amavisForm: SignerForm = {
  takes: ["ttlSeconds", "catchAll"],
  signsOnce: "by-domain",
  reload: "systemctl reload amavis",
  // One such key and amavisd prints and signs nothing at all.
  cannotUse: ({ algorithm }) => (algorithm === "ed25519" ? "amavisd cannot load Ed25519 keys" : undefined),
  files: (keys, options) => [{ name: "52-dkim", text: formatAmavis(keys, options) } satisfies SignerFile],
};

function formatAmavis(keys: readonly SignerKey[], { ttlSeconds, catchAll }: SignerFormOptions): string {
  const ttl = ttlSeconds === undefined ? "" : `, ttl => ${ttlSeconds}`;
  const entry = (sender: string, { domain, selector }: SignerKey["name"]) =>
    `  ${quote(sender)} => { d => ${quote(domain)}, s => ${quote(selector)}, a => 'rsa-sha256', c => 'relaxed/simple'${ttl} },\n`;
  const entries = keys.map(({ name }) => entry(name.domain, name));
  const fallback = keys.find(({ name }) => name.domain === catchAll);
  if (fallback !== undefined) entries.push(entry(".", fallback.name));
  return `use strict;

${WRITTEN_BY}$enable_dkim_signing = 1;

${keys.map(formatKey).join("")}
@dkim_signature_options_bysender_maps = ({
${entries.join("")}});

1;  # ensure a defined return
`;
}

function formatKey(key: SignerKey): string {
  const { domain, selector } = key.name;
  const path = requirePath(key, /^[\x20-\x7e\u00a0-\u{10ffff}]$/u, "amavisd");
  const tags = Object.entries(amavisTags(key)).map(([tag, value]) => `, ${tag} => ${quote(value)}`);
  return `dkim_key(${[domain, selector, path].map(quote).join(", ")}${tags.join("")});\n`;
}

function amavisTags({ tags }: SignerKey): Record<string, string> {
  const { hashAlgorithms, serviceTypes, flags, note }: RecordTags = tags;
  // Of a note only what Perl and amavisd's own qp-encoding keep as it is; it is for people and signs nothing.
  const plainNote = note !== undefined && /^[\x20-\x7e]*$/.test(note) ? { n: note } : {};
  return {
    ...(hashAlgorithms === undefined ? {} : { h: hashAlgorithms.join(":") }),
    ...(serviceTypes === undefined ? {} : { s: serviceTypes.join(":") }),
    ...(flags === undefined ? {} : { t: flags.join(":") }),
    ...plainNote,
  };
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
