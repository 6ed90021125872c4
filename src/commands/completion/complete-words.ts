import { type DomainName, displayDomainName, parseDomainName } from "../../keys/domain-name.ts";
import type { KeyName } from "../../keys/key-name.ts";
import { type CommandLine, readCommandLine } from "./command-line.ts";
import type { CommandModel } from "./program-model.ts";

/**
 * What `dkimctl __complete -- WORD…` prints, one candidate a line: the whole word that would stand at the cursor and,
 * where there is something to say, a TAB and a description. Nothing means that the shell may offer file names.
 * @param words all after the program's name, the word at the cursor last (empty when a new word starts there)
 * @param names the keys in the store; looked at only when a domain or selector is to be completed
 */
export function completeWords(words: readonly string[], model: CommandModel, names: Iterable<KeyName>): string[] {
  const line = readCommandLine(words, model);
  return candidates(line, names).map(({ word, description }) => {
    const whole = `${line.prefix}${word}`;
    return description === "" ? whole : `${whole}\t${description}`;
  });
}

interface Candidate {
  readonly word: string;
  readonly description: string;
}

function candidates(line: CommandLine, names: Iterable<KeyName>): Candidate[] {
  const { expected, current } = line;
  switch (expected.kind) {
    case "nothing":
      return [];
    case "command":
      return startingWith(
        current,
        expected.commands.map(({ name, description }) => ({ word: name, description })),
      );
    case "option":
      return startingWith(
        current,
        expected.options.flatMap(({ flags, description }) => flags.map((word) => ({ word, description }))),
      );
    case "value": {
      const { kind, choices } = expected.value;
      if (kind === "choice") return startingWith(current, choices.map(bare));
      if (kind === "domain") return domainCandidates(current, names);
      if (kind === "selector") return selectorCandidates(line, names);
      return [];
    }
  }
}

/** Domains as DNS has them; with U-labels once such a letter is typed, and with a leading dot as filters have it. */
function domainCandidates(current: string, names: Iterable<KeyName>): Candidate[] {
  const dot = current.startsWith(".") ? "." : "";
  const asUnicode = /[^\x00-\x7f]/.test(current);
  const all = [...new Set(Array.from(names, ({ domain }) => domain))].map((domain) => {
    const shown = displayDomainName(domain);
    return {
      word: `${dot}${asUnicode ? shown : domain}`,
      description: shown === domain ? "" : asUnicode ? domain : shown,
    };
  });
  return startingWith(current.normalize("NFC").toLowerCase(), all);
}

/** Selectors of the domains that the line names; of all when it names none. */
function selectorCandidates({ current, domains }: CommandLine, names: Iterable<KeyName>): Candidate[] {
  const wanted = new Set(domains.map(readDomain));
  const selectors = new Set<string>();
  for (const { domain, selector } of names) if (wanted.size === 0 || wanted.has(domain)) selectors.add(selector);
  return startingWith(current.toLowerCase(), [...selectors].map(bare));
}

/** What is no domain selects nothing; to complain is for the command. */
function readDomain(text: string): DomainName | undefined {
  try {
    return parseDomainName(text);
  } catch {
    return undefined;
  }
}

function bare(word: string): Candidate {
  return { word, description: "" };
}

function startingWith(start: string, all: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return all.filter(({ word }) => word.startsWith(start) && !seen.has(word) && seen.add(word));
}
