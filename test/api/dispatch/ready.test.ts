// SPDX-License-Identifier: Apache-2.0
// "Ready" means that a stranger gets in: where TLS is on, the server shakes
// hands with itself before it says so.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Service, startService } from "../service.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-ready-"));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let service: Service;

before(async () => {
  service = await startService(dir);
});
after(async () => {
  agent.destroy();
  await service?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** By the one connection that is kept, without TLS. */
const ask = (path: string) =>
  new Promise<{ status: number; text: string; ms: number }>((resolve, reject) => {
    const begun = performance.now();
    get({ host: "127.0.0.1", port: service.operatorPort, path, agent }, (reply) => {
      let text = "";
      reply.on("data", (data) => (text += data));
      reply.on("end", () => resolve({ status: reply.statusCode!, text, ms: performance.now() - begun }));
    }).on("error", reject);
  });
/** The soft limit alone: the hard one stays. */
const limit = (files: number) => execFileSync("prlimit", ["--pid", `${service.process.pid}`, `--nofile=${files}:`]);

async function until(status: number): Promise<string> {
  for (const end = Date.now() + 30_000; ; ) {
    const reply = await ask("/readyz");
    if (reply.status === status || Date.now() > end) {
      assert.equal(reply.status, status, reply.text);
      return reply.text;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test("ready, then not when no handshake comes about, then again", async () => {
  assert.equal(await until(200), "ok\n");
  const files = Number(readFileSync(`/proc/${service.process.pid}/limits`, "utf8").match(/Max open files +(\d+)/)![1]);
  // no descriptor is left for whoever comes; the kept connection goes on
  limit(3);
  assert.equal(await until(503), "no TLS connection comes about\n");
  assert.equal((await ask("/livez")).status, 200);
  limit(files);
  assert.equal(await until(200), "ok\n");
});

test("asked often, it shakes hands seldom", async () => {
  const handshakes = async () => Number((await ask("/metrics")).text.match(/^yagura_tls_handshakes_total (\d+)/m)![1]);
  const before = await handshakes();
  for (let i = 0; i < 200; i++) assert.equal((await ask("/readyz")).status, 200);
  const after = await handshakes();
  assert.ok(after - before <= 20, `${after - before} handshakes`);
});
