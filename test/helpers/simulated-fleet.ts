import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { parseDomainName } from "../../src/keys/domain-name.ts";
import { DirectoryJournalStore } from "../../src/rotation/directory-journal-store.ts";
import { formatJournal, parseJournal } from "../../src/rotation/journal.ts";
import { rotateDomain } from "../../src/rotation/rotate-domain.ts";
import type { Intent, Journal, RotationKey } from "../../src/rotation/rotation-key.ts";
import { DEFAULT_POLICY, type RotationPolicy } from "../../src/rotation/rotation-policy.ts";
import { HOUR, SimulatedWorld, seededRandom } from "./rotation-simulation.ts";
import { simulatedRotationWorld } from "./simulated-rotation.ts";

/*
 * Journals of a fleet, as the engine itself writes them: the lives of a few domains are simulated every two hours, and each
 * domain of the fleet is one of them at some moment of its life, moved to end at `now`.
 */

const BEGIN = Date.parse("2026-01-01T00:00:00Z");
const LIFE_DAYS = 260;

interface Moment {
  readonly now: number;
  readonly text: string;
}

export interface SimulatedLife {
  readonly policy: Partial<RotationPolicy>;
  readonly trouble?: "leak" | "deaf" | "off";
}

const LIVES: readonly SimulatedLife[] = [
  { policy: { algorithms: ["rsa"] } },
  { policy: { algorithms: ["rsa", "ed25519"] } },
  { policy: { algorithms: ["rsa"], standby: true } },
  { policy: { algorithms: ["ed25519"] }, trouble: "leak" },
  { policy: { algorithms: ["rsa", "ed25519"] }, trouble: "deaf" },
  { policy: { algorithms: ["rsa"] }, trouble: "off" },
];

let simulated: Promise<readonly (readonly Moment[])[]> | undefined;

/** @param count of domains, each with one to several keys, in all states and conditions */
export async function fleetJournals(count: number, now: number): Promise<Journal[]> {
  simulated ??= Promise.all(LIVES.map(async (life, index) => simulateLife(life, index + 1)));
  const lives = await simulated;
  const random = seededRandom(7);
  return Array.from({ length: count }, (_, index): Journal => {
    const moments = lives[index % lives.length] ?? [];
    const moment = moments[Math.floor(random() * moments.length)];
    if (moment === undefined) throw new Error("a life without a moment");
    const domain = parseDomainName(index % 7 === 3 ? `mail.customer-${index}.example` : `customer-${index}.example`);
    return { ...moved(parseJournal(moment.text, "journal"), now - moment.now), domain };
  });
}

/** In `store`, as `rotate` would have left them. */
export async function writeFleet(store: string, journals: readonly Journal[]): Promise<void> {
  const folder = new DirectoryJournalStore(new DirectoryKeyStore({ path: store }), {});
  const turn = await folder.begin();
  for (const journal of journals) {
    const lease = await turn.lease(parseDomainName(journal.domain));
    await lease?.writeJournal(journal);
  }
  await turn.release();
}

/** One domain's life, with every moment that was looked at. */
export async function simulatedLife(
  life: SimulatedLife,
): Promise<{ moments: { now: number; journal: Journal }[]; policy: RotationPolicy }> {
  const { policy } = simulatedWorld(life, 1);
  const moments = await simulateLife(life, 1);
  return { policy, moments: moments.map(({ now, text }) => ({ now, journal: parseJournal(text, "journal") })) };
}

function simulatedWorld({ policy }: SimulatedLife, seed: number): SimulatedWorld {
  return new SimulatedWorld({
    ...{ seed, days: LIFE_DAYS, faults: 0, policy: { ...DEFAULT_POLICY, ...policy } },
    rotate: () => async () => {},
  });
}

async function simulateLife(life: SimulatedLife, seed: number): Promise<Moment[]> {
  const { trouble } = life;
  const world = simulatedWorld(life, seed);
  let text = formatJournal({ domain: "example.com", keys: [] });
  const moments: Moment[] = [];
  for (let hours = 0; hours < LIFE_DAYS * 24; hours += 2) {
    const now = BEGIN + hours * HOUR;
    const day = hours / 24;
    // For days nobody runs it, or the publisher does nothing.
    if (trouble !== "off" || day % 31 < 24) {
      let journal = parseJournal(text, "journal");
      if (trouble === "leak" && day % 30 === 0)
        journal = { ...journal, keys: journal.keys.map((key) => leaked(key, now)) };
      const moment = { now, clock: now, lastRunAt: now - HOUR, clockSetAt: undefined };
      const run = simulatedRotationWorld(world, moment, (written) => {
        text = formatJournal(written);
      });
      const isDeaf = trouble === "deaf" && day > 180 && day < 190;
      await rotateDomain(journal, world.policy, isDeaf ? { ...run, changeRecord: async () => "done" } : run);
    }
    if (day > 100) moments.push({ now: now + 20 * 60_000, text });
  }
  return moments;
}

function leaked(key: RotationKey, now: number): RotationKey {
  return key.state === "active" ? { ...key, compromisedAt: now } : key;
}

function moved(journal: Journal, by: number): Journal {
  const move = (time: number | undefined) => (time === undefined ? undefined : time + by);
  return {
    ...journal,
    rotationAskedAt: move(journal.rotationAskedAt),
    keys: journal.keys.map((key) => ({
      ...key,
      bits: key.algorithm === "rsa" ? 2048 : undefined,
      entered: Object.fromEntries(Object.entries(key.entered).map(([state, time]) => [state, time + by])),
      provenSince: move(key.provenSince),
      compromisedAt: move(key.compromisedAt),
      absentSince: move(key.absentSince),
      intent: key.intent && ({ ...key.intent, since: key.intent.since + by, last: move(key.intent.last) } as Intent),
    })),
  };
}
