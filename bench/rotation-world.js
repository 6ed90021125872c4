// The world around many workers that rotate keys, in a process of its own: an authoritative name server for one zone, the
// publisher's and the signer's other end, and what must never happen. Prints its port, the same for UDP and TCP.
// Arguments: the zone, a file of lines "name TAB text", and how many milliseconds the server takes to answer.
//
// TCP, a line each: "publish NAME TEXT", "withdraw NAME", "activate DOMAIN SELECTOR,SELECTOR" and "report"; the answer is
// "ok" or JSON.
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const [zone, file, delayMs = "0"] = process.argv.slice(2);
const TTL = 1;
const TYPE = { A: 1, NS: 2, SOA: 6, TXT: 16 };
const texts = new Map(
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t")),
);
/** Domain to the selectors it was ever told to sign with, each once, in order. */
const signed = new Map();
const violations = [];
let questions = 0;

const wire = (name) =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.from(String.fromCharCode(label.length) + label)),
    Buffer.of(0),
  ]);
const record = (name, type, data) => {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(TTL, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([wire(name), fixed, data]);
};
const soa = () => {
  const numbers = Buffer.alloc(20);
  for (const [i, number] of [1, 3600, 600, 86_400, TTL].entries()) numbers.writeUInt32BE(number, i * 4);
  return record(zone, TYPE.SOA, Buffer.concat([wire(`ns.${zone}`), wire(`hostmaster.${zone}`), numbers]));
};

/** @returns {Buffer[]} the records of one name and type; `undefined`: there is no such name */
function recordsOf(name, type) {
  if (name === zone) {
    if (type === TYPE.SOA) return [soa()];
    return type === TYPE.NS ? [record(zone, TYPE.NS, wire(`ns.${zone}`))] : [];
  }
  if (name === `ns.${zone}`) return type === TYPE.A ? [record(name, TYPE.A, Buffer.of(127, 0, 0, 1))] : [];
  const text = texts.get(name);
  if (text === undefined) return name.includes("_domainkey.") ? undefined : [];
  if (type !== TYPE.TXT) return [];
  const strings = text.match(/.{1,255}/g).map((part) => Buffer.from(String.fromCharCode(part.length) + part, "latin1"));
  return [record(name, TYPE.TXT, Buffer.concat(strings))];
}

/** @param {Buffer} query @returns {Buffer} */
function answer(query) {
  questions++;
  const labels = [];
  let at = 12;
  for (; query[at] > 0; at += query[at] + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]));
  const question = query.subarray(12, at + 5);
  const name = labels.join(".").toLowerCase();
  const answers = recordsOf(name, query.readUInt16BE(at + 1));
  const authority = answers === undefined || answers.length === 0 ? [soa()] : [];
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  // QR, AA, RD, RA and the answer's code: no error, or no such name.
  header.writeUInt16BE(answers === undefined ? 0x8583 : 0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers?.length ?? 0, 6);
  header.writeUInt16BE(authority.length, 8);
  return Buffer.concat([header, question, ...(answers ?? []), ...authority]);
}

function later(send) {
  if (delayMs === "0") send();
  else setTimeout(send, Number(delayMs));
}

const udp = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
udp.on("message", (query, { port, address }) => {
  const reply = answer(query);
  later(() => udp.send(reply, port, address));
});

function obey(line) {
  const [verb, subject = "", ...rest] = line.split(" ");
  switch (verb) {
    case "publish":
      texts.set(subject, rest.join(" "));
      return "ok";
    case "withdraw":
      texts.delete(subject);
      return "ok";
    case "activate": {
      for (const selector of rest[0].split(",")) {
        // Mail that is signed now is verified with what the DNS has now.
        if (!texts.get(`${selector}._domainkey.${subject}`)?.includes("p=")) {
          violations.push(`${subject} was to sign with ${selector}, which is not published`);
        }
        const before = signed.get(subject) ?? [];
        if (before.includes(selector) && before.at(-1) !== selector)
          violations.push(`${subject} went back to ${selector}`);
        if (before.at(-1) !== selector) signed.set(subject, [...before, selector]);
      }
      return "ok";
    }
    default:
      return JSON.stringify({ questions, violations, signed: Object.fromEntries(signed), names: [...texts.keys()] });
  }
}

const tcp = createServer((socket) => {
  let input = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (octets) => {
    input = Buffer.concat([input, octets]);
    // DNS begins with the length of a question, which is below 256; an order begins with a letter.
    while (input[0] === 0 && input.length > 2 && input.length >= 2 + input.readUInt16BE(0)) {
      const reply = answer(input.subarray(2, 2 + input.readUInt16BE(0)));
      const length = Buffer.of(reply.length >> 8, reply.length & 255);
      later(() => socket.writable && socket.write(Buffer.concat([length, reply])));
      input = input.subarray(2 + input.readUInt16BE(0));
    }
    const end = input.indexOf("\n");
    if (input[0] > 0 && end > 0) socket.end(`${obey(input.toString("utf8", 0, end))}\n`);
  });
});

function listen() {
  tcp.listen(0, "127.0.0.1", () => {
    const { port } = tcp.address();
    udp.once("error", () => tcp.close(listen));
    udp.bind(port, "127.0.0.1", () => process.stdout.write(`${port}\n`));
  });
}
listen();
