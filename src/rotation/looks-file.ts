import type { KeptLook } from "./look.ts";

const SCHEMA = "dkimctl/rotation-looks/1";

/** The looks at all domains as JSON: settings to domain to two times, in milliseconds since the epoch. */
export function formatLooks(looks: ReadonlyMap<string, KeptLook>): string {
  const bySettings: Record<string, Record<string, readonly [number, number]>> = {};
  for (const [domain, { settings, at, until }] of looks) {
    bySettings[settings] ??= {};
    bySettings[settings][domain] = [at, until];
  }
  return `${JSON.stringify({ schema: SCHEMA, looks: bySettings })}\n`;
}

/** @returns without what cannot be read: that is looked at again */
export function parseLooks(text: string): Map<string, KeptLook> {
  const looks = new Map<string, KeptLook>();
  for (const [settings, domains] of entriesOf(documentIn(text).looks)) {
    for (const [domain, times] of entriesOf(domains)) {
      const [at, until]: unknown[] = Array.isArray(times) ? times : [];
      if (typeof at === "number" && typeof until === "number") looks.set(domain, { at, until, settings });
    }
  }
  return looks;
}

function documentIn(text: string): Record<string, unknown> {
  try {
    const document: Record<string, unknown> | null = JSON.parse(text);
    return document?.schema === SCHEMA ? document : {};
  } catch {
    return {};
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
