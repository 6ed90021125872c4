import { CONFIG_SCHEMA, ROTATION_SCHEMA, type Settings } from "./config-schema.ts";
import type { Setting } from "./setting.ts";

/** The configuration as TOML that `loadConfig` reads back to the same settings; what is not set stands there as a comment. */
export function formatConfig(settings: Partial<Settings>): string {
  const sections = Object.entries<Record<string, Setting<unknown>>>(CONFIG_SCHEMA).map(([section, keys]) => {
    const values: Record<string, unknown> = settings[section as keyof typeof CONFIG_SCHEMA] ?? {};
    const lines = Object.entries(keys).flatMap(([key, setting]) => {
      const { [key]: value } = values;
      const line = value === undefined ? `#${key} = ${setting.sample}` : `${key} = ${setting.format(value)}`;
      const { choices } = setting.option;
      return ["", `# ${setting.comment}${choices === undefined ? "" : `: ${choices.join(", ")}`}`, line];
    });
    return [`[${section}]`, ...lines].join("\n");
  });
  for (const [domain, { publish, signer, ...rotation }] of Object.entries(settings.domain ?? {})) {
    sections.push(formatSection(`domain."${domain}"`, rotation, ROTATION_SCHEMA));
    for (const [name, values] of Object.entries({ publish, signer })) {
      if (values === undefined) continue;
      sections.push(formatSection(`domain."${domain}".${name}`, values, CONFIG_SCHEMA[name as "publish" | "signer"]));
    }
  }
  return `# The configuration of dkimctl; see dkimctl.toml(5). Options of a command come before it.\n\n${sections.join("\n\n")}\n`;
}

function formatSection(
  header: string,
  values: Readonly<Record<string, unknown>>,
  schema: Readonly<Record<string, Setting<unknown>>>,
): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${schema[key]?.format(value)}`);
  return [`[${header}]`, ...lines].join("\n");
}
