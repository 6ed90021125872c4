import type { CliContext } from "../context.ts";
import type { Publisher } from "../dns/publish/publisher.ts";
import { parseServerAddress } from "../dns/server-address.ts";
import { UsageError } from "../errors.ts";
import { oneAtATime } from "../one-at-a-time.ts";
import type { Settings } from "./settings.ts";

type PublishSettings = Settings["publish"];

const TIME_LIMIT_MS = 30_000;
const DNS_PORT = 53;

/** Opens what changes the DNS; `undefined`: a person does. @throws {UsageError} the method lacks a setting */
export type OpenPublisher = (settings: PublishSettings) => Promise<Publisher | undefined>;

/** For all domains of a run: those with the same settings have the same publisher. */
export function createPublishers({ env, now }: Pick<CliContext, "env" | "now">): OpenPublisher {
  const turns = new Map<string, ReturnType<typeof createTurns>>();
  /** Domains rotate side by side; a file, a zone's API or a program of the user's is for one of them at a time. */
  const inTurn = (target: readonly string[], publisher: Publisher): Publisher => {
    const place = JSON.stringify(target);
    const turn = turns.get(place) ?? createTurns();
    turns.set(place, turn);
    return { change: (change, signal) => turn(() => publisher.change(change, signal)) };
  };

  return async function openPublisher(publish) {
    const { method = "manual" } = publish;
    const timeLimitMs = publish["time-limit"] ?? TIME_LIMIT_MS;
    switch (method) {
      case "manual":
        return undefined;
      case "exec": {
        const { createExecPublisher } = await import("../dns/publish/exec-publisher.ts");
        const command = needed(publish.command, method, "command");
        return inTurn([method, ...command], createExecPublisher({ command, env, timeLimitMs }));
      }
      case "zone-file": {
        const { createZoneFilePublisher } = await import("../dns/publish/zone-file-publisher.ts");
        const file = needed(publish.file, method, "file");
        const { "serial-file": serialFile, check, reload } = publish;
        const options = { file, serialFile, check, reload, env, timeLimitMs, now: () => now().getTime() };
        return inTurn([method, file], createZoneFilePublisher(options));
      }
      case "lexicon": {
        const { createLexiconPublisher } = await import("../dns/publish/lexicon-publisher.ts");
        const provider = needed(publish.provider, method, "provider");
        const configDir = needed(publish["config-dir"], method, "config-dir");
        const splitStrings = publish["split-strings"];
        const options = { provider, configDir, splitStrings, env, timeLimitMs };
        return inTurn([method, provider, configDir], createLexiconPublisher(options));
      }
      case "nsupdate": {
        const { createNsupdatePublisher } = await import("../dns/publish/nsupdate-publisher.ts");
        const address = parseServerAddress(needed(publish.server, method, "server"));
        if (address.transport === "https" || address.transport === "tls") {
          throw new UsageError(`nsupdate cannot use ${publish.server}`, { hint: "give ADDRESS or ADDRESS#PORT" });
        }
        const server = { host: address.host, port: address.port ?? DNS_PORT };
        return createNsupdatePublisher({ server, keyFile: publish["key-file"], env, timeLimitMs });
      }
    }
  };
}

function createTurns() {
  return oneAtATime((work: () => Promise<void>) => work());
}

function needed<Value>(value: Value | undefined, method: string, key: string): Value {
  if (value !== undefined) return value;
  throw new UsageError(`the method ${method} needs the setting publish.${key}`, {
    hint: `see dkimctl.toml(5): [publish] ${key} = …; or give --publish-${key}`,
  });
}
