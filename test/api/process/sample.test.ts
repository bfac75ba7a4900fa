// SPDX-License-Identifier: Apache-2.0
// The company of the demo has been a customer for a while: what it and its
// operator did until today, as the same rules would have written it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Answer, binary, type Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../server.ts";

const places = ["YAGURA_DATA_REGION", "YAGURA_BACKUP_REGION", "YAGURA_LOG_REGION"];
let demo: Demo;
let oper: Client;
let admin: Client;
before(async () => {
  for (const name of places) process.env[name] = "jp-tokyo";
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
});
after(async () => {
  for (const name of places) delete process.env[name];
  await demo.stop();
  removeDir(demo);
});
const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
async function until(look: () => Promise<boolean>) {
  for (const end = Date.now() + 60_000; !(await look()); await new Promise((resolve) => setTimeout(resolve, 100)))
    if (Date.now() > end) throw new Error(`never: ${look}`);
}

// not 18: what is left of the machine is not of the sample
test("rows of the trust page hold where the demo has what they measure", async () => {
  const rows = [1, 2, 3, 4, 5, 16, 17, 19, 20, 21, 23, 24, 26, 27, 30, 31, 32, 33, 34, 35, 36, 38];
  for (const who of [oper, admin]) {
    let open = rows;
    await until(async () => {
      const { items } = await ok(who.get("/trust"));
      const left = rows.filter((no) => items[no - 1].state !== "holds");
      if (left.join() !== open.join()) console.log("#", who === oper ? "operator" : "administrator", left.join(" "));
      open = left;
      return left.length === 0;
    });
  }
});

test("nobody is kept from working: the terms are accepted, what was read is read", async () => {
  for (const n of [0, 5]) assert.equal((await (n ? await signedIn(demo, n) : admin).get("/session")).body.terms_owed, false);
  const consents = (await ok(admin.get("/terms/consents"))).items;
  assert.deepEqual(consents.map((c: any) => [c.no, c.user.name, c.for_tenant]), [[1, demo.ready.accounts[0]!.name, true]]);
  const now = await ok(admin.get("/notices/now"));
  assert.deepEqual([now.unread, now.banners], [1, []]); // the maintenance to come
});

test("notices, an incident and an enquiry came to pass; mails went out then", async () => {
  const notices = (await ok(oper.get("/service/notices"))).items;
  assert.deepEqual(new Set(notices.map((n: any) => n.kind)), new Set(["change", "maintenance", "vulnerability", "incident", "recovery"]));
  assert.deepEqual(new Set(notices.map((n: any) => n.state)), new Set(["draft", "published"]));
  for (const n of notices) {
    assert.ok(n.title_ja && n.title_en && n.title_ja !== n.title_en);
    if (n.state === "published") assert.deepEqual([n.owed, n.told, n.mails], [0, 1, 1], n.title_en);
  }
  assert.ok(notices.some((n: any) => n.state === "published" && Date.parse(n.starts_at) > Date.now()), "work is planned");
  const [i, ...more] = (await ok(oper.get("/service/incidents"))).items;
  assert.deepEqual([more.length, Boolean(i.closed_at), i.unreported], [0, true, 0]);
  assert.ok(Date.parse(i.first_report_at) - Date.parse(i.detected_at) < 24 * 3_600_000);
  const [it] = (await ok(admin.get("/enquiries"))).items;
  const thread = await ok(admin.get(`/enquiries/${it.id}`));
  assert.deepEqual([it.state, thread.messages.map((m: any) => m.is_desk)], ["answered", [false, true, false, true]]);
  const contract = await ok(oper.get(`/tenants/${demo.ready.tenant}/contract`));
  assert.ok(contract.number && contract.starts_on && contract.place, JSON.stringify(contract));
  assert.equal((await ok(oper.get(`/service/contacts/${demo.ready.tenant}`))).items.length, 2);
});

test("both logs are whole, and go forward in time", async () => {
  for (const who of [oper, admin]) {
    assert.equal((await ok(who.get("/operations/verify"))).ok, true);
    const times: number[] = [];
    for (let after = ""; ; ) {
      const page = await ok(who.get(`/operations?limit=200${after}`));
      const people = page.items.filter((o: any) => o.user.name); // not what the start of the server wrote
      times.push(...people.map((o: any) => Date.parse(o.at)));
      if (!page.next) break;
      after = `&after=${page.next}`;
    }
    assert.ok(times.length > 20, String(times.length));
    times.forEach((time, n) => assert.ok(n === 0 || time <= times[n - 1]!, `${n} of ${times.length}: ${new Date(time)}`));
  }
});

test("made ahead with --make, nothing is begun; the next start finds the same company", async () => {
  const dir = mkdtempSync(join(tmpdir(), "yagura-ahead-"));
  const data = join(dir, "data");
  const made = spawnSync(binary, ["demo", "--make", "--json", "--port", "0", "--data", data], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, encoding: "utf8", timeout: 120_000 });
  assert.deepEqual([made.status, made.stdout], [0, ""], made.stderr);
  assert.ok(!existsSync(join(data, "backups")));
  assert.ok(!existsSync(join(data, "control.sock")));
  const { accounts, operator } = JSON.parse(readFileSync(join(data, "accounts.json"), "utf8"));
  const later = await startDemo(dir);
  assert.deepEqual([later.ready.accounts, later.ready.operator], [accounts, operator]);
  const runs = (await ok((await signedInOperator(later)).get("/backups"))).runs;
  assert.ok(runs.every((r: any) => r.state !== "failed"), JSON.stringify(runs));
  await later.stop();
  removeDir(later);
});
