import { connect } from "node:net";
import { StreamTransport } from "./stream.ts";

/** DNS over TCP to one address (RFC 7766). */
export function tcpTransport({ host, port }: { readonly host: string; readonly port: number }): StreamTransport {
  return new StreamTransport({ connect: () => connect({ host, port }), readyEvent: "connect" });
}
