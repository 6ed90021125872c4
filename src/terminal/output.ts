/** Where text goes: stdout or stderr of the process, or a test's collector. */
export interface Output {
  write(text: string): void;
  /** Resolves when the reader has caught up: awaited in loops, so that a slow reader costs no memory. */
  drained(): Promise<void>;
  readonly isTTY: boolean;
  /** Undefined when it is not a terminal. */
  readonly columns: number | undefined;
}
