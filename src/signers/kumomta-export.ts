import { requirePath, type SignerForm, WRITTEN_BY } from "./signer-form.ts";

/** Fields to sign (RFC 6376 §5.4.1): KumoMTA has no default. */
const HEADERS =
  "From Reply-To Subject Date To Cc Resent-Date Resent-From Resent-To Resent-Cc In-Reply-To References MIME-Version Content-Type Content-Transfer-Encoding List-Id List-Help List-Unsubscribe List-Unsubscribe-Post List-Subscribe List-Post List-Owner List-Archive";

/**
 * The data file of KumoMTA's policy helper dkim_sign.lua, in TOML: one key for each sender's domain. Signatures beside
 * that are for the mail of all domains there, so that a domain cannot have two of its own.
 * @see https://docs.kumomta.com/userguide/configuration/dkim/ and assets/policy-extras/dkim_sign.lua of KumoMTA
 */
export const kumomtaForm: SignerForm = {
  signsOnce: "by-domain",
  reload: "none: dkim_sign.lua reads the file again within five minutes",
  cannotUse: ({ encoding }) => (encoding === "pem" ? undefined : "for KumoMTA only keys in PEM are documented"),
  files(keys) {
    const headers = HEADERS.split(" ").map((name) => `"${name}"`);
    const domains = keys.map((key) => {
      const { domain, selector } = key.name;
      const path = requirePath(key, /^[\x20-\x7e\u00a0-\u{10ffff}]$/u, "KumoMTA").replace(/[\\"]/g, "\\$&");
      const algorithm = key.algorithm === "rsa" ? "sha256" : "ed25519";
      return `\n[domain."${domain}"]\nselector = "${selector}"\nalgo = "${algorithm}"\nfilename = "${path}"\n`;
    });
    return [
      {
        name: "dkim_data.toml",
        text: `${WRITTEN_BY}# For dkim_sign:setup({ '/opt/kumomta/etc/policy/dkim_data.toml' }) of policy-extras.dkim_sign
[base]
headers = [${headers.join(", ")}]
over_sign = true
${domains.join("")}`,
      },
    ];
  },
};
