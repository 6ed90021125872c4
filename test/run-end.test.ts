import { describe, expect, test } from "vitest";
import { RunEnd } from "../src/run-end.ts";

describe("RunEnd", () => {
  test("until it has come, nothing is thrown and nobody is told", () => {
    const end = new RunEnd();
    const told: unknown[] = [];
    end.onEnd((reason) => told.push(reason));
    end.throwIfEnded();
    expect([end.reason, end.signal.aborted, told]).toEqual([undefined, false, []]);
  });

  test("everybody is told once, of the first reason", () => {
    const end = new RunEnd();
    const told: unknown[] = [];
    const { signal } = end;
    signal.addEventListener("abort", () => told.push(signal.reason));
    end.onEnd((reason) => told.push(reason));
    end.end("first");
    end.end("second");
    expect(told).toEqual(["first", "first"]);
    expect([end.reason, signal.reason, end.wasThrown]).toEqual(["first", "first", false]);
    expect(() => end.throwIfEnded()).toThrow("first");
    expect(end.wasThrown).toBe(true);
  });

  test("who asks when it has come is told at once", () => {
    const end = new RunEnd();
    end.end("over");
    const told: unknown[] = [];
    end.onEnd((reason) => told.push(reason));
    expect(told).toEqual(["over"]);
    expect([end.signal.aborted, end.signal.reason]).toEqual([true, "over"]);
  });

  test("the signal is one, however often it is asked for", () => {
    const end = new RunEnd();
    expect(end.signal).toBe(end.signal);
  });
});
