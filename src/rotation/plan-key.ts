import { roughDuration } from "./duration.ts";
import type { Observation } from "./observation.ts";
import type { PlanInput, RotationFinding, RotationPlan, Step, Wait } from "./plan.ts";
import { type Effect, type RotationKey, stateSince } from "./rotation-key.ts";
import { drainedAt, forgottenAt, safeSince, tombstoneEnd } from "./rotation-times.ts";

/** What one key needs at this moment, whichever key signs. */
export function planKey(key: RotationKey, input: PlanInput): RotationPlan {
  const planner = new KeyPlanner(key, input);
  planner.plan();
  return planner;
}

class KeyPlanner implements RotationPlan {
  readonly steps: Step[] = [];
  readonly waits: Wait[] = [];
  readonly findings: RotationFinding[] = [];
  readonly #key: RotationKey;
  readonly #input: PlanInput;
  readonly #seen: Observation | undefined;

  constructor(key: RotationKey, input: PlanInput) {
    this.#key = key;
    this.#input = input;
    this.#seen = input.observations.get(key.selector);
  }

  plan(): void {
    const { selector, algorithm, state, record, compromisedAt } = this.#key;
    const { policy } = this.#input;
    const precedesUse = state === "new" || state === "published" || state === "ready";
    // Somebody who changes the signer by hand, or a run that was killed, may have begun to sign with it.
    const maySign = this.#key.intent?.effect === "activate";
    const isLost = !this.#input.taken.has(selector);
    if (state === "active" && isLost) {
      this.#person("its private key is not in the store", "put it back, or let rotate make another one");
    }
    if (state === "active") this.#planSigning();
    if (record === undefined) {
      this.steps.push({ kind: "create", selector, algorithm, why: "begun before" });
    } else if (precedesUse && compromisedAt !== undefined && !maySign) {
      this.steps.push({ kind: "advance", selector, to: "draining", why: "it is compromised" });
    } else if (precedesUse && isLost && !maySign) {
      this.steps.push({ kind: "advance", selector, to: "draining", why: "its private key is not in the store" });
    } else if (precedesUse && !policy.algorithms.includes(algorithm) && !maySign) {
      this.steps.push({ kind: "advance", selector, to: "draining", why: `${algorithm} keys are no longer wanted` });
    } else if (state === "tombstone") this.#planTombstone();
    else if (state === "draining" && this.#input.now >= drainedAt(this.#key, policy, this.#input.clockSetAt))
      this.#planRevocation();
    else this.#planPublished();
  }

  /** The journal says that the key signs; the signer may have been told otherwise. */
  #planSigning(): void {
    const { named, journal } = this.#input;
    const isChanging = journal.keys.some(({ intent }) => intent?.effect === "activate");
    if (named?.kind !== "known" || !named.isWhole || isChanging || named.where(this.#key.selector)) return;
    this.#person(`the signer does not use it: ${named.source} does not name it`, "see: dkimctl check-signer --help");
  }

  /** A key that the signer may use must not be revoked: its mail would fail from then on. One that leaked must. */
  #isHeld(): boolean {
    const { named } = this.#input;
    const { selector, compromisedAt } = this.#key;
    const where = named?.kind === "known" ? named.where(selector) : undefined;
    const fault = named?.kind === "unknown" ? named.reason : where && `${where} still names it`;
    if (fault === undefined) return false;
    const isHeld = compromisedAt === undefined;
    const consequence = isHeld
      ? "its record stays until that is put right"
      : "it is revoked, and mail signed with it fails";
    this.#person(`${fault}: ${consequence}`, "make the signer use the active key: dkimctl status tells which it is");
    if (isHeld) this.#wait("the signer's configuration", undefined);
    return isHeld;
  }

  /** The record should be there. */
  #planPublished(): void {
    const { selector, state } = this.#key;
    const seen = this.#seen;
    if (seen === undefined) return;
    if (seen.kind === "doubt") {
      this.#doubted(seen.reason, seen.contradicts);
      return;
    }
    switch (seen.serves) {
      case "ours":
        this.#planProven();
        return;
      case "nothing":
        if (state === "active" || state === "draining") {
          this.#person(`no server has the record, and mail that was signed with this key fails`);
        }
        this.#ask("publish", state === "new" ? "every server must have it" : "the record has gone");
        if (state === "new") this.#alertWhenLate("publish", "no server has the record");
        return;
      default:
        this.#person(
          `the record at its name is not ours: ${seen.detail}`,
          `see it: dkimctl verify-key ${this.#input.journal.domain} ${selector}`,
        );
    }
  }

  #planProven(): void {
    const { selector, state, provenSince } = this.#key;
    const { now, policy, clockSetAt } = this.#input;
    if (provenSince === undefined) return;
    if (state === "new") {
      this.steps.push({ kind: "advance", selector, to: "published", why: "every server has the record" });
    } else if (state === "published" || state === "ready") {
      const until = safeSince(this.#key, provenSince, policy, clockSetAt);
      if (now < until) this.#wait("caches that may hold an older answer", until, true);
      else if (state === "published") {
        this.steps.push({ kind: "advance", selector, to: "ready", why: "no cache holds an older answer" });
      }
    } else if (state === "draining") this.#wait("mail on its way", drainedAt(this.#key, policy, clockSetAt));
  }

  #doubted(reason: string, contradicts: boolean): void {
    const { state } = this.#key;
    if (contradicts && (state === "active" || state === "draining")) {
      this.#person(reason);
      return;
    }
    this.#wait(`the servers: ${reason}`, undefined);
    // Nothing signs with it yet, and servers that were just reloaded often need a moment.
    if (state === "new") this.#alertWhenLate("publish", reason);
    else this.findings.push({ level: "waiting", selector: this.#key.selector, message: reason });
  }

  #planRevocation(): void {
    const { selector } = this.#key;
    const seen = this.#seen;
    if (seen?.kind === "agreed" && (seen.serves === "revoked" || seen.serves === "nothing")) {
      const why = seen.serves === "revoked" ? "every server has the revoked record" : "no server has the record";
      this.steps.push({ kind: "advance", selector, to: "tombstone", why });
    } else if (seen?.kind === "agreed" && seen.serves === "ours") {
      if (this.#isHeld()) return;
      this.#ask("tombstone", this.#key.compromisedAt === undefined ? "no mail is on its way" : "it is compromised");
      this.#alertWhenLate("tombstone", "the record is not revoked");
    } else if (seen?.kind === "agreed") this.#person(`the record at its name is not ours: ${seen.detail}`);
    else if (seen !== undefined) this.#unsettled("tombstone", seen.reason);
  }

  #planTombstone(): void {
    const { now, policy, clockSetAt } = this.#input;
    const seen = this.#seen;
    const until = tombstoneEnd(this.#key, policy, clockSetAt);
    if (seen?.kind === "agreed" && seen.serves === "ours") {
      if (!this.#isHeld()) this.#ask("tombstone", "the record has come back");
      return;
    }
    if (now < until) {
      this.#wait("the end of the revoked record", until);
      return;
    }
    if (this.#isHeld()) return;
    if (seen?.kind === "agreed" && seen.serves === "nothing") {
      this.#planEnd();
    } else if (seen?.kind === "agreed" && seen.serves === "revoked") {
      this.#ask("withdraw", `revoked for ${roughDuration(now - stateSince(this.#key))}`);
      this.#alertWhenLate("withdraw", "the revoked record is still there");
    } else if (seen?.kind === "agreed") this.#person(`the record at its name is not ours: ${seen.detail}`);
    else if (seen !== undefined) this.#unsettled("withdraw", seen.reason);
  }

  /** The record is proven absent. */
  #planEnd(): void {
    const { selector, absentSince } = this.#key;
    const { now, policy, clockSetAt } = this.#input;
    if (!policy.reveal) {
      this.steps.push({ kind: "destroy", selector, why: "no server has the record" });
    } else if (absentSince !== undefined) {
      // Whoever has the private key could deceive receivers whose resolvers still hold the public one.
      const until = forgottenAt(this.#key, absentSince, policy, clockSetAt);
      if (now < until) this.#wait("caches that may hold the key", until, true);
      else this.steps.push({ kind: "reveal", selector, why: "no server has the record, and no cache has the key" });
    }
  }

  #ask(effect: Exclude<Effect, "activate">, why: string): void {
    const { selector, intent } = this.#key;
    const { now, policy } = this.#input;
    if (intent?.effect === effect && intent.last !== undefined && now < intent.last + policy.publishAgainMs) {
      this.#wait("the servers", undefined);
    } else this.steps.push({ kind: effect, selector, why });
  }

  /** The servers do not agree while a change that was asked for makes its way. */
  #unsettled(effect: Effect, reason: string): void {
    this.#wait(`the servers: ${reason}`, undefined);
    this.#alertWhenLate(effect, reason);
  }

  #alertWhenLate(effect: Effect, state: string): void {
    const { selector, intent } = this.#key;
    const { now, policy } = this.#input;
    if (intent?.effect !== effect || now < intent.since + policy.alertAfterMs) return;
    const message = `${state}, ${roughDuration(now - intent.since)} after it was asked for`;
    this.findings.push({ level: "waiting", selector, message });
  }

  #person(message: string, hint?: string): void {
    this.findings.push({ level: "person", selector: this.#key.selector, message, hint });
  }

  #wait(what: string, until: number | undefined, unbroken?: true): void {
    this.waits.push({ selector: this.#key.selector, what, until, ...(unbroken && { unbroken }) });
  }
}
