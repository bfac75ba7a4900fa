// SPDX-License-Identifier: Apache-2.0
// The trust page turns: each break is made in a running service, with days
// passing, seen by both readers and by doctor, and gone when it is mended.
// Breaks of TLS, mail and listeners are in trust_turns_serve.test.ts.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Answer, askBackup, Client, type Demo, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS"];
const PASSWORD = "Daihyou-26";
let dir: string;
let data: string;
let demo: Demo;
let oper: Client;
let admin: Client;
let now = 0; // hours

function moveTo(hours: number) {
  now = hours;
  writeFileSync(join(dir, "next"), String(Math.round(hours * 3600)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
const day = (n: number) => new Date(Date.now() + (now + 9 + n * 24) * 3_600_000).toISOString().slice(0, 10);
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 120_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}\n${demo.said().slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
/** Nobody stays signed in for so long. */
async function signIn() {
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
}
async function go(hours: number) {
  moveTo(now + hours);
  await signIn();
}
interface Line { holds: boolean; text: string; at: string }
interface Row { no: number; state: string; evidence: Line[] }
const rows = async (who: Client): Promise<Row[]> => (await ok(who.get("/trust"))).items;
const lines = async (who: Client, no: number) => (await rows(who))[no - 1]!.evidence;
const says = async (who: Client, no: number, pattern: RegExp, holds: boolean) => (await lines(who, no)).some((l) => l.holds === holds && pattern.test(l.text));
/** The row needs attention for this line, or no longer does. */
const turns = (who: Client, no: number, pattern: RegExp) =>
  until(async () => { const row = (await rows(who))[no - 1]!; return row.state === "attention" && row.evidence.some((l) => !l.holds && pattern.test(l.text)); });
const turnsBack = (who: Client, no: number, pattern: RegExp) => until(async () => !(await says(who, no, pattern, false)));
const holds = (who: Client, ...nos: number[]) => until(async () => { const all = await rows(who); return nos.every((no) => all[no - 1]!.state === "holds"); });
/** Asked for, and looked. */
async function doctor(): Promise<Record<string, { state: string; ja: string; en: string }>> {
  await ok(oper.post("/doctor", undefined));
  const { items } = await until(async () => { const found = await ok(oper.get("/doctor")); return !found.is_asked && found; });
  return Object.fromEntries(items.map((f: any) => [f.name, f]));
}
const problems = async () => Number(/問題 (\d+) 件/.exec((await lines(oper, 14)).find((l) => /点検（doctor）/.test(l.text))!.text)![1]);

const at = (id: string) => `${new URL(demo.ready.url).origin}/t/${id}`;
/** A tenant with an administrator who has his password. */
async function makeTenant(id: string, name: string) {
  await ok(oper.post("/tenants", { id, name, admin_email: `boss@${id}.example`, admin_name: "代表" }));
  const boss = new Client(at(id));
  const [, token] = await oper.waitForMail(`boss@${id}.example`, new RegExp(`/t/${id}/link#([\\w-]{43})`));
  await ok(boss.post("/links/accept", { token, password: PASSWORD }));
  return boss;
}

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-turns-"));
  data = join(dir, "demo", "data");
  process.env[words[0]!] = join(dir, "offset");
  process.env[words[1]!] = "60";
  moveTo(12 - ((((Date.now() / 3_600_000 + 9) % 24) + 24) % 24)); // noon in Japan
  demo = await startDemo(join(dir, "demo"));
  await signIn();
  await makeTenant("otsu", "乙社");
  await askBackup(oper);
  await until(async () => (await ok(oper.get("/backups"))).tenants.every((t: any) => t.at));
  await until(() => says(oper, 6, /テナント 2 件を調べ/, true));
});
after(async () => {
  for (const word of words) delete process.env[word];
  await demo?.stop();
  rmSync(dir, { recursive: true, force: true });
});

// service.md 6, 7 and 12
test("what comes back of a deleted tenant turns row 16, and doctor names it", async () => {
  const boss = await makeTenant("kou", "甲社");
  assert.equal((await boss.signIn("boss@kou.example", PASSWORD)).status, 200);
  const { terms, is_whole_owed } = await ok(boss.get("/terms"));
  if (is_whole_owed) await ok(boss.post("/terms/accept", { no: terms.no }));
  const left = [join(data, "tenants", "kou"), join(data, "keys", "kou.key")];
  left.forEach((path, n) => cpSync(path, join(dir, `left${n}`), { recursive: true }));
  await ok(oper.post("/tenants/kou/end", { end_on: day(0), delete_on: day(1), name: "kou" }));
  await ok(boss.post("/contract/confirm", { name: "kou" }));
  await demo.stop(); // a running server takes the step of a day for a wrong clock, and erases nothing
  moveTo(now + 24);
  demo = await startDemo(join(dir, "demo"));
  await signIn();
  await until(() => demo.said().includes("deletion done tenant=kou"));
  await until(async () => { const found = await doctor(); return found.rewrap!.state === "good" && found.strays!.state === "good"; });
  for (const who of [oper, admin]) await holds(who, 16);

  left.forEach((path, n) => cpSync(join(dir, `left${n}`), path, { recursive: true }));
  await turns(oper, 16, /削除済みのテナント 1 件の鍵とファイルを探し、残っていたもの 1 件/);
  await turns(admin, 16, /削除済みの鍵とファイルが残っていないこと：満たしていません/);
  const found = await doctor();
  assert.deepEqual([found.strays!.state, /keys\/kou\.key/.test(found.strays!.ja)], ["warning", true], found.strays!.ja);
  await turns(oper, 16, /どのテナントのものでもないファイルが \d+ 件.*keys\/kou\.key/);
  for (const path of left) rmSync(path, { recursive: true });
  assert.equal((await doctor()).strays!.state, "good");
  for (const who of [oper, admin]) await holds(who, 16);
});

// 5 and 8
test("a tenant that cannot be opened turns all that is measured in it, by name, until it can", async () => {
  const own = [6, 7, 8, 9, 10, 11, 12, 13, 21, 29, 33, 36];
  const before = await rows(oper);
  const problemsBefore = (await doctor(), await problems());
  const key = join(data, "keys", "otsu.key");
  renameSync(key, `${dir}/otsu.key`);
  const found = await doctor();
  assert.deepEqual([found.schema!.state, /テナント 1 件（otsu など）が開けません/.test(found.schema!.ja)], ["bad", true], found.schema!.ja);
  assert.equal(await problems(), problemsBefore + 1, "row 14 counts it");
  const refused = await new Client(at("otsu")).get("/trust");
  assert.deepEqual([refused.status, rule(refused)], [503, "tenant_unavailable"]);

  await go(26); // the daily look
  for (const no of own) await turns(oper, no, /調べられなかったもの 1 件（otsu）|検証できなかったもの 1 件（otsu）/);
  await turns(oper, 20, /正常な写しが新しくないテナント: otsu \(.*直近は失敗/);
  assert.ok(!(await rows(admin)).some((r) => JSON.stringify(r.evidence).includes("otsu")), "another tenant reads of itself alone");
  await go(8 * 24);
  for (const no of own) await turns(oper, no, /（otsu）.*測定が古いため/);
  await turns(oper, 18, /測れていないもの: otsu/);
  assert.equal((await doctor()).schema!.state, "bad");

  renameSync(`${dir}/otsu.key`, key);
  assert.equal((await doctor()).schema!.state, "good");
  await go(1.1); // what failed is tried again within the hour
  for (const no of own) await turnsBack(oper, no, /otsu|測定が古い/);
  await turnsBack(oper, 18, /大きさを毎日測定/);
  await turnsBack(oper, 20, /テナント: otsu/);
  const after = await rows(oper);
  assert.deepEqual(own.map((no) => after[no - 1]!.state), own.map((no) => before[no - 1]!.state));
});

// 2 and 4: what fills up
test("a threshold that is crossed turns row 18, by its name", async () => {
  const set = async (fields: object) => {
    const { version } = (await ok(oper.get("/capacity"))).measures.find((m: any) => m.name === "disk");
    await ok(oper.patch("/capacity/thresholds/disk", fields, version));
  };
  const crossed = /超えているもの: .*ディスク使用率/;
  assert.ok(!(await says(oper, 18, crossed, false)));
  await set({ level: 1 });
  await turns(oper, 18, crossed);
  await turns(admin, 18, /運用者が確認|尽きる前の警告と残りの余裕：満たしていません/);
  await set({ level: 100 });
  await turnsBack(oper, 18, crossed);
});

// 9
test("two minutes' notice turns row 17 of both until it is taken back; an emergency is named as one", async () => {
  const jst = (minutes: number) => new Date(Date.now() + (now + 9) * 3_600_000 + minutes * 60_000).toISOString().slice(0, 19);
  const late = /これより遅く予告した計画作業 1 件/;
  const step = (n: any, path: string, body: object = {}) => ok(oper.request("POST", `/service/notices/${n.id}/${path}`, body, { "If-Match": `"${n.version}"` }));
  const publish = async (fields: object) =>
    step(await ok(oper.post("/service/notices", { kind: "maintenance", title_ja: "停止", title_en: "Stop", body_ja: "本文", body_en: "Text", starts_at: jst(2), ends_at: jst(60), is_for_all: true, mail_to: "admins", ...fields })), "publish");
  const n = await publish({});
  for (const who of [oper, admin]) await turns(who, 17, late);
  await step(n, "withdraw", { reason_ja: "中止", reason_en: "Off" });
  for (const who of [oper, admin]) await turnsBack(who, 17, late);
  await publish({ is_emergency: true });
  for (const who of [oper, admin]) assert.ok(await says(who, 17, /遅く予告した計画作業 0 件、緊急として予告したもの 1 件/, true));
});

// 13
test("a supplier outside the stated regions turns rows 3 and 26", async () => {
  const s = await ok(oper.post("/suppliers", { name: "遠方設備", purpose: "hosting", region: "us-west", risk: "low", reviewed_on: day(-1), review_on: day(200) }));
  for (const no of [3, 26]) {
    await turns(oper, no, /外にあるもの: 遠方設備 \(us-west\)/);
    await turns(admin, no, /委託先の地域が示した地域にあること：満たしていません/);
  }
  await ok(oper.delete(`/suppliers/${s.id}`, s.version));
  for (const no of [3, 26]) {
    await turnsBack(oper, no, /委託先/);
    await turnsBack(admin, no, /委託先の地域/);
  }
});

// 14
test("terms that are owed turn row 2, by tenant, until they are accepted", async () => {
  const draft = await ok(oper.post("/terms/versions", { ja: "# 改定", en: "# Later", valid_from: day(0), is_material: true }));
  const { no } = await ok(oper.request("POST", `/terms/versions/${draft.id}/publish`, {}, { "If-Match": `"${draft.version}"` }));
  await go(25);
  await turns(oper, 2, /要確認 \d 件（.*kaku/);
  await ok(admin.post("/terms/accept", { no }));
  assert.ok(await says(admin, 2, new RegExp(`第${no}版に .* に同意`), true));
  await go(25);
  await turnsBack(oper, 2, /kaku/);
});

// 13 again: an empty register says something only with the date of a look
test("a month without a look for advisories turns row 24", async () => {
  await ok(oper.post("/advisories/look", undefined));
  for (const who of [oper, admin]) assert.ok(await says(who, 24, /最後に確認した日/, true));
  await go(31 * 24 + 1);
  for (const who of [oper, admin]) await turns(who, 24, /最後に確認した日 .*測定が古いため/);
  await ok(oper.post("/advisories/look", undefined));
  for (const who of [oper, admin]) await turnsBack(who, 24, /最後に確認した日/);
});
