import { CONFIG_SCHEMA, type Setting, type Settings } from "./config-schema.ts";

/** The configuration as TOML that `loadConfig` reads back to the same settings; what is not set stands there as a comment. */
export function formatConfig(settings: Settings): string {
  const sections = Object.entries<Record<string, Setting<unknown>>>(CONFIG_SCHEMA).map(([section, keys]) => {
    const values: Record<string, unknown> = settings[section as keyof Settings];
    const lines = Object.entries(keys).flatMap(([key, setting]) => {
      const { [key]: value } = values;
      const line = value === undefined ? `#${key} = ${setting.sample}` : `${key} = ${setting.format(value)}`;
      return ["", `# ${setting.comment}`, line];
    });
    return [`[${section}]`, ...lines].join("\n");
  });
  return `# The configuration of dkimctl; see dkimctl.toml(5). Options of a command come before it.\n\n${sections.join("\n\n")}\n`;
}
