import { sameName } from "../dns-message.ts";
import { joinTxtStrings, splitTxtStrings } from "../txt-strings.ts";
import { readLexiconSecrets, redact } from "./lexicon-credentials.ts";
import { PublishAgainError, PublishError, type Publisher, type RecordChange, requirePlainName } from "./publisher.ts";
import { lastLine, runProgram } from "./run-program.ts";

export interface LexiconPublisherOptions {
  /** As lexicon names it, such as `powerdns`. */
  readonly provider: string;
  /** The folder of `lexicon.yml` and `lexicon_PROVIDER.yml`, which hold the credentials: they are never an argument. */
  readonly configDir: string;
  /** Give a long record as several strings, for providers that do not divide it themselves. */
  readonly splitStrings?: boolean | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of one call; a change makes up to three. */
  readonly timeLimitMs: number;
  /** Default `lexicon`. */
  readonly program?: string | undefined;
}

/** A provider that does not filter tells the whole zone. */
const MOST_OUTPUT = 4 * 1024 * 1024;

/**
 * The dns-lexicon client. It has no transactions, and what it calls an update leaves both records behind at some
 * providers: so the record is looked up, removed by its name, and made anew. A run that was killed between is repaired
 * by the next.
 */
export function createLexiconPublisher(options: LexiconPublisherOptions): Publisher {
  const { provider, configDir, splitStrings = false, env, timeLimitMs, program = "lexicon" } = options;
  return {
    async change(change, signal) {
      const name = requirePlainName(change.name);
      const zone = requirePlainName(change.zone);
      const content = change.after === undefined ? undefined : contentOf(change.after, splitStrings);
      const secrets = readLexiconSecrets(configDir, env);
      const call = async (action: "list" | "delete" | "create", ...more: string[]) => {
        const argv = [program, "--config-dir", configDir, "--delegated", zone, provider, action, zone, "TXT"];
        const { exitCode, output } = await runProgram({
          argv: [...argv, "--name", name, "--output", "JSON", "--log_level", "ERROR", ...more],
          stdin: "",
          env,
          timeLimitMs,
          signal,
          mostOutput: MOST_OUTPUT,
        });
        if (exitCode === 0) return output;
        throw failureOf(redact(output, secrets), exitCode, zone, options);
      };

      const listed = listedTexts(await call("list"), name, zone, secrets);
      requireExpected(listed, change);
      const wanted = content === undefined ? [] : [plain(content)];
      if (listed.length === wanted.length && listed[0] === wanted[0]) return;
      if (listed.length > 0) await call("delete");
      if (content !== undefined) await call("create", `--content=${content}`, "--ttl", String(change.ttlSeconds));
    },
  };
}

/** Providers differ in what a quote or a backslash means, but for the quotes between strings. @throws {PublishError} */
function contentOf(record: string, splitStrings: boolean): string {
  if (!/^[ !#-[\]-~]+$/.test(record)) {
    throw new PublishError("lexicon cannot be trusted with a record that holds quotes, backslashes or other octets", {
      hint: "write the note of the key (n=) without them",
    });
  }
  return splitStrings ? splitTxtStrings(record).join('" "') : record;
}

/** What is at the name, as the provider has it, which the name servers may not have yet. @throws {PublishError} */
function listedTexts(output: string, name: string, zone: string, secrets: readonly string[]): string[] {
  const line = output.split("\n").findLast((text) => text.startsWith("["));
  try {
    const rows: unknown = JSON.parse(Buffer.from(line ?? "", "latin1").toString("utf8"));
    if (!Array.isArray(rows)) throw new SyntaxError("no list");
    return rows
      .filter((row) => row.type === "TXT" && isName(String(row.name), name, zone))
      .map((row) => plain(String(row.content)));
  } catch {
    const said = lastLine(redact(output, secrets));
    // What JSON.parse says repeats a piece of what was said.
    throw new PublishError(`lexicon's list of what is at ${name} cannot be read: ${said}`);
  }
}

/** Some providers tell names within the zone, and some with a dot at the end. */
function isName(listed: string, name: string, zone: string): boolean {
  const plainName = listed.replace(/\.$/, "");
  return sameName(plainName, name) || sameName(`${plainName}.${zone}`, name);
}

/** A record's text without what providers add to it, or leave out: for comparing only. */
function plain(text: string): string {
  return text.replace(/["\\\s]/g, "");
}

function requireExpected(listed: readonly string[], { name, before, after }: RecordChange): void {
  if (before === undefined) return;
  const known = new Set([...before.map(joinTxtStrings), after ?? ""].map(plain));
  if (listed.every((text) => known.has(text))) return;
  throw new PublishAgainError(`the provider has another record at ${name} than its name servers`, {
    hint: "somebody else changes it too, or the provider is slow; see: dkimctl testkeys",
  });
}

function failureOf(
  output: string,
  exitCode: number | undefined,
  zone: string,
  { provider, configDir }: LexiconPublisherOptions,
): PublishError | PublishAgainError {
  const said = lastLine(output);
  if (/invalid choice: /.test(said) || /ProviderNotAvailableError/.test(said)) {
    return new PublishError(`this lexicon cannot speak to the provider ${provider}`, {
      hint: "see which it can: lexicon --help; and which need more packages: lexicon PROVIDER --help",
    });
  }
  if (/\b40[13]\b|unauthori[sz]ed|forbidden|AuthenticationError|invalid credentials/i.test(said)) {
    return new PublishError(`${provider} does not accept the credentials: ${said}`, {
      hint: `see lexicon_${provider}.yml in ${configDir}`,
    });
  }
  if (/\b404\b|no domain found/i.test(said)) {
    return new PublishError(`${provider} does not have the zone ${zone}: ${said}`, {
      hint: "is it in this account? lexicon finds only zones below a public suffix, such as com or co.uk",
    });
  }
  if (/ConnectionError|Max retries|timed? ?out|\b429\b|\b5[0-9]{2} Server Error/i.test(said)) {
    return new PublishAgainError(`${provider} does not answer: ${said}`);
  }
  return new PublishError(`lexicon failed (exit status ${exitCode ?? "none"}): ${said}`);
}
