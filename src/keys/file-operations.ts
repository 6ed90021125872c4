import * as fs from "node:fs";

/**
 * The file system calls that change a store or prove a change durable. A crash or a fault is survived between any two
 * of them; tests hand in an object of their own to cause both.
 */
export type FileOperations = Pick<
  typeof fs,
  | "openSync"
  | "writeSync"
  | "fchownSync"
  | "fchmodSync"
  | "fsyncSync"
  | "fsync"
  | "closeSync"
  | "linkSync"
  | "renameSync"
  | "symlinkSync"
  | "unlinkSync"
  | "mkdirSync"
  | "utimesSync"
>;

export const fileOperations: FileOperations = fs;
