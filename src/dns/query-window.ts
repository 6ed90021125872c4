import { steadyMs } from "../steady-clock.ts";

/** PERFORMANCE: a name server on this host drops packets beyond this many at once. */
const MOST_IN_FLIGHT = 64;
const FIRST_IN_FLIGHT = 32;
/** Even towards a silent server, lest its queries wait for each other's timeouts. */
const LEAST_IN_FLIGHT = 8;

/**
 * How many queries may be under way to one server: grows with answers, halves when one is lost, so that a slow server is not
 * flooded. Optionally no more than a number per second. Waiting for a place costs no query its timeout.
 */
export class QueryWindow {
  readonly #intervalMs: number;
  #most = FIRST_IN_FLIGHT;
  #inFlight = 0;
  #nextStart = 0;
  /** Losses among queries begun before this are the same congestion. */
  #shrunkAt = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting: (() => void)[] = [];

  /** @param queriesPerSecond unlimited when `undefined` */
  constructor(queriesPerSecond?: number) {
    this.#intervalMs = queriesPerSecond === undefined ? 0 : 1000 / queriesPerSecond;
  }

  get size(): number {
    return this.#most;
  }

  /** Resolves with the time of the start, which `leave` wants back. */
  async enter(): Promise<number> {
    if (!this.#hasPlace() || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.#admit();
      });
    } else {
      this.#take();
    }
    return steadyMs();
  }

  leave(startedAt: number, lost: boolean): void {
    this.#inFlight -= 1;
    if (!lost) {
      this.#most = Math.min(MOST_IN_FLIGHT, this.#most + 1 / this.#most);
    } else if (startedAt >= this.#shrunkAt) {
      this.#most = Math.max(LEAST_IN_FLIGHT, this.#most / 2);
      this.#shrunkAt = steadyMs();
    }
    this.#admit();
  }

  /** Lets everybody in, for a transport that is closed and answers at once. */
  close(): void {
    clearTimeout(this.#timer);
    this.#nextStart = -Infinity;
    for (const admit of this.#waiting.splice(0)) {
      this.#inFlight += 1;
      admit();
    }
  }

  #hasPlace(): boolean {
    return this.#inFlight < Math.floor(this.#most) && this.#nextStart <= steadyMs();
  }

  #take(): void {
    this.#inFlight += 1;
    if (this.#intervalMs > 0) this.#nextStart = Math.max(this.#nextStart, steadyMs()) + this.#intervalMs;
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#hasPlace()) {
      this.#take();
      this.#waiting.shift()?.();
    }
    const waitMs = this.#nextStart - steadyMs();
    if (this.#waiting.length === 0 || waitMs <= 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#admit(), waitMs);
  }
}
