import { Buffer } from "node:buffer";

/** One well-formed UTF-8 sequence in latin1 (RFC 3629 §4), or one octet. */
const SEQUENCE =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|./gs;

/**
 * Nothing to see, or something that moves what is seen: controls, bidi and zero-width characters, odd spaces, unassigned.
 * Not made before it is needed: gathering these characters takes half a millisecond.
 */
let unseen: RegExp | undefined;
const isUnseen = (character: string) => {
  unseen ??= /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;
  return unseen.test(character);
};

/**
 * Text from DNS as a terminal may see it: on one line, without effects, and no two texts alike. `\\` for a backslash; `\DDD`
 * (decimal, RFC 1035 §5.1) for a control character or an octet that is not part of UTF-8; `\u{…}` (hexadecimal) for a
 * character of more octets that cannot be seen. Other characters stand as they are.
 * @param latin1 one UTF-16 unit per octet, as `TxtRecord` holds it
 */
export function escapeDnsText(latin1: string): string {
  return latin1.replace(SEQUENCE, (octets) => {
    if (octets === "\\") return "\\\\";
    const character = octets.length === 1 ? octets : Buffer.from(octets, "latin1").toString("utf8");
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f || (octets.length === 1 && code > 0x7f && code <= 0xff)) {
      return `\\${code.toString().padStart(3, "0")}`;
    }
    return isUnseen(character) ? `\\u{${code.toString(16)}}` : character;
  });
}
