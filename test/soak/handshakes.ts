// SPDX-License-Identifier: Apache-2.0
// handshakes.ts PORT COUNT: full handshakes, each version in turn, from many
// loopback addresses; each asks once and closes.  Prints what came of it.
import { connect } from "node:tls";

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const AT_ONCE = 12;
const versions = ["TLSv1.2", "TLSv1.3"] as const;
const done = { "TLSv1.2": 0, "TLSv1.3": 0 };
const faults: string[] = [];
let next = 0;

const one = (n: number) =>
  new Promise<void>((resolve) => {
    const version = versions[n % 2]!;
    const fail = (why: string) => {
      if (faults.length < 20) faults.push(`${n} ${version}: ${why}`);
      else faults.push("");
      resolve();
    };
    let text = "";
    const socket = connect(
      {
        port,
        host: "127.0.0.1",
        localAddress: `127.0.${1 + (n % 8)}.${1 + ((n >> 3) % 250)}`,
        servername: "localhost",
        minVersion: version,
        maxVersion: version,
        rejectUnauthorized: false, // what is measured is the server
      },
      () => socket.write(`GET /livez HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`),
    );
    socket.setTimeout(20_000, () => socket.destroy(new Error("no answer in 20 s")));
    socket.on("data", (chunk) => (text += chunk));
    socket.on("error", (error) => fail(error.message));
    socket.on("end", () => {
      if (!text.startsWith("HTTP/1.1 200 ")) return fail(text.slice(0, 60) || "closed without an answer");
      if (socket.isSessionReused()) return fail("resumed");
      done[version]++;
      resolve();
    });
  });
const lane = async () => {
  while (next < count && faults.length < 1000) await one(next++);
};
await Promise.all(Array.from({ length: AT_ONCE }, lane));
console.log(JSON.stringify({ done, faults: faults.filter(Boolean), fault_count: faults.length }));
