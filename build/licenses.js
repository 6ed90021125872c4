import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The licence as it stands in the repository of a package that comes without it. */
const OWN_COPIES = join(import.meta.dirname, "licenses");

/**
 * Writes the licences of the packages that the bundle holds parts of, as these licences want it.
 * @param {string} target
 * @param {readonly string[]} modules the bundled files
 */
export function writeLicenses(target, modules) {
  const folders = new Set(modules.flatMap((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...folders].map(licenseOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  const list = texts.map(({ name, text }) => `${"=".repeat(80)}\n${name}\n${"=".repeat(80)}\n\n${text}`).join("\n");
  writeFileSync(target, `dist/cli holds code of the packages below; these are their licences.\n\n${list}`);
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const shipped = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const copy = join(OWN_COPIES, `${name}.txt`);
  const files = shipped.length === 0 && existsSync(copy) ? [copy] : shipped.map((file) => join(folder, file));
  if (files.length === 0) throw new Error(`${name} ${version} (${license}) comes without the text of its licence`);
  const text = files.map((file) => readFileSync(file, "utf8").trim()).join("\n\n");
  return { name: `${name} ${version} (${license})`, text: `${text}\n` };
}
