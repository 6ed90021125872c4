import { CONFIG_SCHEMA, ROTATION_SCHEMA, type Setting, type Settings } from "./config-schema.ts";

/** The configuration as TOML that `loadConfig` reads back to the same settings; what is not set stands there as a comment. */
export function formatConfig(settings: Partial<Settings>): string {
  const sections = Object.entries<Record<string, Setting<unknown>>>(CONFIG_SCHEMA).map(([section, keys]) => {
    const values: Record<string, unknown> = settings[section as keyof typeof CONFIG_SCHEMA] ?? {};
    const lines = Object.entries(keys).flatMap(([key, setting]) => {
      const { [key]: value } = values;
      const line = value === undefined ? `#${key} = ${setting.sample}` : `${key} = ${setting.format(value)}`;
      return ["", `# ${setting.comment}`, line];
    });
    return [`[${section}]`, ...lines].join("\n");
  });
  const schema: Readonly<Record<string, Setting<unknown>>> = ROTATION_SCHEMA;
  for (const [domain, values] of Object.entries(settings.domain ?? {})) {
    const lines = Object.entries(values).map(([key, value]) => `${key} = ${schema[key]?.format(value)}`);
    sections.push([`[domain."${domain}"]`, ...lines].join("\n"));
  }
  return `# The configuration of dkimctl; see dkimctl.toml(5). Options of a command come before it.\n\n${sections.join("\n\n")}\n`;
}
