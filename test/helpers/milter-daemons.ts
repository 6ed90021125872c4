import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { run, start, untilListening } from "./daemon-process.ts";
import { freePort } from "./free-port.ts";
import { findBinary } from "./peers.ts";
import { handOver, type RunningSigner, signOnce, withSignatures } from "./signer-daemons.ts";

/* Signers that are milters; mail reaches them by miltertest(8). */

const isRoot = process.getuid?.() === 0;

/** @param lines of dkimpy-milter.conf that we exported; mail reaches the milter by miltertest(8) */
export function signWithDkimpyMilter(
  folder: string,
  messages: readonly Uint8Array[],
  lines: string,
): Promise<Uint8Array[]> {
  return signOnce(startDkimpyMilter(folder, lines), messages);
}

/** @param include the path of what we exported; mail reaches the milter by miltertest(8) */
export function signWithOpendkimMilter(
  folder: string,
  messages: readonly Uint8Array[],
  include: string,
): Promise<Uint8Array[]> {
  const milter = startMilter(folder, {
    program: "opendkim",
    lines: `Include ${include}\nRequireSafeKeys false\nBackground no\n${isRoot ? "UserID nobody:nogroup\n" : ""}`,
    parameters: (conf) => ["-f", "-x", conf],
  });
  return signOnce(milter, messages);
}

/** A dkimpy-milter that is started again when it has ended. @param lines of its configuration */
export function startDkimpyMilter(folder: string, lines: string): Promise<Milter> {
  return startMilter(folder, {
    program: "dkimpy-milter",
    lines: `UMask 007\nUserID nobody:nogroup\n${lines}`,
    parameters: (conf) => [conf],
  });
}

/** libmilter takes five seconds to go when it is asked to. */
const END_MILTER = "SIGKILL";

/** A milter under a supervisor, which starts it again whenever it has ended, as systemd does with Restart=always. */
export interface Milter extends RunningSigner {
  /** Its configuration. */
  readonly conf: string;
  /** For a shell: ends it, and does not wait for the next: `systemctl restart` says as little of a Type=simple. */
  readonly restart: string;
  /** Exits with 0 when the milter signs the message on its standard input with all of DKIMCTL_SELECTORS, and no other. */
  readonly test: readonly string[];
}

async function startMilter(
  folder: string,
  milter: { program: string; lines: string; parameters: (conf: string) => string[] },
): Promise<Milter> {
  const port = await freePort();
  const [conf, script, pidFile] = ["milter.conf", "message.lua", "milter.pid"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const socket = `inet:${port}@127.0.0.1`;
  const common = `Syslog no\nMode s\nSocket ${socket}\nInternalHosts 127.0.0.1\nCanonicalization relaxed/simple\n`;
  writeFileSync(conf, common + milter.lines);
  writeFileSync(script, milterScript(socket));
  handOver(folder);
  let isStopping = false;
  const launch = () => {
    const started = start(milter.program, milter.parameters(conf));
    writeFileSync(pidFile, String(started.pid));
    void started.ended.then(async () => {
      await delay(100);
      if (!isStopping) daemon = launch();
    });
    return started;
  };
  let daemon = launch();
  const miltertest = findBinary("miltertest") ?? "miltertest";
  const selectors = `${miltertest} -s ${script} | sed -n 's/.*[ \\t]s=\\([^;]*\\);.*/\\1/p' | sort`;
  return {
    conf,
    restart: `pid=$(cat ${pidFile})
kill -s ${END_MILTER.slice(3)} $pid
while kill -0 $pid; do sleep 0.05; done 2>/dev/null`,
    test: ["sh", "-c", `[ "$(${selectors})" = "$(echo "$DKIMCTL_SELECTORS" | sort)" ]`],
    async sign(messages) {
      // Its supervisor starts it again when it has ended.
      await untilListening(port, { log: () => daemon.log(), hasEnded: () => false });
      const signed: Uint8Array[] = [];
      for (const message of messages) {
        const output = await run("miltertest", ["-s", script], {}, Buffer.from(message).toString("latin1"));
        const fields = [...output.matchAll(/<<([\s\S]*?)>>/g)].map(([, value = ""]) => value.replace(/\r?\n/g, "\r\n"));
        signed.push(withSignatures(fields, message));
      }
      return signed;
    },
    async stop() {
      isStopping = true;
      await daemon.stop(END_MILTER);
    },
  };
}

/** For miltertest(8): the message on the standard input goes to the milter; the signatures come out in `<<` and `>>`. */
function milterScript(socket: string): string {
  return `local text = io.read("*a"):gsub("\\r\\n", "\\n")
local head, body = text:match("^(.-)\\n\\n(.*)$")
conn = mt.connect(${JSON.stringify(socket)})
if not conn then error("the milter does not listen") end
mt.conninfo(conn, "localhost", "127.0.0.1")
mt.macro(conn, SMFIC_MAIL, "i", "t-1")
mt.mailfrom(conn, "<a@example.com>")
for line in head:gmatch("[^\\n]+") do
  local name, value = line:match("^(.-):%s*(.*)$")
  mt.header(conn, name, value)
end
mt.eoh(conn)
mt.bodystring(conn, (body:gsub("\\n", "\\r\\n")))
mt.eom(conn)
for i = 0, 3 do
  local field = mt.getheader(conn, "DKIM-Signature", i)
  if field then mt.echo("<<" .. field .. ">>") end
end
mt.disconnect(conn)
`;
}
