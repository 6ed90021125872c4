import { type SignerForm, shellPath, WRITTEN_BY } from "./signer-form.ts";

/**
 * Commands for a shell, run in Haraka's folder, that link each domain's key and selector to where its plugin dkim looks
 * for them: config/dkim/DOMAIN/private and config/dkim/DOMAIN/selector. Both change in one step, by the rename of a link to
 * their folder: a key under another's selector would sign what nobody can verify.
 * @see https://github.com/haraka/haraka-plugin-dkim (README, "Getting Started"; index.js, get_sign_properties)
 */
export const harakaForm: SignerForm = {
  signsOnce: "by-domain",
  isHandedOver: true,
  cannotUse: ({ algorithm, encoding }) =>
    algorithm === "ed25519" || encoding !== "pem" ? "Haraka's plugin dkim signs with RSA keys in PEM" : undefined,
  files(keys) {
    const commands = keys.map((key) => {
      const { domain, selector } = key.name;
      const folder = `.${domain}.${selector}`;
      return `mkdir -p ${folder}
ln -sfn ${shellPath(key)} ${folder}/private
printf '%s\\n' ${selector} > ${folder}/selector
ln -sfn ${folder} .${domain}.new
mv -T .${domain}.new ${domain}
`;
    });
    return [
      {
        name: "haraka-dkim.sh",
        text: `#!/bin/sh
${WRITTEN_BY}# Run it in Haraka's folder, then restart Haraka; config/dkim.ini: [sign] enabled=true
set -e
mkdir -p config/dkim
cd config/dkim
${commands.join("")}`,
      },
    ];
  },
};
