import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { systemErrorCode } from "./key-store-errors.ts";
import { MAX_PLAIN_OCTETS, plainPublicKey } from "./plain-public-key.ts";
import type { RsaPublicKey } from "./public-key.ts";

export interface PlainKeyFile {
  readonly publicKey: RsaPublicKey;
  readonly mode: number;
}

// O_NONBLOCK: opening a named pipe must not wait for a writer.
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW;

/** One file after another is read into it, and nothing is looked at but what was. */
const octets = Buffer.allocUnsafeSlow(MAX_PLAIN_OCTETS + 1);

/**
 * What is in a regular file that holds an RSA key as encoders write it (`plainPublicKey`), at the cost of four system
 * calls and little more.
 * @returns `undefined` for everything else, be it no file at all: `readKeyFile` and `parsePrivateKey` tell what it is
 */
export function readPlainKeyFile(path: string): PlainKeyFile | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, READ);
    const stats = fstatSync(descriptor);
    const length = stats.isFile() ? readSync(descriptor, octets, 0, octets.length, 0) : 0;
    if (length !== stats.size) return undefined;
    const publicKey = plainPublicKey(octets, length);
    return publicKey && { publicKey, mode: stats.mode };
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
