/**
 * Text that may come from a file's name, an argument or the DNS, as a terminal may show it in one line: control, format
 * (bidirectional) and broken characters as `\u{HEX}`, so that nothing can move the cursor, colour or hide what is said.
 */
export function visibleText(text: string): string {
  // Nearly every path is plain, and every key's is looked at.
  if (/^[ -~]*$/.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
