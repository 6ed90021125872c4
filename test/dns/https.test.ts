import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer } from "node:https";
import { afterEach, describe, expect, it } from "vitest";
import { createResolver } from "../../src/dns/dns2-resolver.ts";
import type { Resolver } from "../../src/dns/resolver.ts";
import { parseServerAddress } from "../../src/dns/server-address.ts";
import { reply, txt } from "../helpers/fault-server.ts";

const pem = (name: string) => readFileSync(new URL(`../vectors/tls/${name}`, import.meta.url), "utf8");
const tls = { key: pem("server.key"), cert: pem("server.pem") };

type Handler = (query: Buffer, response: ServerResponse, request: IncomingMessage) => void;

const message = (response: ServerResponse, octets: Buffer, type = "application/dns-message") =>
  response.writeHead(200, { "content-type": type }).end(octets);
const good: Handler = (query, response) => message(response, reply(query, { answers: [txt("key")] }));

describe.each(["http/1.1", "h2"])("DNS over HTTPS (RFC 8484) by %s", (protocol) => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function serve(handler: Handler, timeoutMs = 10_000): Promise<Resolver> {
    const listener = async (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      handler(Buffer.concat(chunks), response, request);
    };
    // http2's compatibility layer has the shape of http's; their types do not say so.
    const server =
      protocol === "h2"
        ? createSecureServer(tls, (request, response) => void listener(request as never, response as never))
        : createServer(tls, (request, response) => void listener(request, response));
    const sockets = new Set<{ destroy(): void }>();
    server.on("secureConnection", (socket) => sockets.add(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const servers = [parseServerAddress(`https://127.0.0.1:${port}/dns-query`)];
    const resolver = createResolver({ servers, timeoutMs, retries: 0, ca: pem("ca.pem") });
    closers.push(
      () => resolver.close(),
      () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    );
    return resolver;
  }

  it("is a POST with the ID 0", async () => {
    let seen = "";
    const resolver = await serve((query, response, request) => {
      const { method, url, headers } = request;
      seen = `${method} ${url} ${headers["content-type"]} ${query.readUInt16BE(0)}`;
      good(query, response, request);
    });
    expect(await resolver.lookupTxt("example.com")).toMatchObject({ status: "found", server: { transport: "https" } });
    expect(seen).toBe("POST /dns-query application/dns-message 0");
  });

  it("carries many at once", async () => {
    const resolver = await serve(good);
    const lookups = await Promise.all(Array.from({ length: 100 }, () => resolver.lookupTxt("example.com")));
    expect(new Set(lookups.map(({ status }) => status))).toEqual(new Set(["found"]));
  });

  it.each<[string, Handler, object]>([
    [
      "HTML",
      (query, response) => message(response, query, "text/html"),
      { status: "malformed", reason: expect.stringContaining("application/dns-message") },
    ],
    [
      "an error",
      (_, response) => response.writeHead(500).end(),
      { status: "unreachable", cause: "http", reason: "HTTP status 500" },
    ],
    [
      "a redirect",
      (_, response) => response.writeHead(302, { location: "/" }).end(),
      { status: "unreachable", reason: "HTTP status 302" },
    ],
    ["another ID", (query, response) => message(response, reply(query, { id: 7 })), { status: "malformed" }],
    ["garbage", (_, response) => message(response, Buffer.alloc(50, 0)), { status: "malformed" }],
    ["nothing", (_, response) => message(response, Buffer.alloc(0)), { status: "malformed" }],
    [
      "more than a message",
      (_, response) => message(response, Buffer.alloc(70_000)),
      { status: "malformed", reason: expect.stringContaining("longer") },
    ],
    [
      "the end of the connection",
      (_, response) => response.socket?.destroy(),
      { status: "unreachable", cause: "network" },
    ],
    [
      "half an answer",
      (query, response) => {
        response.writeHead(200, { "content-type": "application/dns-message", "content-length": "500" });
        response.write(query);
        setTimeout(() => response.destroy(), 20);
      },
      { status: expect.stringMatching(/unreachable|malformed/) },
    ],
    ["silence", () => {}, { status: "timeout" }],
  ])("tells %s", async (_, handler, expected) => {
    const resolver = await serve(handler, "status" in expected && expected.status === "timeout" ? 400 : undefined);
    expect(await resolver.lookupTxt("example.com")).toMatchObject(expected);
  });

  it("connects anew after the server has closed the connection", async () => {
    const resolver = await serve((query, response, request) => {
      response.once("finish", () => setTimeout(() => request.socket.destroy(), 5));
      good(query, response, request);
    });
    expect((await resolver.lookupTxt("example.com")).status).toBe("found");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await resolver.lookupTxt("example.com")).status).toBe("found");
  });
});
