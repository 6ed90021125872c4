import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { recogniseRecordInput } from "../../src/dns/record-input.ts";

/** The corpus beside the project, or where DKIMCTL_CORPUS says. */
const folder = process.env.DKIMCTL_CORPUS ?? fileURLToPath(new URL("../../../shared/corpus", import.meta.url));

interface Form {
  readonly id: string;
  readonly text: string;
  readonly name: string | null;
  readonly decoded: string;
}

const forms: Form[] = readFileSync(`${folder}/forms.jsonl`, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));

test.each(forms.map((form) => [form.id, form] as const))("%s", (_id, { text, name, decoded }) => {
  // Tools print names relative to the zone that the record is for.
  const origin = name?.split("._domainkey.")[1];
  const { records, ...input } = recogniseRecordInput(text, { origin });
  expect({ name: input.name ?? null, records }).toEqual({ name, records: [decoded] });
});
