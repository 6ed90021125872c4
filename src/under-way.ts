/** Work that must not be left half-way: whatever ends the run waits for it. */
export class UnderWay {
  readonly #work = new Set<Promise<unknown>>();

  /** @returns the same work, whose outcome is still its caller's to look at */
  add<Result>(work: Promise<Result>): Promise<Result> {
    this.#work.add(work);
    return work.finally(() => this.#work.delete(work));
  }

  /** Resolves when nothing is under way, however it ended; what is begun meanwhile included. */
  async ended(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
