import { DirectoryKeyStore } from "../../src/keys/directory-key-store.ts";
import { DirectoryJournalStore } from "../../src/rotation/directory-journal-store.ts";
import { temporaryFolder } from "../helpers/store.ts";
import { describeKeyStore } from "./key-store-conformance.ts";

function open(path: string) {
  const store = new DirectoryKeyStore({ path });
  return { store, journals: new DirectoryJournalStore(store, {}) };
}

describeKeyStore(
  "a folder",
  async () => {
    const path = temporaryFolder();
    return { ...open(path), another: async () => open(path) };
  },
  { leases: false, keepsLooks: true },
);
