import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The corpus beside the project, or where DKIMCTL_CORPUS says. */
export const CORPUS = process.env.DKIMCTL_CORPUS ?? join(import.meta.dirname, "../../../shared/corpus");

/** The lines of one of its files, as the corpus's README describes them. */
export function readCorpus<Line>(fileName: string): Line[] {
  return readFileSync(join(CORPUS, fileName), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}
