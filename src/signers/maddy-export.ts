import { requirePath, type SignerForm, WRITTEN_BY } from "./signer-form.ts";

/**
 * Modifiers of maddy, one a key: each signs mail whose envelope sender is of its domain. maddy makes a key of its own where
 * the file is missing, and then signs with what nobody has published.
 * @see https://maddy.email/reference/modifiers/dkim/
 */
export const maddyForm: SignerForm = {
  reload: "systemctl reload maddy",
  cannotUse: ({ encoding }) => (encoding === "pem" ? undefined : "maddy reads keys in PEM only"),
  files(keys) {
    const blocks = keys.map((key) => {
      const { domain, selector } = key.name;
      // Braces are placeholders of maddy; quotes, `#` and `$` mean something in its syntax.
      const path = requirePath(key, /^[!%&(-z|~]$/, "maddy");
      return `    dkim ${domain} ${selector} {\n        key_path ${path}\n    }\n`;
    });
    return [
      {
        name: "dkim.conf",
        text: `${WRITTEN_BY}# For the pipelines of maddy.conf that take mail to send, such as submission:\nmodify {\n${blocks.join("")}}\n`,
      },
    ];
  },
};
