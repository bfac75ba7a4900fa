// SPDX-License-Identifier: Apache-2.0
// Backups as promised: daily, checked, seven kept, gone on the eighth day, one
// tenant or the whole service restored; what was altered is named.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, cpSync, existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, askBackup, binary, Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../server.ts";

const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
let demo: Demo;
let data: string;
let oper: Client;
let today: string;

const yagura = (words: string[], dir = data) => {
  const ended = spawnSync(binary, ["backup", ...words, "--data_dir", dir], { env, encoding: "utf8", timeout: 120_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const state = async () => (await oper.get("/backups")).body;
async function settled() {
  for (;;) {
    const now = await state();
    if (now.runs.length && now.runs.every((r: any) => !["asked", "running"].includes(r.state))) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
/** A check on the screen's route: asked for, followed, its result. */
async function check(date = today) {
  const asked = await oper.post("/backups/verify", { date });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  for (;;) {
    const found = (await state()).checks.find((x: any) => x.id === asked.body.id);
    if (!["asked", "running"].includes(found.state)) return found;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
const folder = (name = today) => join(data, "backups", name);

before(async () => {
  process.env.YAGURA_TEST_LOOK_MS = "100"; // hourly rounds wait while a backup is made
  demo = await startDemo();
  delete process.env.YAGURA_TEST_LOOK_MS;
  data = join(demo.dir, "data");
  oper = await signedInOperator(demo);
  const made = yagura(["run"]);
  assert.equal(made.code, 0, made.err);
  today = (await settled()).generations[0];
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
});

test("a generation holds each tenant's files, their keys and a manifest that is right", async () => {
  const { tenants, runs } = await state();
  assert.equal(runs[0].state, "good");
  assert.deepEqual([tenants.length, tenants[0].date], [1, today]);
  const names = readdirSync(folder()).sort();
  assert.deepEqual(names, ["CONTROL.db", "CONTROL.key", "kaku.access.db", "kaku.db", "kaku.key", "kaku.log.key", "manifest.json"]);
  for (const name of names) assert.equal(statSync(join(folder(), name)).mode & 0o77, 0, name);
  const manifest = JSON.parse(readFileSync(join(folder(), "manifest.json"), "utf8"));
  assert.equal(manifest.files.length, 3);
  for (const f of manifest.files) assert.equal(f.bytes, statSync(join(folder(), `${f.tenant}${f.suffix}`)).size);
  assert.ok(!readFileSync(join(folder(), "kaku.db")).includes("SQLite format 3"), "encrypted");
  const told = yagura(["verify", "--date", today]);
  assert.deepEqual([told.code, told.out], [0, `${today}: 3 files whole\n`]);
  const checked = await check();
  const me = (await oper.get("/session")).body.user.name;
  assert.deepEqual([checked.state, checked.done, checked.total, checked.reason, checked.asked_by], ["good", 3, 3, null, me]);
  const [end, asked] = (await oper.get("/operations?kind=backup&action=verify")).body.items;
  assert.deepEqual([asked.object_name, asked.user.name, asked.after], [today, me, null]);
  assert.deepEqual([end.object_name, end.user.name, end.after], [today, me, { state: "good", files: 3, reason: null }]);
});

test("a flipped bit and a missing key are named", async () => {
  const path = join(folder(), "kaku.db");
  const whole = readFileSync(path);
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.from([whole[70_000]! ^ 1]), 0, 1, 70_000);
  closeSync(fd);
  const told = yagura(["verify", "--date", today]);
  assert.deepEqual([told.code, told.out], [1, "kaku.db: not as it was written (SHA-256)\n"]);
  const checked = await check();
  assert.deepEqual([checked.state, checked.reason], ["failed", "kaku.db: 書いたときと違います（SHA-256）\n"]);
  await oper.request("PATCH", "/me", { lang: "en" });
  assert.equal((await state()).checks[0].reason, told.out, "in the reader's language");
  await oper.request("PATCH", "/me", { lang: "ja" });
  const refused = yagura(["restore", "--date", today, "--tenant", "kaku", "--as", "kaku2"]);
  assert.equal(refused.code, 1);
  assert.ok(!existsSync(join(data, "tenants", "kaku2")));
  writeFileSync(path, whole);
  const key = join(folder(), "kaku.key");
  renameSync(key, `${key}.away`);
  const restore = ["restore", "--date", today, "--tenant", "kaku", "--as", "kaku2"];
  assert.match(yagura(["verify", "--date", today]).out, /kaku\.db: does not open \(its key file is missing\)/);
  assert.equal(yagura(restore).code, 1);
  // a key that is damaged is named, not the file that it opens
  const wrapped = readFileSync(`${key}.away`);
  writeFileSync(key, Buffer.concat([Buffer.from([wrapped[0]! ^ 1]), wrapped.subarray(1)]));
  assert.match(yagura(["verify", "--date", today]).out, /kaku\.db: does not open \(its key file does not open: it is damaged/);
  assert.match(yagura(restore).err, /kaku\.db: its key file does not open: .*Restore with the master key of that day.*Nothing was changed/);
  assert.match(yagura(["drill", "--date", today, "--tenant", "kaku"]).err, /the drill failed: kaku\.db: its key file does not open/);
  assert.match((await state()).drills[0].reason, /^kaku\.db: 鍵のファイルが開けません/);
  rmSync(key);
  renameSync(`${key}.away`, key);
  assert.equal(yagura(["drill", "--date", today, "--tenant", "kaku"]).code, 0, "the next one is good");
  // and so is a manifest that was changed
  const manifest = join(folder(), "manifest.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/"sha256":"(.)/, (_, first) => `"sha256":"${first === "0" ? "1" : "0"}`));
  assert.match(yagura(["verify", "--date", today]).out, /^\S+: the file is sound, but manifest\.json has another SHA-256 for it/);
  writeFileSync(manifest, text);
  assert.equal(yagura(["verify", "--date", today]).code, 0);
});

test("what is asked for wrongly is refused with the reason", async () => {
  assert.match(yagura(["verify", "--date", "../../etc"]).err, /no backup of that day/);
  assert.match(yagura(["restore", "--date", today, "--tenant", "kaku", "--as", "../x"]).err, /tenant id/i);
  assert.match(yagura(["restore", "--date", today, "--tenant", "nobody", "--as", "kaku2"]).err, /not in this backup/);
  assert.match(yagura(["restore", "--date", today, "--tenant", "kaku", "--as", "kaku"]).err, /taken/);
  assert.match(yagura(["restore", "--date", today, "--tenant", "kaku", "--in-place"]).err, /stop the server/);
  assert.match(yagura(["restore", "--date", today, "--whole", "--to", join(demo.dir, "new")]).err, /stop the server first/);
  assert.equal(yagura(["restore", "--date", today]).code, 2);
  assert.equal((await oper.post("/backups/verify", { date: "2001-01-01" })).status, 404);
});

test("a copy whose files are gone is not called one, on the screen or the trust page", async () => {
  const row = async (who: Client) => (await who.get("/trust")).body.items[19];
  const admin = await signedIn(demo, 0);
  assert.equal((await row(oper)).state, "attention", "the last check found damage");
  assert.equal((await check()).state, "good");
  const seen = async () => {
    const { generations, gone, tenants } = await state();
    return [generations.length, gone, tenants[0].is_there, (await row(oper)).state, (await row(admin)).state];
  };
  assert.deepEqual(await seen(), [1, [], true, "holds", "holds"]);
  assert.match((await row(admin)).evidence[0].text, /このテナントの最後の写し .*（正常）、保管している写し 1 世代/);
  const all = join(data, "backups");
  renameSync(all, `${all}.away`);
  assert.deepEqual(await seen(), [0, [today], false, "attention", "attention"]);
  assert.ok((await row(oper)).evidence.some((e: any) => !e.holds && e.text.includes(`見つからない世代: ${today.replaceAll("-", "/")} (`)));
  assert.match((await row(admin)).evidence[0].text, /ファイルが見つかりません.*0 世代/);
  renameSync(`${all}.away`, all);
  renameSync(join(folder(), "kaku.access.db"), join(demo.dir, "kaku.access.db"));
  assert.deepEqual(await seen(), [1, [], false, "attention", "attention"]);
  renameSync(join(demo.dir, "kaku.access.db"), join(folder(), "kaku.access.db"));
  assert.deepEqual(await seen(), [1, [], true, "holds", "holds"]);
});

test("a tenant is restored beside the live one; ways in and waiting mail stay behind", async () => {
  const admin = await signedIn(demo, 0);
  const { id } = await addProject(admin, "LATER");
  const made = yagura(["restore", "--date", today, "--tenant", "kaku", "--as", "kaku2"]);
  assert.equal(made.code, 0, made.err);
  const url = demo.ready.url.replace("/t/kaku", "/t/kaku2");
  const account = demo.ready.accounts[0]!;
  const there = new Client(url);
  for (const [name, value] of admin.cookies) there.cookies.set(name, value).set(name.replace("kaku", "kaku2"), value);
  assert.equal((await there.get("/programs")).status, 401, "no session came along");
  assert.equal((await there.signIn(account.email, account.password)).status, 200);
  const keys = (await there.get("/programs")).body.projects.map((p: any) => p.key);
  assert.ok(keys.includes("ERP") && !keys.includes("LATER"), keys.join());
  assert.equal((await admin.get(`/projects/${id}`)).status, 200, "the live one is as it was");
  const log = (await oper.get("/operations?kind=tenant&action=restore")).body.items;
  assert.equal(log[0].object_name, "kaku2");
});

test("the monthly drill opens a tenant for real and leaves nothing", async () => {
  const told = yagura(["drill", "--date", today, "--tenant", "kaku"]);
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /kaku of .* restored in \d+ ms, \d+ rows/);
  assert.deepEqual(readdirSync(join(data, "tenants")).sort(), ["kaku", "kaku2"]);
  assert.deepEqual(readdirSync(join(data, "keys")).filter((n) => n.includes("drill")), []);
  assert.ok((await state()).drills.some((d: any) => d.tenant === "kaku" && d.reason === null && d.rows > 0));
});

test("the operator asks for one on the screen's route; an auditor may only look", async () => {
  const before_ = (await state()).runs.length;
  await askBackup(oper);
  const now = await settled();
  assert.equal(now.runs.length, before_ + 1);
  assert.equal(now.runs[0].state, "good");
  assert.equal(now.runs[0].asked_by, (await oper.get("/session")).body.user.name);
  assert.equal(now.runs[0].tenants, 2);
  assert.equal((await new Client(demo.ready.url).get("/backups")).status, 404);
});

test("seven generations are kept; the eighth day's is gone", async () => {
  const day = (back: number) => new Date(Date.parse(today) - back * 86_400_000).toISOString().slice(0, 10);
  for (const back of [1, 6, 7, 30]) {
    cpSync(folder(), join(demo.dir, "copy"), { recursive: true });
    renameSync(join(demo.dir, "copy"), folder(day(back))); // whole at once: a round may take it at once
  }
  await askBackup(oper);
  let { generations } = await settled();
  // the run has ended a moment before what is too old goes
  for (let n = 0; generations.length > 3 && n < 100; n++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ generations } = await state());
  }
  assert.deepEqual(generations, [today, day(1), day(6)]);
  assert.ok(!existsSync(folder(day(7))) && !existsSync(folder(day(30))));
  for (const back of [1, 6]) rmSync(folder(day(back)), { recursive: true });
});

test("a failure is told to the operators by mail, once a day, and keeps yesterday's", async () => {
  renameSync(join(data, "keys", "kaku2.key"), join(demo.dir, "kaku2.key"));
  const held = folder();
  const kept = readFileSync(join(held, "manifest.json"), "utf8");
  await askBackup(oper);
  const now = await settled();
  assert.equal(now.runs[0].state, "failed");
  assert.equal(now.runs[0].reason, "kaku2: ファイルまたは鍵がありません");
  await oper.request("PATCH", "/me", { lang: "en" });
  assert.equal((await state()).runs[0].reason, "kaku2: the file or its key is missing");
  await oper.request("PATCH", "/me", { lang: "ja" });
  assert.equal(readFileSync(join(held, "manifest.json"), "utf8"), kept);
  await oper.waitForMail(demo.ready.operator.email, /kaku2/);
  assert.ok(!existsSync(join(data, "backups", ".writing")), "nothing is left of it");
});

test("half of a tenant is no copy: of one that fails nothing is in the generation", async () => {
  const lost = join(data, "keys", "kaku2.log.key");
  renameSync(lost, join(demo.dir, "log.key"));
  renameSync(join(demo.dir, "kaku2.key"), join(data, "keys", "kaku2.key")); // its data can be copied
  renameSync(folder(), join(demo.dir, "today"));
  await askBackup(oper);
  assert.equal((await settled()).runs[0].state, "failed");
  assert.deepEqual(readdirSync(folder()).filter((name) => name.startsWith("kaku2")), []);
  assert.match(yagura(["verify", "--date", today]).out, /3 files whole/);
  assert.deepEqual(readdirSync(join(data, "backups")).filter((name) => name.startsWith(".")), []);
  rmSync(folder(), { recursive: true });
  renameSync(join(demo.dir, "today"), folder());
  renameSync(join(demo.dir, "log.key"), lost);
});

test("a tenant is put back in its place with the server stopped, and the whole service elsewhere", async () => {
  const admin = await signedIn(demo, 0);
  await addProject(admin, "GONE");
  await demo.stop();
  const over = yagura(["restore", "--date", today, "--tenant", "kaku", "--in-place"]);
  assert.equal(over.code, 0, over.err);
  assert.equal(over.out, `restored: tenant kaku as of ${today}; what was there is kept for 7 days\n`);
  const proof = spawnSync(binary, ["log", "verify", "--tenant", "kaku", "--data_dir", data], { env, encoding: "utf8" });
  assert.equal(proof.status, 0, proof.stdout + proof.stderr);
  assert.match(proof.stdout, /operation log: whole.*\naccess log: whole/);
  const to = join(demo.dir, "elsewhere");
  const whole = yagura(["restore", "--date", today, "--whole", "--to", to]);
  assert.equal(whole.code, 0, whole.err);
  assert.match(whole.out, /restored: 2 tenants of \S+ into .*elsewhere\n$/);
  assert.match(yagura(["restore", "--date", today, "--whole", "--to", to]).err, /already/);
  demo = await startDemo(demo.dir);
  const account = demo.ready.accounts[0]!;
  const back = new Client(demo.ready.url);
  assert.equal((await back.signIn(account.email, account.password)).status, 200);
  const keys = (await back.get("/programs")).body.projects.map((p: any) => p.key);
  assert.ok(keys.includes("ERP") && !keys.includes("GONE"), keys.join());
  oper = await signedInOperator(demo);
  const [row] = (await oper.get("/operations?kind=tenant&action=restore")).body.items;
  assert.equal(row.object_name, "kaku");
  assert.equal(row.after.backup, today);
  assert.ok(row.before.log_seq > 0, JSON.stringify(row));
  const list = spawnSync(binary, ["tenant", "list", "--data_dir", to], { env: { ...env, YAGURA_MASTER_KEY: join(demo.dir, "data.key") }, encoding: "utf8" });
  assert.equal(list.status, 0, list.stderr);
  assert.match(list.stdout, /kaku2/);
});
