// How amavisd is asked about the keys of a store. Its configuration names each of them; it takes none but root's.
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { domainName, keyFile } from "./material.js";

/** All keys of the store, as records. */
export function amavisShowkeys(folder, store, count) {
  return { argv: ["amavisd", "-c", configure(folder, store, count), "showkeys"] };
}

/** The keys against the name server of the bench, which amavisd takes from its configuration only. */
export function amavisTestkeys(folder, port, store, count) {
  const resolver = `use Net::DNS; use Mail::DKIM::DNS;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(nameservers => ['127.0.0.1'], port => ${port}));\n`;
  return { argv: ["amavisd", "-c", configure(folder, store, count, resolver), "testkeys"] };
}

function configure(folder, store, count, more = "") {
  const home = mkdtempSync(join(folder, "amavis-"));
  const keys = Array.from(
    { length: count },
    (_, i) => `dkim_key('${domainName(i)}', 'mail', '${keyFile(store, i)}');\n`,
  );
  const configuration = join(home, "amavisd.conf");
  writeFileSync(configuration, `use strict;\n$MYHOME = '${home}';\n${keys.join("")}${more}1;\n`, { mode: 0o644 });
  return configuration;
}
