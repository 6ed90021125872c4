import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where programs are looked for: the daemons' folders too, which an ordinary user's PATH leaves out. */
export const peerPath: string = [process.env.PATH ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter);

/**
 * Whether a test that needs these programs must be skipped, and why: `describe.skipIf(peer.skip)(`… ${peer.reason}`)`.
 * @throws {Error} one is absent although DKIMCTL_REQUIRE_PEERS=1 says that all are here
 */
export function requirePeer(...binaries: string[]): { skip: boolean; reason: string } {
  const absent = binaries.filter((binary) => !isInstalled(binary));
  if (absent.length === 0) return { skip: false, reason: "" };
  const reason = `(${absent.join(", ")} not installed)`;
  if (process.env.DKIMCTL_REQUIRE_PEERS === "1") throw new Error(`DKIMCTL_REQUIRE_PEERS=1, but ${reason}`);
  return { skip: true, reason };
}

function isInstalled(binary: string): boolean {
  return peerPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, binary), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}
