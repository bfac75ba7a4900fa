// SPDX-License-Identifier: Apache-2.0
// The release for a long day: handshakes, requests, reconnects, mails over TLS,
// exports, backups and reloads, all at once.  M minutes of it (20: 10^5
// handshakes, half of each version, and 10^6 requests).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, type Client } from "../api/server.ts";
import { assertNoGrowth, ok, PASSWORD, Service, type Size, until, wait } from "./service.ts";

const minutes = Number(process.env.M ?? 20);
const HANDSHAKES = Math.ceil(5_000 * minutes);
const REQUESTS = Math.ceil(50_000 * minutes);
/** What hangs is ended; how fast it is, is not judged here. */
const LIMIT_MS = Math.max(8, 4 * minutes) * 60_000;
const program = process.env.YAGURA_RELEASE ?? "build/yagura";
const service = new Service(program);
let boss: Client;
let oper: Client;
let project: any;
let created: [id: string, subject: string][] = [];

/** A driver in a process of its own, so that it does not wait for us. */
const drive = (name: string, ...words: string[]) =>
  new Promise<any>((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, name), ...words], { stdio: ["ignore", "pipe", "inherit"] });
    const timer = setTimeout(() => (child.kill(), reject(new Error(`${name}: not done in ${LIMIT_MS / 60_000} minutes`))), LIMIT_MS);
    let text = "";
    child.stdout.on("data", (data) => (text += data));
    child.on("exit", (code) => {
      clearTimeout(timer);
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`${name} ended with ${code}`));
    });
  });
const load = (part: number) => {
  const cookie = [...boss.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
  return Promise.all([
    drive("handshakes.ts", String(service.port), String(Math.ceil(HANDSHAKES * part))),
    drive("requests.ts", boss.base, cookie, project.id, String(Math.ceil(REQUESTS * part))),
  ]);
};
/** What else a service does meanwhile, until it is told to stop. */
async function errands(state: { stop: boolean; count: Record<string, number> }) {
  const count = (what: string) => (state.count[what] = (state.count[what] ?? 0) + 1);
  for (let n = 0; !state.stop; n++) {
    const there = await service.signIn(service.at("kou"), "boss@kou.example", PASSWORD);
    count("sign-ins");
    await ok(there.post("/users", { email: `p${n}@kou.example`, name: `人 ${n}` }));
    count("invitations");
    const job = await there.post("/archives", undefined);
    assert.ok(job.status === 202 || job.status === 409, JSON.stringify(job.body));
    if (job.status === 202) {
      const { result } = await until("an archive", async () => {
        const { body } = await there.get(`/jobs/${job.body.job_id}`);
        return body.ended_at && body;
      }, 300);
      const file = await fetch(`${there.base}/api/v1/archives/${result.archive_id}/file`, { headers: { Cookie: [...there.cookies].map(([k, v]) => `${k}=${v}`).join("; ") } });
      assert.equal(file.status, 200, await file.clone().text().catch(() => ""));
      await file.arrayBuffer();
      await ok(there.delete(`/archives/${result.archive_id}`));
      count("archives");
    }
    const run = await oper.post("/backups", undefined);
    assert.ok(run.status === 202 || run.status === 409, JSON.stringify(run.body));
    if (run.status === 202) count("backups");
    assert.equal((await oper.get("/trust")).status, 200);
    service.reload();
    count("reloads");
    await ok(there.delete("/session"));
    await wait(1000);
  }
}

before(async () => {
  await service.start();
  boss = await service.enter("kou");
  oper = await service.signInOperator();
  await service.found(oper, "otsu");
  project = await addProject(boss, "SOAK");
});
after(() => service.stop());

test(`${HANDSHAKES} handshakes and ${REQUESTS} requests: all answered, nothing refused by the sandbox, nothing grown`, async (t) => {
  const state = { stop: false, count: {} as Record<string, number> };
  const took = { handshakes: { "TLSv1.2": 0, "TLSv1.3": 0 }, statuses: {} as Record<string, number> };
  let warm: Size | undefined;
  const beside = errands(state);
  try {
    for (const part of [0.2, 0.8]) {
      const [shaken, asked] = await Promise.race([load(part), beside.then(() => Promise.reject(new Error("errands ended")))]);
      assert.deepEqual([shaken.faults, asked.faults], [[], []]);
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) took.handshakes[version] += shaken.done[version];
      for (const [status, n] of Object.entries(asked.statuses)) took.statuses[status] = (took.statuses[status] ?? 0) + Number(n);
      created = created.concat(asked.created);
      if (!warm) warm = service.size();
    }
  } finally {
    state.stop = true;
  }
  await beside;
  const loaded = service.size();
  t.diagnostic(`handshakes ${JSON.stringify(took.handshakes)}, answers ${JSON.stringify(took.statuses)}, ${JSON.stringify(state.count)}, mails ${service.relay.count.mails} over ${service.relay.count.connections} connections`);
  assert.equal(took.handshakes["TLSv1.2"] + took.handshakes["TLSv1.3"], Math.ceil(HANDSHAKES * 0.2) + Math.ceil(HANDSHAKES * 0.8));
  assert.ok(service.isRunning(), service.log.slice(-2000));
  const quiet = await until("quiet again", async () => {
    const size = service.size();
    try {
      assertNoGrowth(warm!, size);
      return size;
    } catch {
      return undefined;
    }
  }, 90).catch(() => service.size());
  t.diagnostic(`warm ${JSON.stringify(warm)}, under load ${JSON.stringify(loaded)}, a while later ${JSON.stringify(quiet)}`);
  assertNoGrowth(warm!, quiet);
});

test("every acknowledged row is there, and both logs are whole", async () => {
  const there = await service.signIn(service.at("kou"), "boss@kou.example", PASSWORD);
  const found = new Map<string, string>();
  for (let after = ""; ; ) {
    const { items, next } = (await there.get(`/projects/${project.id}/tickets?limit=200${after && `&after=${after}`}`)).body;
    for (const ticket of items) found.set(ticket.id, ticket.subject);
    if (!next) break;
    after = next;
  }
  const missing = created.filter(([id, subject]) => found.get(id) !== subject);
  assert.deepEqual(missing, []);
  assert.ok(created.length > 0);
  assert.match(service.run("log", "verify", "--tenant", "kou"), /operation log: whole[\s\S]*access log: whole/);
});

test("nothing was refused that was not refused at the start", () => {
  assert.deepEqual(service.refused(), []);
  assert.doesNotMatch(service.log, / error /);
});
