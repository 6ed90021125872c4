import { amavisForm } from "./amavis-export.ts";
import { eximForm } from "./exim-export.ts";
import { harakaForm } from "./haraka-export.ts";
import { kumomtaForm } from "./kumomta-export.ts";
import { maddyForm } from "./maddy-export.ts";
import { dkimpyMilterForm, opendkimForm } from "./opendkim-export.ts";
import {
  rspamdDomainForm,
  rspamdMapsForm,
  rspamdRedisForm,
  rspamdTablesForm,
  rspamdVaultForm,
} from "./rspamd-export.ts";
import type { SecretSignerKey, SignerForm } from "./signer-form.ts";
import { spamexpertsForm } from "./spamexperts-export.ts";
import { stalwartForm } from "./stalwart-export.ts";

/** A form whose text holds no key, or one whose text does. */
export type NamedSignerForm =
  | { readonly isSecret: false; readonly form: SignerForm }
  | { readonly isSecret: true; readonly form: SignerForm<SecretSignerKey> };

const open = (form: SignerForm): NamedSignerForm => ({ isSecret: false, form });
const secret = (form: SignerForm<SecretSignerKey>): NamedSignerForm => ({ isSecret: true, form });

/** The signers that keys can be exported to, each with its forms, the usual one first. */
export const EXPORT_FORMS: Readonly<Record<string, Readonly<Record<string, NamedSignerForm>>>> = {
  amavis: { conf: open(amavisForm) },
  rspamd: {
    domain: open(rspamdDomainForm),
    maps: open(rspamdMapsForm),
    tables: open(rspamdTablesForm),
    redis: open(rspamdRedisForm),
    vault: secret(rspamdVaultForm),
  },
  opendkim: { tables: open(opendkimForm) },
  "dkimpy-milter": { tables: open(dkimpyMilterForm) },
  exim: { lsearch: open(eximForm) },
  haraka: { links: open(harakaForm) },
  kumomta: { toml: open(kumomtaForm) },
  maddy: { conf: open(maddyForm) },
  stalwart: { toml: open(stalwartForm) },
  spamexperts: { api: secret(spamexpertsForm) },
};
