import { networkInterfaces } from "node:os";

/** Whether this host has ::1; containers often lack it. */
export function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));
}
