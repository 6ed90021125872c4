import { kind, type PartDetails } from "./finding-kind.ts";

/** RFC 6376 §3.2: the record as a list of tags. */
export const TAG_LIST_FINDINGS = {
  "TL-NONE": kind({
    severity: "error",
    summary: "the record holds no tag at all",
    explanation:
      "A key record is a list of name=value pairs divided by semicolons (RFC 6376 §3.2). There is none here, so every " +
      "verifier answers that the domain has no key.",
    fix: "publish the whole record, from v=DKIM1 to the end of p=",
  }),
  "TL-SYNTAX": kind<PartDetails & { readonly reason: string }>({
    severity: "error",
    summary: "a part of the record is not name=value",
    message: ({ part, reason }) => `${part} is not a tag: ${reason}`,
    explanation:
      "Each part between semicolons must be a name, an equals sign and a value; a name starts with a letter and goes on " +
      "with letters, digits and underscores (RFC 6376 §3.2). Mail::DKIM, dkimpy and OpenDKIM refuse a record with a " +
      "part that has no equals sign; rspamd and mailauth skip it.",
    fix: "remove that part, or put it right; notes belong into n=",
  }),
  "TL-DUP": kind<{ readonly name: string }>({
    severity: "error",
    summary: "a tag stands twice",
    message: ({ name }) => `the tag ${name}= stands more than once`,
    explanation:
      "Tags with the same name must not occur more than once, and if they do the whole list is invalid, even when no " +
      "one knows the tag (RFC 6376 §3.2). dkimpy and Go verifiers refuse the record; others take the first or the last.",
    fix: "keep one of the two",
  }),
  "TL-EMPTY-SPEC": kind({
    severity: "error",
    summary: "nothing stands before a semicolon",
    explanation:
      "The grammar wants a tag before each semicolon; only one may close the list (RFC 6376 §3.2). dkimpy and OpenDKIM " +
      "refuse the record; Mail::DKIM, rspamd and mailauth accept it.",
    fix: "remove the surplus semicolon",
  }),
  "TL-TRAIL-WSP": kind({
    severity: "info",
    summary: "white space follows the last semicolon",
    explanation:
      "The grammar ends with the semicolon (RFC 6376 §3.2). The five tested verifiers accept white space after it; mox " +
      "refuses it.",
    fix: "remove what follows the last semicolon",
  }),
  "TL-CRLF": kind({
    severity: "error",
    summary: "the record holds a line break",
    explanation:
      "A line break may stand in a tag list only as CR LF followed by a space or tab (RFC 6376 §2.8), and in DNS it has " +
      "no business at all. Most verifiers swallow it, others do not.",
    fix: "publish the record as one line, without line breaks",
  }),
  "TL-8BIT": kind<PartDetails>({
    severity: "error",
    summary: "the record holds a character outside printable US-ASCII",
    message: ({ part }) => `${part} is not printable US-ASCII`,
    explanation:
      "Values are made of printable US-ASCII, spaces and tabs (RFC 6376 §3.2). OpenDKIM refuses the whole record, even " +
      "for an umlaut in n=; dkimpy refuses no-break spaces. Such characters come from word processors and web pages.",
    fix: "remove the character, or write it as =XX in n=; type the record instead of pasting it from a page",
  }),
  "TL-BOM": kind({
    severity: "error",
    summary: "the record starts with a byte order mark (U+FEFF)",
    explanation:
      "An editor put an invisible mark before the text, so that the first tag has another name. dkimpy and OpenDKIM " +
      "refuse the record.",
    fix: "save the file as UTF-8 without a byte order mark, or delete the first character",
  }),
  "TL-QUOTED": kind({
    severity: "error",
    summary: "quotes of a zone file were published as part of the record",
    explanation:
      'The marks that divide strings in a zone file (" ") are text in this record. Around the record only Mail::DKIM ' +
      "copes with them; inside p= they spoil the key, between tags they become part of a tag's name.",
    fix: 'give the provider\'s form the bare text: without quotes, parentheses and the gaps (" ") between strings',
  }),
  "TL-BACKSLASH": kind({
    severity: "error",
    summary: "backslashes of a zone file were published as part of the record",
    explanation:
      "Inside quotes a semicolon needs no backslash (RFC 1035 §5.1); some provider's forms keep the backslash as text. " +
      "The version is then `DKIM1\\`, which all tested verifiers but rspamd refuse.",
    fix: "publish plain semicolons, without backslashes",
  }),
  "TL-UPPER": kind<{ readonly name: string }>({
    severity: "warning",
    summary: "a tag is written in upper case, and so is unknown",
    message: ({ name }) => `${name}= is an unknown tag: names are case-sensitive, ${name.toLowerCase()}= was meant`,
    explanation:
      "Tag names are case-sensitive and unknown tags are ignored (RFC 6376 §3.2). mailauth lower-cases names; the other " +
      "tested verifiers do not.",
    fix: "write the tag's name in lower case",
  }),
  "REC-LONG": kind<{ readonly octets: number }>({
    severity: "warning",
    summary: "the record is longer than OpenDKIM reads",
    message: ({ octets }) => `the record has ${octets} octets; OpenDKIM reads 1023`,
    explanation:
      "OpenDKIM cuts the record off at 1023 octets and then cannot decode the key; this was seen with keys of 6144 and " +
      "8192 bits. Answers of this size also need TCP.",
    fix: "use an RSA key of 2048 bits, and a short n=",
  }),
};
