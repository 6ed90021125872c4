/** What a manual page in mdoc says, as far as tests want to compare it with the program. */
export interface ManualPage {
  readonly source: string;
  /** Options as one types them: `--format`, `-o`. */
  readonly options: ReadonlySet<string>;
  /** Options that have an entry of their own. */
  readonly describedOptions: ReadonlySet<string>;
  /** Words to type: commands and choices. */
  readonly words: ReadonlySet<string>;
  /** Names of JSON members and of settings. */
  readonly members: ReadonlySet<string>;
  /** Statuses that the section EXIT STATUS has an entry for. */
  readonly exitStatuses: readonly number[];
}

export function readManualPage(source: string): ManualPage {
  const macros = source.split("\n").filter((line) => line.startsWith("."));
  const argumentsOf = (name: string, of = macros) => of.flatMap((line) => macroArguments(line, name));
  const asTyped = (flags: string[]) => new Set(flags.map((flag) => `-${flag}`));
  const exitStatus = /^\.Sh EXIT STATUS\n(.*?)(?=^\.Sh )/ms.exec(source)?.[1] ?? "";
  return {
    source,
    options: asTyped(argumentsOf("Fl")),
    describedOptions: asTyped(
      argumentsOf(
        "Fl",
        macros.filter((line) => line.startsWith(".It Fl ")),
      ),
    ),
    words: new Set(argumentsOf("Cm")),
    members: new Set(argumentsOf("Va")),
    exitStatuses: [...exitStatus.matchAll(/^\.It ([0-9]+)$/gm)].map(([, status]) => Number(status)),
  };
}

/** The arguments of each call of one macro on a line, up to the next macro; punctuation left out. */
function macroArguments(line: string, name: string): string[] {
  const found: string[] = [];
  let inside = false;
  for (const word of line.slice(1).split(" ")) {
    if (/^[A-Z][a-z]$/.test(word)) inside = word === name;
    else if (inside && !/^[.,:;|()]+$/.test(word)) found.push(word);
  }
  return found;
}
