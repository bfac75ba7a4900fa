// SPDX-License-Identifier: Apache-2.0
// The same sources with the tests' clock, in the release's sandbox, for D days
// (30): work, backups, rotations of generations and of keys, tenants that come
// and go.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, type Client } from "../api/server.ts";
import { assertNoGrowth, ok, PASSWORD, Service, type Size, until } from "./service.ts";

const DAYS = Number(process.env.D ?? 30);
const DAY = 86_400;
const PER_DAY = 20;
const program = process.env.YAGURA_CLOCK ?? "build/soak/yagura";
const service = new Service(program, { YAGURA_TEST_LOOK_MS: "50", YAGURA_TEST_CLOCK_SYNCED: "1" });
const created: [id: string, subject: string][] = [];
let project: any;
let warm: Size;

/** Every day is looked at from noon on, Japan time: the backup of 2:00 is due. */
const NOON = (DAY + 3 * 3600 - (Date.now() / 1000) % DAY) % DAY;
const japan = (days: number) => new Date(Date.now() + NOON * 1000 + 9 * 3_600_000 + days * DAY * 1000).toISOString().slice(0, 10);
const boss = (tenant = "kou") => service.signIn(service.at(tenant), `boss@${tenant}.example`, PASSWORD);
const backedUp = async (oper: Client, day: string) =>
  (await ok(oper.get("/backups"))).tenants.every((t: any) => t.at && new Date(Date.parse(t.at) + 9 * 3_600_000).toISOString().slice(0, 10) >= day);

before(async () => {
  await service.moveTo(NOON);
  await service.start();
  const admin = await service.enter("kou");
  project = await addProject(admin, "DAYS");
});
after(() => service.stop());

/** A tenant that ends today and is deleted tomorrow, confirmed by both sides. */
async function end(oper: Client, tenant: string, day: number) {
  const client = await service.found(oper, tenant);
  const own = await addProject(client, "END");
  await ok(client.post(`/projects/${own.id}/tickets`, { subject: "終わる仕事", classification: "task" }));
  await ok(oper.post("/backups", undefined)).catch(() => undefined); // may be running
  await ok(oper.post(`/tenants/${tenant}/end`, { end_on: japan(day), delete_on: japan(day + 1), name: tenant }));
  await ok(client.post("/contract/confirm", { name: tenant }));
}

test(`${DAYS} days: each backed up, each deletion certified, nothing grown`, async (t) => {
  const gone: string[] = [];
  for (let day = 0; day < DAYS; day++) {
    // By less than 23 hours a time: nothing is erased for a day after more.
    if (day) await service.moveTo(NOON + (day - 0.5) * DAY);
    if (day) await service.moveTo(NOON + day * DAY);
    const oper = await service.signInOperator();
    const admin = await boss();
    for (let n = 0; n < PER_DAY; n++) {
      const subject = `${japan(day)} ${n}`;
      const { id } = await ok(admin.post(`/projects/${project.id}/tickets`, { subject, classification: "task" }));
      created.push([id, subject]);
    }
    await until(`the backup of ${japan(day)}`, () => backedUp(oper, japan(day)));
    if (day % 7 === 3) service.run("key", "rotate", "--tenant", "kou");
    if (day % 7 === 6) service.run("key", "rewrap");
    if (day % 3 === 1 && day + 2 < DAYS) {
      const tenant = `end${day}`;
      await end(oper, tenant, day);
      gone.push(tenant);
    }
    for (const tenant of gone.slice(0, day % 3 === 1 ? -1 : undefined))
      await until(`the certificate of ${tenant}`, async () => (await ok(oper.get("/certificates"))).items.some((c: any) => c.tenant === tenant || c.tenant_id === tenant));
    await ok(oper.delete("/session"));
    await ok(admin.delete("/session"));
    assert.ok(service.isRunning(), service.log.slice(-2000));
    if (day === Math.min(9, Math.floor(DAYS / 2))) warm = service.size();
  }
  const generations = readdirSync(join(service.data, "backups")).filter((name) => /^\d{4}-/.test(name));
  assert.ok(generations.length <= 8, `generations: ${generations}`);
  const quiet = await until("quiet again", () => {
    const size = service.size();
    try {
      assertNoGrowth(warm, size);
      return size;
    } catch {
      return undefined;
    }
  }, 90).catch(() => service.size());
  t.diagnostic(`${created.length} tickets, ${gone.length} tenants deleted, generations ${generations.join(" ")}; on day ${Math.min(9, Math.floor(DAYS / 2))} ${JSON.stringify(warm)}, at the end ${JSON.stringify(quiet)}`);
  assertNoGrowth(warm, quiet);
});

test("every acknowledged row is there; nothing was refused that was not refused at the start", async () => {
  const there = await boss();
  const found = new Map<string, string>();
  for (let after = ""; ; ) {
    const { items, next } = (await there.get(`/projects/${project.id}/tickets?limit=200${after && `&after=${after}`}`)).body;
    for (const ticket of items) found.set(ticket.id, ticket.subject);
    if (!next) break;
    after = next;
  }
  assert.deepEqual(created.filter(([id, subject]) => found.get(id) !== subject), []);
  assert.match(service.run("log", "verify", "--tenant", "kou"), /operation log: whole[\s\S]*access log: whole/);
  assert.deepEqual(service.refused(), []);
});
