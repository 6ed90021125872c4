import { requirePath, type SignerForm, WRITTEN_BY } from "./signer-form.ts";

/**
 * Signatures of Stalwart up to version 0.15, which reads TOML; later versions keep them in their database. Which of them
 * sign a message, `auth.dkim.sign` says, by their names.
 * @see https://stalw.art/docs/0.15/mta/authentication/dkim/sign/
 */
export const stalwartForm: SignerForm = {
  signsOnce: "by-type",
  cannotUse: ({ encoding }) => (encoding === "pem" ? undefined : "for Stalwart only keys in PEM are documented"),
  warning: "this is for Stalwart up to version 0.15; later versions take keys in their web interface only",
  files(keys) {
    const signatures = keys.map((key) => {
      const { algorithm, name } = key;
      // What stands between percent signs is a macro.
      const path = requirePath(key, /^[\x20-$&-\x7e\u00a0-\u{10ffff}]$/u, "Stalwart").replace(/[\\"]/g, "\\$&");
      return `
[signature."${algorithm}-${name.domain}"]
private-key = "%{file:${path}}%"
domain = "${name.domain}"
selector = "${name.selector}"
headers = ["From", "To", "Date", "Subject", "Message-ID"]
algorithm = "${algorithm}-sha256"
canonicalization = "relaxed/relaxed"
`;
    });
    return [
      {
        name: "dkim.toml",
        text: `${WRITTEN_BY}# auth.dkim.sign names those that sign, such as "['${keys[0]?.algorithm}-${keys[0]?.name.domain}']"\n${signatures.join("")}`,
      },
    ];
  },
};
