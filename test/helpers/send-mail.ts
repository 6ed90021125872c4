import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** One message by SMTP; every answer must be a good one. A server that has not greeted yet is tried again. */
export async function sendMail(port: number, message: Uint8Array): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    let isGreeted = false;
    try {
      return await talk(port, message, () => {
        isGreeted = true;
      });
    } catch (error) {
      if (isGreeted || Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}

function talk(port: number, message: Uint8Array, greeted: () => void): Promise<void> {
  const steps = [
    "EHLO mail.example.com\r\n",
    "MAIL FROM:<a@example.com>\r\n",
    "RCPT TO:<b@example.org>\r\n",
    "DATA\r\n",
    Buffer.concat([message, Buffer.from(".\r\n")]),
    "QUIT\r\n",
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
      const last = /^(\d{3}) [^\n]*\n$/m.exec(answer)?.[1];
      if (last === undefined) return;
      if (!/^[23]/.test(last)) return void socket.destroy(new Error(answer));
      answer = "";
      greeted();
      const step = steps.shift();
      if (step === undefined) socket.end();
      else socket.write(step);
    });
    socket.once("error", reject).once("close", () => {
      if (steps.length === 0) resolve();
      else reject(new Error(`the server hung up: ${answer}`));
    });
  });
}
