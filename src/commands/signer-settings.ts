import type { Settings } from "../config.ts";

/** A way to change the signer comes whole, and takes nothing from another one but the patience. */
export function signerOver(common: Settings["signer"], own: Settings["signer"]): Settings["signer"] {
  if (own.activate === undefined && own.output === undefined) return { ...common, ...own };
  const { "time-limit": timeLimit } = common;
  return { ...(timeLimit !== undefined && { "time-limit": timeLimit }), ...own };
}
