// opendkim-testkey for one key after another, as its users do who have several.
// Arguments: its configuration, the store, how many keys.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const [, , configuration, store, count] = process.argv;
const files = readdirSync(store).filter((file) => file.endsWith(".mail.pem"));
for (const file of files.slice(0, Number(count))) {
  const domain = file.slice(0, -".mail.pem".length);
  const options = ["-x", configuration, "-d", domain, "-s", "mail", "-k", join(store, file)];
  const { status, stderr } = spawnSync("opendkim-testkey", options, { encoding: "utf8" });
  if (status !== 0) throw new Error(`opendkim-testkey ended with ${status}: ${stderr}`);
}
