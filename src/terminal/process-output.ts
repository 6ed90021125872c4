import { fstatSync, statSync, writeSync } from "node:fs";
import type { Output } from "./output.ts";

export interface ProcessOutputOptions {
  /** 1 or 2. */
  readonly descriptor: number;
  /** Node's stream of it: loading what that needs costs milliseconds, so it is asked for when nothing less will do. */
  readonly stream: () => NodeJS.WriteStream;
  /** Told once; what is written from then on goes nowhere. */
  readonly onFailure: (error: NodeJS.ErrnoException) => void;
  /** Has the same target (a terminal, a log), perhaps, and was written first. */
  readonly after?: { flush(): void };
}

/** Text is gathered until it has this many characters, or until the program waits for something. */
const PIECE = 65_536;
/** The first piece is small, so that the reader can begin; a pipe takes it whole (PIPE_BUF of Linux). */
const FIRST_PIECE = 4096;

/** The reader has caught up, or is gone. */
const READY_EVENTS = ["drain", "close", "error"] as const;

/** stdout or stderr of this process. */
export class ProcessOutput implements Output {
  readonly #options: ProcessOutputOptions;
  #kind: "file" | "pipe" | "terminal" | undefined;
  #stream: NodeJS.WriteStream | undefined;
  #gathered = "";
  #piece = 1;
  #timer: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: ProcessOutputOptions) {
    this.#options = options;
  }

  write(text: string): void {
    if (text === "" || this.#closed) return;
    this.#gathered += text;
    if (this.#gathered.length >= this.#piece || this.#options.after !== undefined) this.flush();
    else this.#timer ??= setImmediate(() => this.flush());
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.#timer !== undefined) clearImmediate(this.#timer);
    this.#timer = undefined;
    if (this.#gathered === "" || this.#closed) return;
    this.#options.after?.flush();
    const text = this.#gathered;
    this.#gathered = "";
    const rest = this.#stream === undefined && this.#writesAtOnce(text) ? this.#writeNow(text) : text;
    if (rest.length > 0) this.#openStream().write(rest);
    this.#piece = this.#piece === 1 ? FIRST_PIECE : PIECE;
  }

  async drained(): Promise<void> {
    const stream = this.#stream;
    if (this.#closed || stream === undefined || !stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const goOn = () => {
        for (const event of READY_EVENTS) stream.off(event, goOn);
        resolve();
      };
      for (const event of READY_EVENTS) stream.on(event, goOn);
    });
  }

  /** Resolves when all is written, or cannot be. */
  async flushed(): Promise<void> {
    this.flush();
    const stream = this.#stream;
    if (stream === undefined) return;
    if (!this.#closed) await new Promise<void>((resolve) => stream.write("", () => resolve()));
    // An error is told one turn after the callback.
    await new Promise((resolve) => setImmediate(resolve));
  }

  get isTTY(): boolean {
    return this.#kindOf() === "terminal" && this.#openStream().isTTY === true;
  }

  get columns(): number | undefined {
    return this.isTTY ? this.#openStream().columns : undefined;
  }

  /** A pipe that is full would hold us, deaf to signals, for as long as its reader likes: only the stream can wait. */
  #writesAtOnce(text: string): boolean {
    const kind = this.#kindOf();
    return kind === "file" || (kind === "pipe" && this.#piece === 1 && text.length <= FIRST_PIECE);
  }

  /** What could not be written. */
  #writeNow(text: string): Uint8Array | "" {
    const octets = Buffer.from(text);
    let written = 0;
    try {
      while (written < octets.length) written += writeSync(this.#options.descriptor, octets, written);
      return "";
    } catch {
      // A full pipe (EAGAIN) is the stream's to wait for, and an error the stream's to report, the same as always.
      return octets.subarray(written);
    }
  }

  #kindOf(): "file" | "pipe" | "terminal" {
    this.#kind ??= descriptorKind(this.#options.descriptor);
    return this.#kind;
  }

  #openStream(): NodeJS.WriteStream {
    if (this.#stream === undefined) {
      this.#stream = this.#options.stream();
      this.#stream.on("error", (error: NodeJS.ErrnoException) => {
        this.#closed = true;
        this.#options.onFailure(error);
      });
    }
    return this.#stream;
  }
}

/** Everything that might be a terminal is "terminal". */
function descriptorKind(descriptor: number): "file" | "pipe" | "terminal" {
  try {
    const stats = fstatSync(descriptor);
    if (stats.isFile()) return "file";
    if (stats.isFIFO()) return "pipe";
    return stats.isCharacterDevice() && stats.rdev === statSync("/dev/null").rdev ? "file" : "terminal";
  } catch {
    return "terminal";
  }
}
