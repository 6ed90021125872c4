import type { CliContext } from "../context.ts";
import { OperationError, UsageError } from "../errors.ts";
import { type DomainName, NameSyntaxError, parseDomainName } from "../keys/domain-name.ts";

/** A file of one domain a line; empty lines and what follows `#` do not count. `-` is standard input. */
export async function readDomainList(source: string, cli: CliContext): Promise<DomainName[]> {
  const text = source === "-" ? await readAll(cli.stdin) : readTextFile(source, cli);
  return text.split(/\r?\n/).flatMap((line, index) => {
    const word = line.replace(/#.*/, "").trim();
    if (word === "") return [];
    try {
      return [parseDomainName(word)];
    } catch (error) {
      if (!(error instanceof NameSyntaxError)) throw error;
      throw new UsageError(`${source === "-" ? "standard input" : source}:${index + 1}: ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
  });
}

/** @throws {OperationError} with the system's reason in plain words */
export function readTextFile(path: string, cli: CliContext): string {
  return new TextDecoder().decode(readFileOrExplain(path, cli));
}

/** @throws {OperationError} with the system's reason in plain words */
export function readFileOrExplain(path: string, cli: CliContext): Uint8Array {
  try {
    return cli.readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT"
        ? "it does not exist"
        : code === "EACCES"
          ? "permission denied"
          : code === "EISDIR"
            ? "it is a folder"
            : error instanceof Error
              ? error.message
              : String(error);
    throw new OperationError(`cannot read ${JSON.stringify(path)}: ${reason}`, { cause: error });
  }
}

/** Everything that a stream has, as UTF-8; octets that are none become U+FFFD. */
export async function readAll(stream: AsyncIterable<unknown>): Promise<string> {
  return new TextDecoder().decode(await readBytes(stream));
}

/** Everything that a stream has. */
export async function readBytes(stream: AsyncIterable<unknown>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
