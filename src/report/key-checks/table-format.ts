import { renderTable } from "../../terminal/table.ts";
import { publicKeyBits } from "../record-formats/record-format.ts";
import { describeTally, type KeyCheckFormat } from "./key-check-format.ts";

/** One table for people, printed when the last key is done: columns must know all of their cells. */
export function tableFormat(): KeyCheckFormat {
  const rows: string[][] = [];
  return {
    check({ index, name, outcome }) {
      const key = outcome.kind === "tested" ? outcome.publicKey : undefined;
      const bits = key === undefined ? "-" : String(publicKeyBits(key));
      const { verdict, reason } = outcome;
      rows.push([String(index), name.domain, name.selector, key?.type ?? "-", bits, verdict, reason]);
      return "";
    },
    end: ({ tally }) =>
      `${renderTable(["#", "DOMAIN", "SELECTOR", "TYPE", "BITS", "RESULT", "REASON"], rows)}${describeTally(tally)}\n`,
  };
}
