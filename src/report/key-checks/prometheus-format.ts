import type { KeyName } from "../../keys/key-name.ts";
import { type KeyCheckFormat, VERDICTS } from "./key-check-format.ts";

/**
 * The text format of Prometheus, for node_exporter's textfile collector. Nothing in it changes unless an answer does: when
 * the file was written is told by node_exporter itself (node_textfile_mtime_seconds).
 */
export function prometheusFormat(): KeyCheckFormat {
  // All samples of a metric must stand together: those of the second one wait, one for each key that is not well.
  const problems: string[] = [];
  return {
    begin: () => metricHead("dkimctl_key_ok", "Whether the key is published and verifies: 1 yes, 0 no or not known."),
    check({ name, outcome }) {
      const { verdict, code } = outcome;
      if (verdict !== "pass") problems.push(`dkimctl_key_problem${labels({ ...keyLabels(name), verdict, code })} 1\n`);
      return `dkimctl_key_ok${labels(keyLabels(name))} ${verdict === "pass" ? 1 : 0}\n`;
    },
    end: ({ tally, warned }) =>
      [
        metricHead("dkimctl_key_problem", "Always 1; its labels tell what is wrong with a key that is not ok."),
        ...problems,
        metricHead("dkimctl_keys", "How many keys came to this verdict in the last run."),
        ...VERDICTS.map((verdict) => `dkimctl_keys${labels({ verdict })} ${tally[verdict]}\n`),
        metricHead("dkimctl_keys_warned", "How many keys are ok and yet have a warning."),
        `dkimctl_keys_warned ${warned}\n`,
      ].join(""),
  };
}

function keyLabels({ domain, selector }: KeyName): Record<string, string> {
  return { domain, selector };
}

function metricHead(name: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };

function labels(values: Readonly<Record<string, string>>): string {
  const parts = Object.entries(values).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (char) => ESCAPES[char] ?? char)}"`,
  );
  return `{${parts.join(",")}}`;
}
