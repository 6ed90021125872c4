import { setMaxListeners } from "node:events";

/** The end of a run from outside of it, which may come at any time or never. */
export class RunEnd {
  #hasCome = false;
  #wasThrown = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  readonly #listeners: ((reason: unknown) => void)[] = [];

  /** Whether the reason has been thrown at somebody, who tells it. */
  get wasThrown(): boolean {
    return this.#wasThrown;
  }

  get hasCome(): boolean {
    return this.#hasCome;
  }

  /** `undefined` until it has come. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Made when it is asked for: the first of a process takes Node half a millisecond, and few commands want one. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Each program and lookup under way listens to it; Node would take so many for a leak, and say so to cron.
      setMaxListeners(0, this.#controller.signal);
      if (this.#hasCome) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Only the first reason counts. */
  end(reason: unknown): void {
    if (this.#hasCome) return;
    this.#hasCome = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners.splice(0)) listener(reason);
  }

  throwIfEnded(): void {
    if (!this.#hasCome) return;
    this.#wasThrown = true;
    throw this.#reason;
  }

  /** @param listener called once, at once if it has come already */
  onEnd(listener: (reason: unknown) => void): void {
    if (this.#hasCome) listener(this.#reason);
    else this.#listeners.push(listener);
  }
}
