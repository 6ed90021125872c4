/** The words of each line that is neither empty nor a comment. */
export function* tableLines(text: string): Generator<{ line: number; words: string[] }> {
  for (const [index, whole] of text.split("\n").entries()) {
    const content = whole.replace(/(?:^|(?<=\s))#.*/, "").trim();
    if (content !== "") yield { line: index + 1, words: content.split(/\s+/) };
  }
}
