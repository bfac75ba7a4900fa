// SPDX-License-Identifier: Apache-2.0
// A mail relay over TLS that takes everything but what it is told to refuse,
// and keeps the newest.
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";

export interface Mail {
  to: string;
  text: string;
}
export interface Relay {
  port: number;
  /** Connections that shook hands, and mails taken, since the start. */
  count: { connections: number; mails: number };
  /** Addresses it refuses for good. */
  refused: Set<string>;
  /** The first mail to this address, not seen before, that holds the pattern. */
  wait(to: string, pattern: RegExp): Promise<RegExpMatchArray>;
  close(): void;
}

const KEPT = 2000;

export async function startRelay(key: Buffer, cert: Buffer, port = 0): Promise<Relay> {
  const mails: Mail[] = [];
  const count = { connections: 0, mails: 0 };
  const refused = new Set<string>();
  const talk = (socket: TLSSocket) => {
    const say = (line: string) => socket.write(`${line}\r\n`);
    let [rest, to, data] = ["", "", ""];
    let inData = false;
    count.connections++;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      rest += chunk.toString("latin1");
      for (let at = rest.indexOf("\r\n"); at >= 0; at = rest.indexOf("\r\n")) {
        const line = rest.slice(0, at);
        rest = rest.slice(at + 2);
        if (inData && line !== ".") data += `${line}\r\n`;
        else if (inData) {
          mails.push({ to, text: Buffer.from(data.slice(data.indexOf("\r\n\r\n")), "base64").toString() });
          if (mails.length > KEPT) mails.shift();
          count.mails++;
          [inData, data] = [false, ""];
          say("250 taken");
        } else if (/^DATA$/i.test(line)) (inData = true), say("354 go on");
        else if (/^QUIT$/i.test(line)) say("221 bye"), socket.end();
        else {
          if (/^RCPT TO:/i.test(line)) to = line.match(/<(.*)>/)![1]!;
          say(/^RCPT TO:/i.test(line) && refused.has(to) ? "550 5.1.1 no such mailbox here" : "250 ok");
        }
      }
    });
    say("220 relay");
  };
  const server = createServer({ key, cert }, talk);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    count,
    refused,
    async wait(to, pattern) {
      for (const end = Date.now() + 120_000; ; ) {
        const at = mails.findIndex((mail) => mail.to === to && pattern.test(mail.text));
        if (at >= 0) return mails.splice(at, 1)[0]!.text.match(pattern)!;
        if (Date.now() > end) throw new Error(`no mail to ${to} with ${pattern}`);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    },
    close: () => server.close(),
  };
}
