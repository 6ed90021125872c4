import { UsageError } from "../errors.ts";
import type { Selector } from "../keys/selector.ts";
import { confirmActivation } from "../rotation/rotate-domain.ts";
import { type Journal, liveKey, liveKeys, replaceKey } from "../rotation/rotation-key.ts";
import type { RotationPolicy } from "../rotation/rotation-policy.ts";
import { isUsable } from "../rotation/rotation-times.ts";

/** `--compromised`: the key is to be replaced and revoked. @throws {UsageError} */
export function markCompromised(journal: Journal, selector: Selector, now: number): Journal {
  const key = liveKey(journal, selector);
  if (key === undefined) throw noSuchKey(journal, selector);
  return replaceKey(journal, { ...key, compromisedAt: key.compromisedAt ?? now });
}

/** `--active`: a person has made the signer use these keys. @throws {UsageError} the world cannot verify with one of them */
export function confirmSigner(
  journal: Journal,
  selectors: readonly Selector[],
  policy: RotationPolicy,
  now: number,
  clockSetAt?: number,
): Journal {
  for (const selector of selectors) {
    const key = liveKey(journal, selector);
    if (key === undefined) throw noSuchKey(journal, selector);
    if (key.state === "active" || isUsable(key, policy, now, clockSetAt)) continue;
    throw new UsageError(`${selector} of ${journal.domain} must not sign: it is ${key.state}, and not ready`, {
      hint: "make the signer use the key that is active, and see: dkimctl status",
    });
  }
  const missing = policy.algorithms.filter(
    (algorithm) => !selectors.some((selector) => liveKey(journal, selector)?.algorithm === algorithm),
  );
  if (missing.length > 0) {
    throw new UsageError(`no ${missing.join(" and no ")} key is among those that sign`, {
      hint: "name all that sign: --active SELECTOR --active SELECTOR",
    });
  }
  return confirmActivation(journal, selectors, now);
}

function noSuchKey(journal: Journal, selector: Selector): UsageError {
  const known = liveKeys(journal).map((key) => key.selector);
  return new UsageError(`${journal.domain} has no key ${selector}`, {
    hint: known.length === 0 ? "it has none at all" : `it has ${known.join(", ")}`,
  });
}
