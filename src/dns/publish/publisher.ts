import { OperationError, TryAgainError } from "../../errors.ts";
import { quoteName } from "../../keys/domain-name.ts";

/** One TXT record that is to be there, be another one, or be gone. Asking again for what is done already is no error. */
export interface RecordChange {
  /** Fully qualified, without trailing dot: where the record stands, at the end of CNAMEs. */
  readonly name: string;
  /** The zone of `name`, without trailing dot. */
  readonly zone: string;
  readonly ttlSeconds: number;
  /** The RRset that was seen at the name, as strings of each record; `undefined`: nobody looked. */
  readonly before: readonly (readonly string[])[] | undefined;
  /** The record's text; `undefined` removes the RRset. */
  readonly after: string | undefined;
}

/** A way to change the DNS. That a promise resolves proves nothing: ask the servers. */
export interface Publisher {
  /** @throws {PublishError | PublishAgainError} nothing was changed, or it is not known whether something was */
  change(change: RecordChange, signal?: AbortSignal): Promise<void>;
}

/** The record cannot be changed this way until somebody mends it. */
export class PublishError extends OperationError {
  override readonly code = "DKIM_PUBLISH";
}

/** The server did not answer, or somebody else was quicker. */
export class PublishAgainError extends TryAgainError {
  override readonly code = "DKIM_PUBLISH_AGAIN";
}

/**
 * The name as it may stand in a command or a zone file: targets of CNAMEs come from the DNS and can hold any octet.
 * @throws {PublishError}
 */
export function requirePlainName(name: string): string {
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(name)) return name;
  throw new PublishError(`${quoteName(name)} is no name that could be published`, {
    hint: "see where the CNAME of the key's name leads",
  });
}
