// What stands around the workers of a bench of rotate, and the journals that they find.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";

/**
 * rotation-world.js, in a process of its own.
 * @param zone that its name server is authoritative for
 * @param answerMs how long that takes to answer
 */
export async function startWorld(zone, recordsFile, answerMs = 0) {
  const argv = [join(import.meta.dirname, "rotation-world.js"), zone, recordsFile, String(answerMs)];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const port = Number(String((await once(child.stdout, "data"))[0]));
  return {
    port,
    async report() {
      const socket = createConnection(port, "127.0.0.1");
      socket.write("report\n");
      let report = "";
      for await (const text of socket) report += text;
      return JSON.parse(report);
    },
    stop: () => child.kill("SIGKILL"),
  };
}

/** How dkimctl is to ask that name server: part of a configuration. */
export function dnsSettings(port) {
  return `[dns]\nservers = ["127.0.0.1#${port}"]\nauthoritative-port = ${port}\n`;
}

/**
 * The journal of a domain whose only key has signed since then.
 * @param key `selector`, `algorithm`, `record`, and `bits` of an RSA key
 * @param {number} time milliseconds since the epoch
 */
export function journalOfActive(domain, key, time) {
  const since = new Date(time).toISOString();
  const entered = { new: since, published: since, ready: since, active: since };
  const servedAt = `${key.selector}._domainkey.${domain}`;
  const seen = { provenSince: since, servedAt, staleSeconds: 1, ttlSeconds: 1 };
  const keys = [{ ...key, state: "active", entered, ...seen }];
  return JSON.stringify({ schema: "dkimctl/rotation-journal/1", domain, keys });
}
