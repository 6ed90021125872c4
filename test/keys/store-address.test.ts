import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DkimctlError } from "../../src/errors.ts";
import { parseStoreAddress, storeName } from "../../src/keys/store-address.ts";

const RSPAMD = { keys: "DKIM_KEYS", selectors: undefined, prefix: "dkimctl:" };
const REDIS = {
  kind: "redis",
  topology: "server",
  servers: [{ host: "h", port: 6379 }],
  masterName: undefined,
  socketPath: undefined,
  tls: false,
  database: 0,
  username: undefined,
  passwordFile: undefined,
  caFile: undefined,
  leaseMs: 30_000,
  layout: RSPAMD,
};

describe("parseStoreAddress", () => {
  test.each(["/var/lib/dkim", "keys", "./a:b", "a:b", "C:\\keys", "redis", "-", "a@b:c", "./redis://h", "x y"])(
    "%j is a folder",
    (path) => {
      expect(parseStoreAddress(path)).toEqual({ kind: "directory", path });
    },
  );

  test.each<[string, object]>([
    ["redis://h", {}],
    ["REDIS://h/", {}],
    ["redis://h:6380/3", { servers: [{ host: "h", port: 6380 }], database: 3 }],
    ["redis://[2001:db8::1]:7", { servers: [{ host: "2001:db8::1", port: 7 }] }],
    ["rediss://dkim%40x@h", { tls: true, username: "dkim@x" }],
    ["redis+unix:///run/redis/redis.sock", { servers: [], socketPath: "/run/redis/redis.sock" }],
    [
      "rediss+sentinel://a,b:5/mymaster/2",
      {
        topology: "sentinel",
        tls: true,
        masterName: "mymaster",
        database: 2,
        servers: [
          { host: "a", port: 26379 },
          { host: "b", port: 5 },
        ],
      },
    ],
    ["redis+cluster://h", { topology: "cluster" }],
    ["redis://h?layout=mailcow", { layout: { ...RSPAMD, keys: "DKIM_PRIV_KEYS", selectors: "DKIM_SELECTORS" } }],
    ["redis://h?keys=K&selectors=S&prefix=p.", { layout: { keys: "K", selectors: "S", prefix: "p." } }],
    ["redis://h?password-file=/etc/p&ca=/etc/ca", { passwordFile: "/etc/p", caFile: "/etc/ca" }],
  ])("%s", (text, expected) => {
    const address = parseStoreAddress(text);
    expect(address).toEqual({ ...REDIS, text: text.replace(/\?.*/, ""), ...expected });
    expect(storeName(address)).toBe(text.replace(/\?.*/, ""));
  });

  test.each<[string, RegExp]>([
    ["redis:h", /is no address of a store/],
    ["redis://", /names no server/],
    ["redis+unix://h/x", /names no socket/],
    ["redis+unix:///run/a%22;x", /no path of a socket/],
    ["redis://a,b", /names several servers.*redis\+sentinel/s],
    ["redis://h:0", /is no HOST or HOST:PORT/],
    ["redis://h:65536", /is no HOST or HOST:PORT/],
    ["redis://2001:db8::1", /in brackets/],
    ["redis://h/x", /number of a database/],
    ["redis://h/1/2", /number of a database/],
    ["redis+cluster://h/1", /a cluster has number 0 only/],
    ["redis+sentinel://h", /which master/],
    ["redis://h?pasword=x", /no parameter "pasword".*known are/s],
    ["redis://h?ca=ca.pem", /ca of the store's address must be an absolute path/],
    ["redis://h?ca=", /"ca" in the store's address has no value/],
    ["redis://h?ca=/a&ca=/b", /"ca" stands twice/],
    ["redis://h?layout=x", /is no layout.*rspamd, mailcow/s],
    ["redis://h?keys=a%20b", /is no name for keys/],
    ["redis://h?keys=a&selectors=a", /same hash/],
    ["redis://h#x", /is no address of a store/],
    ["redis://h%zz", /HOST/],
    ["redis://%zz@h", /encodes nothing/],
    ["http://h", /no kind of store that is called "http"/],
    ["file:///var/lib/dkim", /name the folder itself: \/var\/lib\/dkim/],
  ])("%s is refused", (text, message) => {
    expect(failure(text)).toMatch(message);
  });

  test.each([
    "redis://:hunter2@h",
    "redis://u:hunter2@h/0",
    "rediss://u:hunter2@a,b",
    "redis://u:hunt/er2hunter2@h",
    "redis://u:hunter2#@h",
    "redis://u:hunter2 @h",
    "redis:u:hunter2@h",
    "redis://u:a@hunter2@h",
    "http://u:hunter2@h",
  ])("%s: a password is refused, and not repeated", (text) => {
    const message = failure(text);
    expect(message).toMatch(/a password does not belong|is no address of a store|no kind of store/);
    expect(message).not.toContain("hunter2");
  });

  test("any text is an address or a usage error", () => {
    const piece = fc.constantFrom(
      "redis",
      "rediss",
      "+unix",
      "://",
      ":",
      "@",
      "/",
      "?",
      "=",
      "&",
      ",",
      "[",
      "]",
      "%",
      "h",
      "1",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (address) => {
        try {
          parseStoreAddress(address);
        } catch (error) {
          expect(error).toBeInstanceOf(DkimctlError);
        }
      }),
    );
  });
});

function failure(text: string): string {
  try {
    parseStoreAddress(text);
  } catch (error) {
    if (error instanceof DkimctlError && error.code === "DKIM_STORE_ADDRESS") return `${error.message}\n${error.hint}`;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}
