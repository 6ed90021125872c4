import type { RedisScript } from "./redis-connection.ts";

/*
 * What changes in one step. ARGV[1] is "1" when an earlier run of the same call may have taken effect: then what is there
 * already counts as done if it is exactly what was to be written. Key values are unique, so nothing is mistaken.
 */

/** KEYS keys, about, order, then those of `LEASED`. ARGV field, value, about, member, then those of `LEASED`. */
const CREATE = `
local there = redis.call('HGET', KEYS[1], ARGV[2])
if there == ARGV[3] and ARGV[1] == '1' then return 'ok' end
if there then return 'taken' end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('ZADD', KEYS[3], 0, ARGV[5])
`;

/**
 * A field is the key of several names where a selector has a dot: `s1` of mail.example.com is `s1.mail` of example.com. Whose
 * it is stands in the order.
 */
const IS_OF_ANOTHER = `
local another = redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 and not redis.call('ZSCORE', KEYS[3], ARGV[5])
`;

/** KEYS keys, about, order, then those of `LEASED`. ARGV field, value (unused), about (unused), member, … */
const REMOVE = `${IS_OF_ANOTHER}
local removed = 0
if not another then
  removed = redis.call('HDEL', KEYS[1], ARGV[2])
  redis.call('HDEL', KEYS[2], ARGV[2])
  redis.call('ZREM', KEYS[3], ARGV[5])
end
`;

/** KEYS[4] lease, KEYS[5] journals, KEYS[6] looks, KEYS[7] selectors. ARGV[6] token, ARGV[7] domain, ARGV[8] journal, ARGV[9] selector. */
const REQUIRE_LEASE = `
if redis.call('GET', KEYS[4]) ~= ARGV[6] then
  if ARGV[1] == '1' and redis.call('HGET', KEYS[5], ARGV[7]) == ARGV[8] then return 'ok' end
  return 'lost'
end
`;
const WRITE_JOURNAL = `
redis.call('HSET', KEYS[5], ARGV[7], ARGV[8])
redis.call('HDEL', KEYS[6], ARGV[7])
if ARGV[9] ~= '' then redis.call('HSET', KEYS[7], ARGV[7], ARGV[9]) end
return 'ok'
`;

export const CREATE_KEY: RedisScript = { lua: `${CREATE}return 'ok'` };
export const REMOVE_KEY: RedisScript = {
  lua: `${REMOVE}if removed == 0 and ARGV[1] == '0' then return 'absent' end return 'ok'`,
};
export const CREATE_KEY_LEASED: RedisScript = { lua: REQUIRE_LEASE + CREATE + WRITE_JOURNAL };
export const REMOVE_KEY_LEASED: RedisScript = { lua: REQUIRE_LEASE + REMOVE + WRITE_JOURNAL };
export const WRITE_JOURNAL_LEASED: RedisScript = { lua: REQUIRE_LEASE + WRITE_JOURNAL };

/** KEYS keys, about, order, backups. ARGV field, value, about, member, backup's field. @returns 1: there was a key; -1: of another name */
export const REPLACE_KEY: RedisScript = {
  lua: `${IS_OF_ANOTHER}
if another then return -1 end
local there = redis.call('HGET', KEYS[1], ARGV[2])
if there == ARGV[3] and ARGV[1] == '1' then return redis.call('HEXISTS', KEYS[4], ARGV[6]) end
if there then redis.call('HSET', KEYS[4], ARGV[6], there) end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('ZADD', KEYS[3], 0, ARGV[5])
return there and 1 or 0`,
};

/** KEYS keys, about. ARGV fields. @returns value and about of each, in turn */
export const READ_KEYS: RedisScript = {
  lua: `
local found = {}
for i = 2, #ARGV do
  found[#found + 1] = redis.call('HGET', KEYS[1], ARGV[i])
  found[#found + 1] = redis.call('HGET', KEYS[2], ARGV[i])
end
return found`,
};

/** KEYS keys. ARGV fields. @returns 1 for each that is there */
export const ARE_THERE: RedisScript = {
  lua: `
local there = {}
for i = 2, #ARGV do there[i - 1] = redis.call('HEXISTS', KEYS[1], ARGV[i]) end
return there`,
};

/** KEYS keys, order. ARGV from, to, count. @returns the last member seen, those whose key is there, those without */
export const LIST_OWN: RedisScript = {
  lua: `
local members = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
local there, gone = {}, {}
for _, member in ipairs(members) do
  local domain, selector = string.match(member, '^(%S+) (%S+)$')
  local list = redis.call('HEXISTS', KEYS[1], selector .. '.' .. domain) == 1 and there or gone
  list[#list + 1] = member
end
return {members[#members] or '', there, gone}`,
};

/** KEYS keys, about. ARGV cursor, count. @returns the next cursor, and the fields that we have not stored: names, no values */
export const SCAN_FOREIGN: RedisScript = {
  lua: `
local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
local fields = {}
for i = 1, #page[2], 2 do
  if redis.call('HEXISTS', KEYS[2], page[2][i]) == 0 then fields[#fields + 1] = page[2][i] end
end
return {page[1], fields}`,
};

/** KEYS a hash. ARGV cursor, count. @returns the next cursor, and fields without their values */
export const SCAN_FIELDS: RedisScript = {
  lua: `
local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
local fields = {}
for i = 1, #page[2], 2 do fields[#fields + 1] = page[2][i] end
return {page[1], fields}`,
};

/** KEYS a hash. ARGV cursor, count. @returns the next cursor, and fields and values in turn */
export const SCAN_PAIRS: RedisScript = {
  lua: `return redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])`,
};

/** KEYS probe, keys. Does all that the others do, on a name of its own, so that a refusal comes before the work. */
export const PROBE: RedisScript = {
  lua: `
redis.call('HGET', KEYS[2], '')
redis.call('ZRANGEBYLEX', KEYS[1], '-', '+')
redis.call('ZADD', KEYS[1], 0, 'x')
redis.call('ZREM', KEYS[1], 'x')
redis.call('HSET', KEYS[1], 'x', 'x')
redis.call('HDEL', KEYS[1], 'x')
redis.call('SET', KEYS[1], redis.call('TIME')[1], 'PX', 1000)
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('DEL', KEYS[1])
return 'ok'`,
};
