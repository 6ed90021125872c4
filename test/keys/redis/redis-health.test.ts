import { expect, test } from "vitest";
import type { RedisAddress } from "../../../src/keys/redis/redis-address.ts";
import { clearTextWarnings } from "../../../src/keys/redis/redis-health.ts";
import { parseStoreAddress } from "../../../src/keys/store-address.ts";

test.each([
  ["redis://redis.example", 1],
  ["redis+sentinel://127.0.0.1,192.0.2.1/main", 1],
  ["rediss://redis.example", 0],
  ["redis://localhost:6380", 0],
  ["redis://[::1]", 0],
  ["redis+unix:///run/redis.sock", 0],
])("%s: %i warnings of keys that travel for all to read", (text, count) => {
  const warnings = clearTextWarnings(parseStoreAddress(text) as RedisAddress);
  expect(warnings).toHaveLength(count);
});
