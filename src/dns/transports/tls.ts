import { isIP } from "node:net";
import { connect } from "node:tls";
import { StreamTransport } from "./stream.ts";

export interface TlsServer {
  /** A name or an address to connect to. */
  readonly host: string;
  readonly port: number;
  /** What the certificate must be good for. */
  readonly serverName: string;
  /** PEM certificates to trust instead of Node's own list. */
  readonly ca?: string | undefined;
}

/** DNS over TLS, always with a verified certificate (RFC 7858, the strict profile of RFC 8310 §5). */
export function tlsTransport({ host, port, serverName, ca }: TlsServer): StreamTransport {
  return new StreamTransport({
    readyEvent: "secureConnect",
    connect: () =>
      connect({
        host,
        port,
        ALPNProtocols: ["dot"],
        minVersion: "TLSv1.2",
        ...(ca === undefined ? {} : { ca }),
        // RFC 6066 §3: no address in SNI. Node checks the certificate against `host` then, which is the address.
        ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      }),
  });
}
