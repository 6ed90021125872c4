// Answers TXT questions of loopback for the bench: a process of its own, so that it takes no time from what is measured.
// Prints its port. Argument: a file of lines "name TAB text".
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";

const texts = new Map(
  readFileSync(process.argv[2], "utf8")
    .split("\n")
    .map((line) => line.split("\t")),
);
const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
socket.on("message", (query, { port, address }) => {
  const labels = [];
  let at = 12;
  for (; query[at] > 0; at += query[at] + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]));
  const question = query.subarray(12, at + 5);
  const text = query.readUInt16BE(at + 1) === 16 ? texts.get(labels.join(".").toLowerCase()) : undefined;
  const strings = text
    ?.match(/.{1,255}/g)
    ?.map((part) => Buffer.from(String.fromCharCode(part.length) + part, "latin1"));
  const data = Buffer.concat(strings ?? []);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(text === undefined ? 0x8583 : 0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(text === undefined ? 0 : 1, 6);
  // Name (a pointer to the question's), TXT, IN, TTL, length.
  const record = Buffer.from([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 14, 16, data.length >> 8, data.length & 255]);
  socket.send(Buffer.concat(text === undefined ? [header, question] : [header, question, record, data]), port, address);
});
socket.bind(0, "127.0.0.1", () => process.stdout.write(`${socket.address().port}\n`));
