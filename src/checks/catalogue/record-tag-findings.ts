import { kind, type PartDetails } from "./finding-kind.ts";

/** RFC 6376 §3.6.1: the tags of a key record, save what p= holds. */
export const RECORD_TAG_FINDINGS = {
  "V-MISSING": kind({
    severity: "info",
    summary: "v=DKIM1 is missing",
    explanation:
      "v= is recommended and DKIM1 when absent (RFC 6376 §3.6.1). All tested verifiers accept the record; big senders " +
      "have published without it.",
    fix: "put v=DKIM1; before the other tags",
  }),
  "V-FIRST": kind({
    severity: "error",
    summary: "v= is not the first tag",
    explanation:
      "Where v= is present it must be the first tag (RFC 6376 §3.6.1). The five tested verifiers accept it elsewhere; " +
      "go-dkim, mox and Apache James refuse the record.",
    fix: "move v=DKIM1 to the front",
  }),
  "V-VALUE": kind<PartDetails>({
    severity: "error",
    summary: "v= is not DKIM1",
    message: ({ part }) => `v= is ${part}; a key record has v=DKIM1, exactly so`,
    explanation:
      "The value must be DKIM1, compared octet by octet (RFC 6376 §3.6.1). There is no other version: DKIM2 keeps " +
      "DKIM1 records. rspamd ignores v=, mailauth its case; the others discard the record.",
    fix: "write v=DKIM1; if this is an SPF, DMARC or verification record, publish it at its own name",
  }),
  "K-EMPTY": kind({
    severity: "error",
    summary: "k= has no value",
    explanation:
      "An empty value is not an absent tag (RFC 6376 §3.2), and no key type has an empty name. Mail::DKIM and rspamd " +
      "take it for rsa; others refuse the key.",
    fix: "write k=rsa or k=ed25519",
  }),
  "K-UNKNOWN": kind<PartDetails>({
    severity: "error",
    summary: "k= names no known key type",
    message: ({ part }) => `k= is ${part}; the key types are rsa and ed25519, in lower case`,
    explanation:
      "Verifiers must ignore keys of a type they do not know (RFC 6376 §3.6.1), and the name is case-sensitive. " +
      "OpenDKIM, rspamd and mailauth accept RSA in capitals; Mail::DKIM and dkimpy do not.",
    fix: "write k=rsa or k=ed25519, whichever the key is",
  }),
  "H-NOSHA256": kind<PartDetails>({
    severity: "error",
    summary: "h= does not allow sha256",
    message: ({ part }) => `h= is ${part}, which does not allow sha256`,
    explanation:
      "h= lists the hash algorithms that may be used with the key, and sha256 is the only one left (RFC 8301 §3.1). No " +
      "signature can be accepted. Mail::DKIM and OpenDKIM enforce it; dkimpy, rspamd and mailauth ignore h=.",
    fix: "remove h=, or write h=sha256",
  }),
  "H-SHA1": kind({
    severity: "warning",
    summary: "h= allows sha1",
    explanation:
      "rsa-sha1 must not be used to sign, nor be accepted (RFC 8301 §3.1). Listing it invites nothing but forgery.",
    fix: "write h=sha256, or remove h=",
  }),
  "H-UNKNOWN": kind<PartDetails>({
    severity: "info",
    summary: "h= lists an unknown hash algorithm",
    message: ({ part }) => `h= lists ${part}, which DKIM does not define`,
    explanation: "Verifiers ignore algorithms that they do not know (RFC 6376 §3.6.1).",
    fix: "write h=sha256, or remove h=",
  }),
  "H-SYNTAX": kind<PartDetails>({
    severity: "warning",
    summary: "h= is not a colon-separated list of words",
    message: ({ part }) => `h= holds ${part}, which is not an algorithm's name`,
    explanation:
      "The list is made of words of letters, digits and inner hyphens with colons between (RFC 6376 §3.6.1). All tested " +
      "verifiers pass over what is not; stricter ones may discard the record.",
    fix: "write h=sha256, or remove h=",
  }),
  "S-SYNTAX": kind<PartDetails>({
    severity: "warning",
    summary: "s= is not a colon-separated list of words",
    message: ({ part }) => `s= holds ${part}, which is not a service type`,
    explanation:
      "The list is made of *, or words of letters, digits and inner hyphens, with colons between (RFC 6376 §3.6.1).",
    fix: "remove s=, or write s=email",
  }),
  "T-SYNTAX": kind<PartDetails>({
    severity: "warning",
    summary: "t= is not a colon-separated list of words",
    message: ({ part }) => `t= holds ${part}, which is not a flag`,
    explanation:
      "The list is made of words of letters, digits and inner hyphens with colons between (RFC 6376 §3.6.1). All tested " +
      "verifiers accept an empty or odd t=; other checkers call it an error. A time stamp belongs into signatures.",
    fix: "remove t=, or write t=s",
  }),
  "COLON-WSP": kind<{ readonly name: string }>({
    severity: "warning",
    summary: "white space stands beside a colon in h= or s=",
    message: ({ name }) => `white space stands beside a colon in ${name}=`,
    explanation:
      "The grammar allows it (RFC 6376 §3.6.1), but Mail::DKIM, which amavis and SpamAssassin use, does not trim the " +
      "words and refuses the key.",
    fix: "write the list without spaces",
  }),
  "S-NOTEMAIL": kind<PartDetails>({
    severity: "error",
    summary: "s= does not allow the key for mail",
    message: ({ part }) => `s= is ${part}; without email or * the key is not for mail`,
    explanation:
      "A verifier must ignore a record whose s= lists neither * nor email (RFC 6376 §3.6.1). Mail::DKIM, dkimpy and " +
      "OpenDKIM do; rspamd and mailauth ignore s=. The words are case-sensitive.",
    fix: "remove s=, or write s=email",
  }),
  "S-LIST": kind({
    severity: "info",
    summary: "s= lists more than one service",
    explanation:
      "This is legal (RFC 6376 §3.6.1), but dkimpy 1.1.4 compares the whole value with email and refuses the key.",
    fix: "remove s=, or write s=email",
  }),
  "S-UNKNOWN": kind<PartDetails>({
    severity: "info",
    summary: "s= lists an unknown service",
    message: ({ part }) => `s= lists ${part}, which verifiers of mail do not know`,
    explanation: "Verifiers ignore services that they do not know (RFC 6376 §3.6.1).",
    fix: "remove s=, or write s=email",
  }),
  "T-TESTING": kind({
    severity: "warning",
    summary: "t=y declares the domain to be testing",
    explanation:
      "Verifiers must not treat mail that fails from a testing domain worse than unsigned mail (RFC 6376 §3.6.1). All " +
      "tested verifiers report the signature's true result all the same. It is easily forgotten.",
    fix: "remove the flag y when the tests are over",
  }),
  "T-UNKNOWN": kind<PartDetails>({
    severity: "info",
    summary: "t= lists an unknown flag",
    message: ({ part }) => `t= lists ${part}; the flags are y and s`,
    explanation: "Verifiers ignore flags that they do not know (RFC 6376 §3.6.1).",
    fix: "remove the flag",
  }),
  "G-HISTORIC": kind<PartDetails>({
    severity: "warning",
    summary: "g= is a tag of the past",
    message: ({ part }) => `g= is ${part}; RFC 6376 has no such tag`,
    explanation:
      "g= limited a key to some addresses in RFC 4871 and was removed in RFC 6376. " +
      "Mail::DKIM still enforces it and refuses an empty one; g=* does no harm.",
    fix: "remove g=",
  }),
  "N-QP": kind<PartDetails>({
    severity: "warning",
    summary: "n= is not quoted-printable",
    message: ({ part }) => `n= holds ${part}, which is no =XX of quoted-printable`,
    explanation:
      "n= is a qp-section (RFC 6376 §3.6.1): an equals sign starts two upper-case hexadecimal digits (RFC 2045 §6.7). " +
      "No verifier reads n=; people and tools do.",
    fix: "write an equals sign as =3D",
  }),
  "P-MISSING": kind({
    severity: "error",
    summary: "p= is missing",
    explanation: "p= is the key itself and required (RFC 6376 §3.6.1). Every verifier refuses the record.",
    fix: "publish the whole record; to revoke the key, publish an empty p=",
  }),
  "P-EMPTY": kind({
    severity: "info",
    summary: "p= is empty: the key is revoked",
    explanation:
      "An empty p= means that the key has been revoked: signatures fail for good (RFC 6376 §3.6.1, §6.1.2). It means no " +
      "more than a record that was removed.",
    fix: "nothing, if the key is meant to be revoked; otherwise publish the key",
  }),
};
