import {
  absolutePath,
  absolutePaths,
  duration,
  fileMode,
  flag,
  integer,
  type Setting,
  seconds,
  selectors,
  selectorTemplate,
  storeUrl,
  text,
  texts,
  word,
  words,
} from "./setting.ts";

/** How keys rotate: the section [rotation], and for one domain [domain."example.com"]. */
export const ROTATION_SCHEMA = {
  algorithms: words("the keys that sign together and rotate as one", ["rsa", "ed25519"], ["rsa"]),
  bits: integer("the length of RSA keys", 1024, 16384, 2048),
  selector: selectorTemplate(
    "the selector of a new key: {algorithm} {yyyymmdd} {yyyy} {mm} {n} {random}",
    "{algorithm}-{yyyymmdd}",
  ),
  "selector-ring": selectors("use these in turn instead, where CNAMEs stand for them at a provider", [
    "s1",
    "s2",
    "s3",
  ]),
  period: duration("how long a key signs", "90d"),
  overlap: duration("how long the record of the old key stays for mail on its way", "7d"),
  tombstone: duration("how long the old key's record then says that it is revoked", "30d"),
  margin: duration("how much longer to wait than caches may hold an older answer", "1h"),
  standby: flag("keep a key ready for the day that the active one leaks", false),
  reveal: absolutePath("a folder to publish private keys in once their records are gone", "/var/www/dkim-keys"),
  "alert-after": duration("how long the DNS may take before a person is told", "1d"),
  "look-again": duration("how long a domain that was found as it should be is not looked at", "30m"),
};

/** Every section and key there is. A key enters with the first code that reads it. */
export const CONFIG_SCHEMA = {
  store: {
    path: absolutePath("the folder of the private keys", "/var/lib/dkim"),
    mode: fileMode(
      "who may read new key files: 0600, or 0640 with a group for a signer that runs as another user",
      "0600",
    ),
    owner: text("the user who owns new key files", "root"),
    group: text("the group of new key files", "amavis"),
    url: storeUrl(
      "instead of a folder: a server that many machines share; see dkimctl-stores(7)",
      "redis://redis.example/0",
    ),
  },
  keygen: {
    algorithms: words("the keys that keygen makes for a domain", ["rsa", "ed25519"], ["rsa"]),
    bits: integer("the length of RSA keys", 1024, 16384, 2048),
    selector: selectorTemplate(
      "the selector of a new key: {algorithm} {yyyymmdd} {yyyy} {mm} {n} {random}",
      "{algorithm}-{yyyymmdd}",
    ),
  },
  records: {
    ttl: integer("the TTL of printed records, in seconds", 0, 2 ** 31 - 1, 3600),
  },
  dns: {
    servers: texts("the name servers to ask, ADDRESS or ADDRESS#PORT; default: those of the system", ["192.0.2.53"]),
    timeout: seconds("how long to wait for one answer, in seconds", 60, 3),
    retries: integer("how often to ask again", 0, 10, 1),
    "authoritative-port": integer("the port of authoritative servers, for laboratories", 1, 65535, 53),
  },
  rotation: ROTATION_SCHEMA,
  publish: {
    method: word("how records get into the DNS", ["manual", "nsupdate", "zone-file", "lexicon", "exec"], "manual"),
    server: text("nsupdate: the primary, ADDRESS or ADDRESS#PORT", "192.0.2.53"),
    "key-file": absolutePath("nsupdate: the TSIG key, as tsig-keygen writes it", "/etc/dkimctl.tsig"),
    file: absolutePath("zone-file: the file that the zone includes; {zone} is its name", "/etc/bind/dkim/{zone}.inc"),
    "serial-file": absolutePath("zone-file: the zone's file, whose serial is raised", "/etc/bind/db.{zone}"),
    check: texts("zone-file: what must accept the zone before that; no shell", [
      "named-checkzone",
      "{zone}",
      "/etc/bind/db.{zone}",
    ]),
    reload: texts("zone-file: what makes the server read it; no shell", ["rndc", "reload", "{zone}"]),
    provider: text("lexicon: the provider, as lexicon names it", "powerdns"),
    "config-dir": absolutePath("lexicon: the folder of lexicon_PROVIDER.yml, the credentials", "/etc/dkimctl.lexicon"),
    "split-strings": flag("lexicon: divide long records, for a provider that does not, such as route53", false),
    command: texts("exec: the program that changes the record; no shell", ["/usr/local/sbin/publish-dkim"]),
    "time-limit": duration("how long any of these may take", "30s"),
  },
  signer: {
    activate: texts("the program that makes the signer use a key; no shell", ["/usr/local/sbin/use-dkim-key"]),
    type: word(
      "instead of a program: which signer",
      ["amavis", "rspamd", "opendkim", "dkimpy-milter", "exim"],
      "rspamd",
    ),
    form: word("which of its ways to be told of keys", ["conf", "domain", "maps", "tables", "lsearch"], "domain"),
    output: absolutePath(
      "its file of keys, or their folder, which rotate replaces; dkimctl export writes it first",
      "/etc/rspamd/local.d/dkim_signing.conf",
    ),
    configuration: absolutePaths("what else names keys: none of them is revoked as long as one of these names it", [
      "/etc/rspamd/local.d/dkim_signing.conf",
    ]),
    reload: texts("what makes the signer read it; no shell", ["systemctl", "reload", "rspamd"]),
    user: text("the user as which the signer reads its keys; default: Debian's", "_rspamd"),
    test: texts("a program that asks the signer whether it signs; no shell", ["amavisd", "testkeys", "{domain}"]),
    "test-url": text("rspamd: where it takes a message to sign", "http://127.0.0.1:11333/checkv2"),
    ttl: duration("amavis: signatures expire after this time", "30d"),
    "catch-all": text("amavis, opendkim: this domain's key signs other mail", "example.com"),
    "time-limit": duration("how long any of these may take", "1m"),
  },
  hooks: {
    "on-publish": texts("run after a record was asked for; no shell", ["/usr/local/sbin/dkim-published"]),
    "on-activate": texts("run after the signer has changed", ["/usr/local/sbin/dkim-activated"]),
    "on-retire": texts("run after a key was destroyed", ["/usr/local/sbin/dkim-retired"]),
  },
};

type Schema = typeof CONFIG_SCHEMA;
type Values<Keys> = { readonly [Key in keyof Keys]?: Keys[Key] extends Setting<infer Value> ? Value : never };

export type RotationSettings = Values<typeof ROTATION_SCHEMA>;

/** The sections that `[domain."example.com"]` may have of its own, below it. */
export const DOMAIN_SECTIONS = ["publish", "signer"] as const;

/** What one domain has otherwise than the sections `rotation`, `publish` and `signer`. */
export type DomainSettings = RotationSettings & {
  readonly [Section in (typeof DOMAIN_SECTIONS)[number]]?: Values<Schema[Section]>;
};

/** What the configuration says, under the names that it uses; what it does not say is absent. */
export type Settings = {
  readonly [Section in keyof Schema]: Values<Schema[Section]>;
} & {
  readonly domain: Readonly<Record<string, DomainSettings>>;
};
