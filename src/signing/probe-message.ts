import type { KeyName } from "../keys/key-name.ts";
import type { SignOptions } from "./sign.ts";

const PROBE_HEADERS = ["from", "to", "subject", "date", "message-id"];

/**
 * A message made to be signed, to prove a key, and never to be sent. CRLF, 7-bit, one line of body and nothing blank at
 * its end: verifiers disagree about the rest. It tells nothing of the machine that made it.
 * @param now the Date field; with the name it also makes the Message-ID
 */
export function buildProbeMessage({ domain, selector }: KeyName, now: Date): Uint8Array {
  const stamp = now
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[:-]/g, "");
  const lines = [
    `From: DKIM probe <probe@${domain}>`,
    `To: DKIM probe <probe@${domain}>`,
    `Subject: DKIM probe of selector ${selector}`,
    // RFC 5322 §3.3 knows "GMT" only as obsolete syntax.
    `Date: ${now.toUTCString().replace(/GMT$/, "+0000")}`,
    `Message-ID: <${stamp}.dkim-probe@${domain}>`,
    "",
    "This message proves a DKIM key. It was made to be verified, not to be sent.",
    "",
  ];
  return Buffer.from(lines.join("\r\n"), "latin1");
}

/** How a probe is signed: all of its fields, each oversigned. */
export function probeSignOptions(
  { domain, selector }: KeyName,
  now: Date,
): Pick<SignOptions, "domain" | "selector" | "headers" | "oversign" | "signedAt"> {
  return { domain, selector, headers: PROBE_HEADERS, oversign: PROBE_HEADERS, signedAt: now };
}
