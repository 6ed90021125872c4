import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { ProcessOutput } from "../../src/terminal/process-output.ts";

const folder = mkdtempSync(join(tmpdir(), "dkimctl-output-"));
afterAll(() => rmSync(folder, { recursive: true }));
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** No descriptor: everything goes through the stream, as for a terminal. */
const NONE = -1;

function collector(write?: (text: string, done: (error?: Error) => void) => void) {
  const texts: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (text, _encoding, done) => {
      texts.push(String(text));
      if (write === undefined) done();
      else write(String(text), done);
    },
  });
  return { texts, stream: () => stream as unknown as NodeJS.WriteStream };
}

const unexpected = {
  stream: () => {
    throw new Error("the stream is not needed");
  },
  onFailure: (error: Error) => {
    throw error;
  },
};

describe("a file", () => {
  test("gets the first text at once, the rest in pieces or when the program waits, without a stream", async () => {
    const path = join(folder, "file");
    const descriptor = openSync(path, "w");
    const output = new ProcessOutput({ ...unexpected, descriptor });
    output.write("first é\n");
    expect(readFileSync(path, "utf8")).toBe("first é\n");
    output.write("second\n");
    expect(readFileSync(path, "utf8")).toBe("first é\n");
    await nextTurn();
    expect(readFileSync(path, "utf8")).toBe("first é\nsecond\n");
    output.write(`${"x".repeat(70_000)}\n`);
    expect(readFileSync(path, "utf8")).toHaveLength(70_016);
    output.write("last");
    await output.flushed();
    expect(readFileSync(path, "utf8")).toMatch(/x\nlast$/);
    expect(output.isTTY).toBe(false);
    closeSync(descriptor);
  });

  test("that takes nothing more is told by the stream, as ever", async () => {
    const descriptor = openSync(join(folder, "file"), "r");
    const { texts, stream } = collector();
    const output = new ProcessOutput({ descriptor, stream, onFailure: unexpected.onFailure });
    output.write("not written");
    await output.flushed();
    expect(texts.join("")).toContain("not written");
    closeSync(descriptor);
  });
});

describe("a stream", () => {
  test("gets everything, in order", async () => {
    const { texts, stream } = collector();
    const output = new ProcessOutput({ descriptor: NONE, stream, onFailure: unexpected.onFailure });
    for (let i = 0; i < 5000; i++) output.write(`line ${i}\n`);
    await output.flushed();
    expect(texts[0]).toBe("line 0\n");
    expect(texts.join("")).toBe(Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join(""));
    expect(texts.length).toBeLessThan(20);
  });

  test("drained() waits for a reader that is slow", async () => {
    let release = () => {};
    const { stream } = collector((_, done) => {
      release = done;
    });
    const output = new ProcessOutput({ descriptor: NONE, stream, onFailure: unexpected.onFailure });
    output.write("x".repeat(100_000));
    let isDrained = false;
    const drained = output.drained().then(() => {
      isDrained = true;
    });
    await nextTurn();
    expect(isDrained).toBe(false);
    release();
    await drained;
    // Each wait must leave nothing behind: a listing waits a hundred thousand times.
    expect(["drain", "close", "error"].map((event) => stream().listenerCount(event))).toEqual([0, 0, 1]);
  });

  test("that fails is told once, and gets nothing more", async () => {
    const failures: string[] = [];
    const { texts, stream } = collector((_, done) => done(new Error("gone")));
    const onFailure = (error: Error) => failures.push(error.message);
    const output = new ProcessOutput({ descriptor: NONE, stream, onFailure });
    output.write("one");
    await nextTurn();
    output.write("two");
    await output.flushed();
    expect({ failures, texts }).toEqual({ failures: ["gone"], texts: ["one"] });
  });

  test("stderr comes after what stdout was given before", async () => {
    const shared: string[] = [];
    const stream = () =>
      new Writable({
        decodeStrings: false,
        write: (text, _encoding, done) => {
          shared.push(String(text));
          done();
        },
      }) as unknown as NodeJS.WriteStream;
    const stdout = new ProcessOutput({ descriptor: NONE, stream, onFailure: unexpected.onFailure });
    const stderr = new ProcessOutput({ descriptor: NONE, stream, onFailure: unexpected.onFailure, after: stdout });
    stdout.write("1");
    stdout.write("2");
    stderr.write("3");
    stdout.write("4");
    await stdout.flushed();
    expect(shared.join("")).toBe("1234");
  });
});
