import type { RedisAddress } from "../keys/redis/redis-address.ts";
import { byDomain, type SignerForm, WRITTEN_BY } from "./signer-form.ts";

/**
 * What makes rspamd read the keys where dkimctl keeps them. The password is not told: it belongs into rspamd's own
 * configuration of Redis.
 */
export function rspamdRedisStoreForm(address: RedisAddress): SignerForm {
  const { layout } = address;
  return {
    reload: "systemctl reload rspamd",
    files(keys) {
      const domains = [...byDomain(keys)].map(([domain, ofDomain]) => {
        const selectors = ofDomain.map(({ name }) => `{ selector = "${name.selector}"; }`);
        return `  "${domain}" { selectors [ ${selectors.join(", ")} ] }\n`;
      });
      // Where Redis itself tells the selector, a new one needs no new configuration.
      const signing =
        layout.selectors === undefined
          ? `domain {\n${domains.join("")}}\n`
          : `selector_prefix = "${layout.selectors}";\n`;
      return [
        {
          name: "dkim_signing.conf",
          text: `${WRITTEN_BY}use_redis = true;
${servers(address)}key_prefix = "${layout.keys}";
use_esld = false;
try_fallback = false;
${signing}`,
        },
      ];
    },
  };
}

function servers({ topology, servers, socketPath, database }: RedisAddress): string {
  const db = database === 0 ? "" : `db = "${database}";\n`;
  if (socketPath !== undefined) return `servers = "${socketPath}";\n${db}`;
  const list = servers.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`).join(", ");
  if (topology === "sentinel") return `# The servers and their sentinels: /etc/rspamd/local.d/redis.conf\n${db}`;
  return `servers = "${list}";\n${db}`;
}
