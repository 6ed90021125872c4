import { encodePrivateKey } from "../keys/private-key.ts";
import type { SecretSignerKey, SignerForm } from "./signer-form.ts";

/**
 * What a person enters at SpamExperts: the key as one URL-encoded line, and the addresses of the two API calls with what
 * only that person knows (SERVERNAME, USERNAME) left to fill. Nothing is sent.
 * @see SpamExperts' knowledge base, "Generate DKIM certificate" (api_set_dkim_certificate, api_set_dkim_selector)
 */
export const spamexpertsForm: SignerForm<SecretSignerKey> = {
  signsOnce: "by-domain",
  cannotUse: ({ algorithm }) => (algorithm === "ed25519" ? "SpamExperts documents RSA keys only" : undefined),
  files: (keys) => [{ name: "spamexperts.txt", text: keys.map(format).join("\n") }],
};

function format({ name: { domain, selector }, privateKey }: SecretSignerKey): string {
  const key = encodeURIComponent(encodePrivateKey(privateKey, "pkcs1").trim());
  const api = "https://SERVERNAME/cgi-bin/api?call";
  return `# ${domain}, selector ${selector}: the private key as one line
${key}
# Give the key to the domain:
${api}=api_set_dkim_certificate&domain=${domain}&certificate=${key}&selector=${selector}
# Let an outgoing user sign with it:
${api}=api_set_dkim_selector&domain=${domain}&selector=${selector}&username=USERNAME
`;
}
