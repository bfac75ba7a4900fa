// SPDX-License-Identifier: Apache-2.0
// A contract from its record to the certified deletion: suspended and resumed,
// ended by either side, closed on its day, deleted on its day, and nothing left.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, type Answer, askBackup, binary, Client, type Demo, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

const DAY = 86_400;
const PASSWORD = "Daihyou-26";
const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS"];
let dir: string;
let data: string;
let demo: Demo;
let oper: Client;
let ahead = 0; // days

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-contract-"));
  process.env[words[0]!] = join(dir, "offset");
  process.env[words[1]!] = "50";
  moveTo(0);
  demo = await startDemo(join(dir, "demo"));
  data = join(dir, "demo", "data");
  oper = await signedInOperator(demo);
});
after(async () => {
  for (const word of words) delete process.env[word];
  await demo?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The server's clock, which must stand still while it is moved: a running
 * server that sees a leap destroys nothing for a day. */
function moveTo(days: number) {
  ahead = days;
  writeFileSync(join(dir, "next"), String(Math.round(days * DAY)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
async function jumpTo(days: number) {
  await demo.stop();
  moveTo(days);
  demo = await startDemo(demo.dir);
  oper = await signedInOperator(demo);
}
/** A day in Japan, n days from the machine's today. */
const day = (n: number) => new Date(Date.now() + 9 * 3_600_000 + n * DAY * 1000).toISOString().slice(0, 10);
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 40_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
const yagura = (...words: string[]) => {
  const ended = spawnSync(binary, words, { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, encoding: "utf8", timeout: 60_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const tenant = (...words: string[]) => yagura("tenant", ...words, "--data_dir", data);
const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
/** A sensitive step, with the password once more. */
async function fresh(who: Client, password: string, step: () => Promise<Answer>): Promise<Answer> {
  const first = await step();
  if (first.status !== 401) return first;
  await ok(who.post("/session/fresh", { password }));
  return step();
}
const asOperator = (step: () => Promise<Answer>) => fresh(oper, demo.ready.operator.password, step);
const at = (id: string) => `${new URL(demo.ready.url).origin}/t/${id}`;
const boss = (id: string) => `boss@${id}.example`;
/** A tenant with an administrator who has set a password. */
async function found(id: string): Promise<Client> {
  await ok(oper.post("/tenants", { id, name: `${id}株式会社`, admin_email: boss(id), admin_name: "代表 太郎" }));
  const client = new Client(at(id));
  const [, token] = await oper.waitForMail(boss(id), new RegExp(`/t/${id}/link#([\\w-]{43})`));
  await ok(client.post("/links/accept", { token, password: PASSWORD }));
  return signInAt(id);
}
async function signInAt(id: string, email = boss(id), password = PASSWORD): Promise<Client> {
  const client = new Client(at(id));
  await ok(client.signIn(email, password));
  const state = (await client.get("/terms")).body;
  if (state.is_whole_owed) await ok(client.post("/terms/accept", { no: state.terms.no }));
  return client;
}
const mails = async (to: string, subject: RegExp): Promise<any[]> =>
  (await new Client(demo.ready.console).get("/demo/mail")).body.items.filter((m: any) => m.to === to && subject.test(m.subject));
/** A generation of today with everybody in it. */
async function backUp() {
  const asked = await oper.post("/backups", undefined);
  assert.ok([202, 409].includes(asked.status));
  await until(async () => {
    const { runs } = await ok(oper.get("/backups"));
    return runs.every((r: any) => !["asked", "running"].includes(r.state)) && runs.some((r: any) => r.date === day(ahead) && r.state === "good");
  });
}
/** Whether a part of a path is the tenant's. */
const isOwn = (name: string, id: string) => new RegExp(`^(\\.(new-|replaced-|aside-)?)?${id}(\\.|$)`).test(name);
const filesOf = (id: string) =>
  (readdirSync(data, { recursive: true }) as string[]).filter((path) => path.split("/").some((part) => isOwn(part, id))).sort();
/** The newest certificate, also when nobody can sign in: passwords end. */
const certificate = (id: string): any => {
  const shown = yagura("certificate", "show", id, "--data_dir", data);
  return shown.code === 0 ? JSON.parse(shown.out) : undefined;
};
const verify = (text: string, ...more: string[]) => {
  const file = join(dir, "certificate.json");
  writeFileSync(file, text);
  return yagura("certificate", "verify", file, ...more);
};
/** As it was handed out, byte by byte. */
const download = async (id: string) => {
  const url = `${demo.ready.console}/api/v1/certificates/${id}`;
  return (await fetch(url, { headers: { Cookie: [...oper.cookies].map((c) => c.join("=")).join("; ") } })).text();
};

test("the record of a contract: number, days, place of the data", async () => {
  const path = "/tenants/kaku/contract";
  const { version } = await ok(oper.get(path));
  const record = { number: "K-2026-001", starts_on: "2026-04-01", ends_on: "2027-03-31", place: "日本（東京）" };
  const saved = await ok(oper.patch(path, record, version));
  for (const [name, value] of Object.entries(record)) assert.equal(saved[name], value, name);
  assert.equal((await oper.patch(path, { number: "x" }, version)).status, 412);
  assert.equal(rule(await oper.patch(path, { ends_on: "2026-03-31" }, saved.version)), "order");
  assert.equal((await oper.patch("/tenants/nobody/contract", record, 0)).status, 404);
  // the customer's administrators see it, and nobody else
  const own = await ok((await signedIn(demo, 0)).get("/contract"));
  assert.equal(own.place, record.place);
  assert.ok(!("suspended" in own));
  assert.equal((await (await signedIn(demo, 3)).get("/contract")).status, 403);
  const log = await ok(oper.get("/operations?kind=contract&limit=1"));
  assert.equal(log.items[0].after.number, record.number);
});

test("a suspended tenant answers nothing, in both languages; backups go on", async () => {
  const admin = await found("susp");
  const path = "/tenants/susp";
  assert.equal(rule(await oper.post(`${path}/suspend`, { reason: "料金の未納", name: "susp" + "x" })), "name_typed");
  const state = await ok(oper.post(`${path}/suspend`, { reason: "料金の未納", name: "susp株式会社" }));
  assert.equal(state.suspended.reason, "料金の未納");
  assert.equal(rule(await oper.post(`${path}/suspend`, { reason: "二度目", name: "susp" })), "suspended");
  for (const [lang, text] of [["ja", /停止/], ["en", /suspended/]] as const) {
    admin.lang = lang;
    for (const reply of [await admin.get("/session"), await admin.get("/programs"), await admin.post("/sign-in", { email: boss("susp"), password: PASSWORD }), await admin.get("/password-policy")]) {
      assert.deepEqual([reply.status, rule(reply)], [403, "tenant_suspended"]);
      assert.match(reply.body.errors[0].message, text);
      assert.doesNotMatch(JSON.stringify(reply.body), /料金/, "why is for the operators");
    }
  }
  const origin = new URL(demo.ready.url).origin;
  const page = await fetch(`${origin}/t/susp/`);
  assert.equal(page.status, 403);
  assert.match(await page.text(), /<script/, "the page that says so");
  assert.equal((await fetch(`${origin}/t/kaku/`)).status, 200);
  await askBackup(oper);
  await until(async () => (await ok(oper.get("/backups"))).tenants.find((t: any) => t.id === "susp")?.at);
  assert.equal((await ok(oper.get("/tenants"))).items.find((t: any) => t.id === "susp").is_suspended, true);

  await ok(oper.post(`${path}/resume`, undefined));
  assert.equal(rule(await oper.post(`${path}/resume`, undefined)), "not_suspended");
  assert.equal((await admin.get("/session")).status, 200);
  const log = (await ok(admin.get("/operations?kind=contract"))).items.map((o: any) => `${o.action} ${o.user.name}`);
  assert.match(log.join(), /resume operator: .*,suspend operator: /);
});

test("the command line does the same; a name that leads elsewhere is refused", () => {
  for (const id of ["../x", "..", "/etc", "a/b", "Kou"])
    for (const args of [["suspend", id, "--name", id, "--reason", "r"], ["resume", id], ["terminate", id, "--name", id, "--end", day(ahead)]]) {
      const done = tenant(...args);
      assert.notEqual(done.code, 0, `${args}`);
      assert.match(done.err, /No such tenant|usage/, `${args}: ${done.err}`);
    }
  assert.match(tenant("suspend", "susp", "--name", "wrong", "--reason", "r").err, /confirm/);
  assert.equal(tenant("suspend", "susp", "--name", "susp", "--reason", "r").code, 0);
  assert.equal(tenant("resume", "susp").code, 0);
  assert.match(tenant("terminate", "susp", "--name", "susp", "--end", day(ahead), "--delete", day(ahead + 31)).err, /--delete: /);
  const set = tenant("terminate", "susp", "--name", "susp", "--end", day(ahead + 60));
  assert.equal(set.code, 0, set.err);
  assert.match(set.out, new RegExp(`ends with ${day(ahead + 60)}.*deleted on ${day(ahead + 90)}`));
  assert.equal(tenant("withdraw", "susp").code, 0);
});

test("the end is set by the operator, by its name, and is told; withdrawn it is gone", async () => {
  const path = "/tenants/susp/end";
  const set = (fields: object) => asOperator(() => oper.post(path, { end_on: day(40), name: "susp", ...fields }));
  assert.equal(rule(await set({ end_on: day(-1) })), "past");
  for (const delete_on of [day(40), day(71)]) assert.equal(rule(await set({ delete_on })), "range");
  assert.equal(rule(await set({ name: "別の会社" })), "name_typed");
  const { body } = await set({});
  assert.deepEqual([body.end.end_on, body.end.delete_on, body.end.is_confirmed], [day(40), day(70), false]);
  await until(async () => (await mails(boss("susp"), /契約の終了日が決まりました/)).length);
  const admin = await signInAt("susp");
  const { ending } = (await admin.get("/session")).body;
  assert.deepEqual(ending, { end_on: day(40), delete_on: day(70), is_closed: false });
  // the operator alone cannot confirm at once; that is so for 24 hours, and said
  const early = await asOperator(() => oper.post("/tenants/susp/confirm", { name: "susp" }));
  assert.deepEqual([early.status, rule(early)], [409, "too_early"]);
  const from = body.end.alone_from.slice(0, 19).replace("T", " ");
  assert.equal(Date.parse(body.end.alone_from) - Date.parse(body.end.asked_at), 86_400_000);
  assert.match(early.body.errors[0].message, new RegExp(`${from}（日本時間）から`));
  await ok(oper.request("PATCH", "/me", { lang: "en" }));
  assert.match((await asOperator(() => oper.post("/tenants/susp/confirm", { name: "susp" }))).body.errors[0].message, new RegExp(`from ${from} \\(Japan time\\) on`));
  await ok(oper.request("PATCH", "/me", { lang: "ja" }));
  const { end } = await ok(oper.get("/tenants/susp/contract"));
  assert.deepEqual([end.operator_at, end.is_confirmed], [body.end.operator_at, false], "nothing was written");
  assert.equal(rule(await fresh(admin, PASSWORD, () => admin.delete("/contract/end"))), "not_yours");
  assert.equal((await asOperator(() => oper.delete(path))).body.end, null);
  await until(async () => (await mails(boss("susp"), /取り消されました/)).length);
  assert.equal(rule(await asOperator(() => oper.delete(path))), "not_ending");
  assert.equal((await admin.get("/session")).body.ending, null);
});

test("without a fresh sign-in nothing of it is done", async () => {
  const admin = await signInAt("susp");
  const end = { end_on: day(ahead + 1), name: "susp" };
  moveTo(ahead + 0.01); // a quarter of an hour
  for (const [who, method, path] of [[admin, "POST", "/contract/end"], [admin, "DELETE", "/contract/end"], [admin, "POST", "/contract/confirm"], [oper, "POST", "/tenants/susp/end"], [oper, "DELETE", "/tenants/susp/end"], [oper, "POST", "/tenants/susp/confirm"]] as const) {
    const reply = await who.request(method, path, method === "DELETE" ? undefined : path.endsWith("end") ? end : { name: "susp" });
    assert.deepEqual([reply.status, rule(reply)], [401, "fresh_sign_in"], path);
  }
  moveTo(0);
  oper = await signedInOperator(demo);
});

test("the operator alone: only 24 hours after setting it; unconfirmed it waits, and is overdue", async () => {
  const start = ahead;
  await found("otsu");
  await ok(asOperator(() => oper.post("/tenants/otsu/end", { end_on: day(start), delete_on: day(start + 2), name: "otsu" })));
  await until(async () => (await mails(demo.ready.operator.email, /otsu株式会社 の削除の確認/)).length);
  await jumpTo(start + 3);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(certificate("otsu"), undefined);
  assert.ok(existsSync(join(data, "keys", "otsu.key")));
  const row = async (no: number) => (await ok(oper.get("/trust"))).items.find((r: any) => r.no === no);
  assert.equal((await row(5)).state, "attention");
  assert.match(JSON.stringify((await row(5)).evidence), /otsu|1 件/);
  // an incident of it: owed a report while its data is here, and nobody's then
  const detected_at = new Date(Date.now() + 9 * 3_600_000 + (start + 3) * 86_400_000 - 3_600_000).toISOString().slice(0, 19);
  const texts = { title_ja: "件名", title_en: "Title", body_ja: "本文", body_en: "Text" };
  const incident = await ok(oper.post("/service/incidents", { title: "終了前の障害", what: "調査中", severity: "low", detected_at, tenants: [{ id: "otsu" }] }));
  assert.deepEqual([incident.unreported, incident.gone], [1, 0]);
  const step = (of: any, path: string, body: object = {}) => oper.request("POST", path, body, { "If-Match": `"${of.version}"` });
  const publish = async (fields: object) => {
    const n = await ok(oper.post("/service/notices", { ...texts, mail_to: "admins", ...fields }));
    return step(n, `/service/notices/${n.id}/publish`);
  };
  const over = await publish({ kind: "vulnerability", tenants: [{ id: "otsu" }] });
  assert.deepEqual([over.status, over.body.errors[0].field, rule(over)], [409, "tenants", "nobody"], "its contract is over");
  const confirmed = await asOperator(() => oper.post("/tenants/otsu/confirm", { name: "otsu" }));
  assert.ok(confirmed.status === 200 || confirmed.status === 404, String(confirmed.status));
  await until(() => certificate("otsu"));
  assert.equal((await row(5)).state, "holds");
  const now = await ok(oper.get(`/service/incidents/${incident.id}`));
  assert.deepEqual([now.unreported, now.gone, now.due_at, now.first_report_at, Boolean(now.tenants[0].gone_at)], [0, 1, null, null, true]);
  assert.equal(rule(await publish({ kind: "incident", incident: incident.id })), "nobody");
  assert.equal((await ok(step(now, `/service/incidents/${incident.id}/close`, { cause: "設定", measure: "確認" }))).first_report_at, null);
});

test("a whole life: asked for, told, closed on its day, deleted on its day, followed up", async () => {
  const start = ahead;
  const admin = await found("kou");
  const project = await addProject(admin, "SECRET", { name: "極秘の移行計画" });
  await ok(admin.post("/users", { email: "taro@kou.example", name: "社員 太郎", lang: "ja" }));
  const [, token] = await oper.waitForMail("taro@kou.example", /\/t\/kou\/link#([\w-]{43})/);
  await ok(admin.post("/links/accept", { token, password: PASSWORD }));
  // a copy beside, which goes with it
  await backUp();
  const beside = yagura("backup", "restore", "--date", day(start), "--tenant", "kou", "--as", "kou-copy", "--data_dir", data);
  assert.equal(beside.code, 0, beside.err);

  // the customer asks: by name, by a fresh sign-in, with an earlier deletion
  const ask = (fields: object) => fresh(admin, PASSWORD, () => admin.post("/contract/end", { end_on: day(start + 10), delete_on: day(start + 15), name: "kou株式会社", ...fields }));
  assert.equal(rule(await ask({ name: "kou株式会" })), "name_typed");
  const asked = (await ask({})).body.end;
  assert.deepEqual([asked.asked_for_by, asked.customer_by, asked.operator_by], ["customer", "代表 太郎", null]);
  assert.equal(rule(await ask({})), "ending");
  assert.equal(rule(await asOperator(() => oper.delete("/tenants/kou/end"))), "not_yours");
  assert.equal((await fresh(admin, PASSWORD, () => admin.delete("/contract/end"))).body.end, null);
  await ask({ delete_on: day(start + 20) });
  assert.equal(rule(await admin.post("/contract/confirm", { name: "kou", delete_on: day(start + 21) })), "later");
  assert.equal(rule(await asOperator(() => oper.post("/tenants/kou/confirm", { name: "kou", delete_on: day(start + 16) }))), "side", "not the operator's to change");
  assert.equal((await asOperator(() => oper.post("/tenants/kou/confirm", { name: "kou" }))).body.end.is_confirmed, true);
  // an earlier day has to be confirmed again
  assert.equal((await admin.post("/contract/confirm", { name: "kou", delete_on: day(start + 15) })).body.end.is_confirmed, false);
  assert.equal((await asOperator(() => oper.post("/tenants/kou/confirm", { name: "kou" }))).body.end.is_confirmed, true);
  await until(async () => (await mails(boss("kou"), /契約の終了日が決まりました/)).length);

  await jumpTo(start + 4); // seven days before are told, once
  await until(async () => (await mails(boss("kou"), /契約の終了まで7日です/)).length === 1);
  assert.equal((await (await signInAt("kou")).get("/session")).body.ending.is_closed, false);

  await jumpTo(start + 11); // the day after the last one
  const closed = await signInAt("kou");
  await until(async () => (await mails(boss("kou"), /契約が終了しました/)).length === 1);
  assert.equal((await closed.get("/session")).body.ending.is_closed, true);
  assert.equal((await oper.get("/tenants/kou")).body.standing, "ended");
  assert.match(tenant("list").out, new RegExp(`^kou .* ended ${day(start + 10)} +kou株式会社$`, "m"));
  for (const path of ["/contract", "/programs", `/projects/${project.id}/export.csv`, "/people/csv", "/terms", "/me/sessions"])
    assert.ok([200, 404].includes((await closed.get(path)).status), path);
  for (const path of ["/users", `/projects/${project.id}`, "/my/tickets", "/operations"])
    assert.equal(rule(await closed.get(path)), "tenant_closed", path);
  assert.equal(rule(await closed.post("/projects", { key: "NEW", name: "x", approach: "waterfall" })), "tenant_closed");
  assert.equal(rule(await fresh(closed, PASSWORD, () => closed.delete("/contract/end"))), "closed");
  const taro = new Client(closed.base);
  await taro.signIn("taro@kou.example", PASSWORD);
  assert.equal(rule(await taro.get("/session")), "tenant_closed");
  assert.ok(existsSync(join(data, "tenants", "kou", "tenant.db")));
  await backUp();
  const last = day(start + 11);

  await jumpTo(start + 15);
  const paper = await until(() => certificate("kou"));
  // nothing is left that could open it, and nothing but what has its time
  const left = filesOf("kou");
  assert.ok(left.every((path) => /^backups\/[\d-]+\/kou(\.access)?(\.db|\.log\.key)$|^keys\/kou\.log\.key$|^retained\/kou\.log\.db/.test(path)), left.join());
  assert.equal(certificate("kou-copy").key.id, paper.key.id, "the copy had the same key, and went first");
  assert.deepEqual(filesOf("kou-copy").filter((path) => !/log|^backups/.test(path)), []);
  assert.equal((await oper.get("/tenants/kou")).body.state, "deleted");
  assert.equal((await new Client(at("kou")).get("/session")).status, 404);
  assert.equal(rule(await oper.post("/tenants", { id: "kou", name: "x", admin_email: "x@x.example", admin_name: "x" })), "taken");
  for (const args of [["--as", "kou2"], ["--as", "kou"]]) {
    const back = yagura("backup", "restore", "--date", last, "--tenant", "kou", ...args, "--data_dir", data);
    assert.equal(back.code, 1);
    assert.match(back.err, /deleted|key is destroyed/);
  }
  // its id is nobody's either, and trying takes nothing of what is kept
  const remains = filesOf("kou");
  const logKey = readFileSync(join(data, "keys", "kou.log.key"));
  const onto = yagura("backup", "restore", "--date", last, "--tenant", "susp", "--as", "kou", "--data_dir", data);
  assert.equal(onto.code, 1);
  assert.match(onto.err, /as: The tenant id is taken: kou/);
  assert.deepEqual(filesOf("kou"), remains);
  assert.deepEqual(readFileSync(join(data, "keys", "kou.log.key")), logKey);
  assert.equal((await oper.get("/tenants/kou")).body.standing, "deleted");
  assert.match(tenant("show", "kou").out, / deleted +kou株式会社/);
  for (const name of readdirSync(join(data, "backups"))) {
    const checked = yagura("backup", "verify", "--date", name, "--data_dir", data);
    assert.equal(checked.code, 0, checked.out + checked.err);
  }

  // the certificate
  assert.deepEqual([paper.revision, paper.tenant.id, paper.tenant.name], [1, "kou", "kou株式会社"]);
  assert.deepEqual([paper.contract.end_on, paper.contract.delete_on, paper.contract.asked_for_by], [day(start + 10), day(start + 15), "customer"]);
  assert.match(paper.key.id, /^[0-9a-f]{16}$/);
  const named = paper.files.map((f: any) => f.path);
  for (const path of ["keys/kou.key", "tenants/kou/tenant.db", "tenants/kou/access.db", `backups/${last}/kou.key`]) assert.ok(named.includes(path), path);
  for (const f of paper.files) assert.ok(f.sha256.length === 64 && f.erased_at >= paper.started_at && (f.kind !== "key" || f.erased_at <= paper.key.destroyed_at), JSON.stringify(f));
  const firstFile = paper.files.filter((f: any) => f.kind === "file").map((f: any) => f.erased_at).sort()[0];
  assert.ok(firstFile >= paper.key.destroyed_at, "the key goes first");
  assert.deepEqual([paper.proof.files_left, paper.proof.folders_left, paper.proof.open_handles], [0, 0, 0]);
  assert.deepEqual(paper.derived.map((d: any) => [d.what, d.due_on, d.gone_at]), [["backups", day(start + 22), null], ["logs", paper.derived[1].due_on, null]]);
  assert.match(paper.media.en, /Flash/);
  const text = await download("kou");
  assert.match(verify(text).out, /valid: deletion of kou \(kou株式会社\), revision 1.*\n.*not compared/);
  const key = yagura("certificate", "key", "--data_dir", data).out.trim();
  assert.equal(verify(text, "--key", key).code, 0);
  assert.match(verify(text.replace('"files_left":0', '"files_left":1')).out, /NOT VALID/);
  assert.match(verify(text, "--key", key.replace(/.$/, (c) => (c === "0" ? "1" : "0"))).out, /another key/);
  const [sent] = await until(async () => { const list = await mails(boss("kou"), /データを削除しました/); return list.length && list; });
  const line = sent.text.split("\n").find((l: string) => l.startsWith("{"));
  assert.equal(verify(line).code, 0, "the mail's line verifies");
  const { items: log } = await ok(oper.get("/operations?kind=certificate"));
  assert.ok(log.some((o: any) => o.object_name === "kou" && /^[0-9a-f]{64}$/.test(o.after.sha256)));

  // the logs are kept, whole, and to be had
  await demo.stop();
  const kept = yagura("log", "verify", "--tenant", "kou", "--data_dir", data, "--master_key", `${data}.key`);
  assert.match(kept.out, /operation log: whole, rows 1 to \d+\naccess log: whole/, kept.err);
  const exported = yagura("log", "export", "--tenant", "kou", "--data_dir", data, "--master_key", `${data}.key`);
  assert.match(exported.out, /極秘の移行計画/);
  demo = await startDemo(demo.dir);

  await jumpTo(start + 22); // the eighth day
  const second = await until(() => { const p = certificate("kou"); return p?.revision === 2 && p; });
  assert.ok(second.derived[0].gone_at && !second.derived[1].gone_at);
  assert.deepEqual(filesOf("kou").filter((path) => /^backups/.test(path)), []);

  const logs = Math.round((Date.parse(second.derived[1].due_on) - Date.parse(day(0))) / DAY / 1000);
  await jumpTo(logs - 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(existsSync(join(data, "retained", "kou.log.db")));
  await jumpTo(logs);
  const third = await until(() => { const p = certificate("kou"); return p?.revision === 3 && p; });
  assert.ok(third.derived[1].gone_at);
  assert.deepEqual(filesOf("kou"), []);
  assert.equal(verify(yagura("certificate", "show", "kou", "--data_dir", data).out, "--key", key).code, 0, "after everything, by the same key");
  assert.match(yagura("certificate", "list", "--data_dir", data).out, /kou +revision 3/);
});
