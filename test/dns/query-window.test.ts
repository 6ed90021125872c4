import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { QueryWindow } from "../../src/dns/query-window.ts";

describe("QueryWindow", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "hrtime"] }));
  afterEach(() => void vi.useRealTimers());

  /** Enters as often as told; the number of those let in so far. */
  function enter(window: QueryWindow, times: number) {
    const entered: number[] = [];
    for (let i = 0; i < times; i++) void window.enter().then((at) => entered.push(at));
    return entered;
  }
  const settle = () => vi.advanceTimersByTimeAsync(0);

  it("grows with answers to 64, shrinks with losses to 8, once for one congestion", async () => {
    const window = new QueryWindow();
    for (let i = 0; i < 5000; i++) window.leave(await window.enter(), false);
    expect(Math.floor(window.size)).toBe(64);
    await vi.advanceTimersByTimeAsync(10);
    const started = [await window.enter(), await window.enter(), await window.enter()];
    await vi.advanceTimersByTimeAsync(10);
    for (const at of started) window.leave(at, true);
    expect(Math.floor(window.size)).toBe(32);
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(10);
      window.leave(await window.enter(), true);
    }
    expect(window.size).toBe(8);
  });

  it("lets in no more than it holds, in order", async () => {
    const window = new QueryWindow();
    const entered = enter(window, 40);
    await settle();
    expect(entered.length).toBe(32);
    window.leave(entered[0] ?? 0, false);
    await settle();
    expect(entered.length).toBe(33);
  });

  it("keeps to a rate", async () => {
    const window = new QueryWindow(10);
    const entered = enter(window, 5);
    await vi.advanceTimersByTimeAsync(250);
    expect(entered.length).toBe(3);
    await vi.advanceTimersByTimeAsync(250);
    expect(entered.length).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets everybody in when it closes", async () => {
    const window = new QueryWindow(1);
    const entered = enter(window, 100);
    window.close();
    await settle();
    expect(entered.length).toBe(100);
    expect(vi.getTimerCount()).toBe(0);
  });
});
