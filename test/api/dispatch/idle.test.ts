// SPDX-License-Identifier: Apache-2.0
// After many connections at once the release has the threads and the memory
// it had before: what a connection needed goes with it.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { type Service, startService } from "../service.ts";

const CONNECTIONS = 400;
const dir = mkdtempSync(join(tmpdir(), "yagura-idle-"));
let service: Service;

before(async () => {
  service = await startService(dir);
});
after(async () => {
  await service?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const status = (field: string) =>
  Number(readFileSync(`/proc/${service.process.pid}/status`, "utf8").match(new RegExp(`^${field}:\\s+(\\d+)`, "m"))![1]);

/** Connects from an address of its own, asks, and stays: open once answered. */
const guest = (n: number, path: string) =>
  new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({
      port: service.port,
      host: "127.0.0.1",
      localAddress: `127.2.${n >> 7}.${1 + (n & 127)}`,
      rejectUnauthorized: false,
    });
    let bytes = 0;
    socket.on("error", reject);
    socket.on("secureConnect", () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
    socket.on("data", (data) => {
      bytes += data.length;
      if (bytes > 100_000) resolve(socket);
    });
  });

test("threads end when they are idle, and their memory goes back", async (t) => {
  for (let i = 0; i < 20; i++) (await guest(i, "/api/openapi.json")).destroy();
  const before = { threads: status("Threads"), rss: status("VmRSS") };
  const guests: TLSSocket[] = [];
  for (let i = 0; i < CONNECTIONS; i += 20)
    guests.push(...(await Promise.all(Array.from({ length: 20 }, (_, k) => guest(i + k, "/api/openapi.json")))));
  const most = { threads: status("Threads"), rss: status("VmRSS") };
  assert.ok(most.threads > before.threads + 50, `${most.threads} threads`);
  for (const one of guests) one.destroy();
  let now = most;
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    now = { threads: status("Threads"), rss: status("VmRSS") };
    if (now.threads <= before.threads && now.rss <= before.rss * 1.25) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  t.diagnostic(`threads ${before.threads}, ${most.threads}, ${now.threads}; resident KB ${before.rss}, ${most.rss}, ${now.rss}`);
  assert.ok(now.threads <= before.threads, `${now.threads} threads are left of ${most.threads}`);
  assert.ok(now.rss <= before.rss * 1.25, `${now.rss} KB are left of ${most.rss}`);
});

test("and it serves as before", async () => {
  const again = await Promise.all(Array.from({ length: 40 }, (_, i) => guest(i, "/api/openapi.json")));
  for (const one of again) one.destroy();
  assert.equal(again.length, 40);
});
