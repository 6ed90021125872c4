import { readFileSync } from "node:fs";

/** The version of the package that this file is part of. `build/bundle.js` puts the number itself in this place. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
