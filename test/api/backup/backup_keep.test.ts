// SPDX-License-Identifier: Apache-2.0
// The last good copy of a tenant outlives its seven days until a newer good
// one is there: here, in the copies elsewhere, and after a week without a
// server.  The operators are told each day how old it is.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { access, type Bucket, startBucket } from "../s3.ts";
import { askBackup, binary, Client, type Demo, signedInOperator, startDemo } from "../server.ts";

const settings: Record<string, string> = {};
const set = (values: Record<string, string>) => {
  for (const [name, value] of Object.entries(values)) settings[name] = process.env[name] = value;
};
let dir: string;
let shelf: string;
let bucket: Bucket;
let demo: Demo;
let data: string;
let now = 0; // hours

function moveTo(hours: number) {
  now = hours;
  writeFileSync(join(dir, "next"), String(Math.round(hours * 3600)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
/** Noon of that day, counted from today. */
const noon = (days: number) => moveTo(days * 24 + 12 - ((((Date.now() / 3_600_000 + 9) % 24) + 24) % 24));
/** By a stop: while a server runs, a step of a day holds all erasing. */
async function goTo(days: number) {
  await demo.stop();
  noon(days);
  demo = await startDemo(join(dir, "demo"));
}
const day = (days: number) => new Date(Date.now() + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10);
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}\n${demo.said().split("\n").filter((l) => !/does not open|has files|not measured/.test(l)).join("\n").slice(-3000)}\n${existsSync(join(data, "backups")) && readdirSync(join(data, "backups"))}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}
/** The store lives in this process: nothing here may block it. */
const yagura = (words: string[], where = data) => {
  const child = spawn(binary, [...words, "--data_dir", where], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } });
  const said = { code: 0 as number | null, out: "", err: "" };
  child.stdout.on("data", (text) => (said.out += text));
  child.stderr.on("data", (text) => (said.err += text));
  return new Promise<typeof said>((resolve) => child.on("close", (code) => resolve({ ...said, code })));
};
const state = async () => (await (await signedInOperator(demo)).get("/backups")).body;
const row = async () => (await (await signedInOperator(demo)).get("/trust")).body.items[19];
const mails = async () => (await new Client(demo.ready.console).get("/demo/mail")).body.items;
const files = (name: string) => (existsSync(join(data, "backups", name)) ? readdirSync(join(data, "backups", name)).sort() : []);
const there = (name: string) => (existsSync(join(shelf, name)) ? readdirSync(join(shelf, name)).sort() : []);
const inBucket = (name: string) => [...bucket.objects.keys()].filter((key) => key.startsWith(`pm/${name}/`)).map((key) => key.slice(name.length + 4)).sort();
const alone = ["kaku.access.db", "kaku.db", "kaku.key", "kaku.log.key", "manifest.json"];
const isAlone = (name: string) => JSON.stringify(files(name)) === JSON.stringify(alone);

function flip(path: string, at = 70_000) {
  const byte = readFileSync(path)[at]!;
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.from([byte ^ 1]), 0, 1, at);
  closeSync(fd);
}

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-keep-"));
  shelf = join(dir, "shelf");
  data = join(dir, "demo", "data");
  mkdirSync(shelf);
  writeFileSync(join(dir, "secret"), `${access.secret}\n`, { mode: 0o400 });
  bucket = await startBucket();
  bucket.now = () => Date.now() + now * 3_600_000;
  set({
    YAGURA_TEST_CLOCK_FILE: join(dir, "offset"),
    YAGURA_TEST_LOOK_MS: "60",
    YAGURA_TEST_IDLE_MS: "100", // the tenant's file is closed: a flipped bit is read
    YAGURA_BACKUP_COPY_DIR: shelf,
    YAGURA_BACKUP_S3_ENDPOINT: `http://127.0.0.1:${bucket.port}`,
    YAGURA_BACKUP_S3_BUCKET: access.bucket,
    YAGURA_BACKUP_S3_PREFIX: "pm",
    YAGURA_BACKUP_S3_REGION: access.region,
    YAGURA_BACKUP_S3_KEY_ID: access.id,
    YAGURA_BACKUP_S3_SECRET_FILE: join(dir, "secret"),
    YAGURA_BACKUP_REGION: "jp-osaka",
    YAGURA_TEST_PAUSE_MS: "10",
  });
  noon(0);
  demo = await startDemo(join(dir, "demo"));
});
after(async () => {
  for (const name of Object.keys(settings)) delete process.env[name];
  await demo?.stop();
  await bucket?.close();
  rmSync(dir, { recursive: true, force: true });
});

const told = async () => (await mails()).filter((m: any) => m.to === demo.ready.operator.email && /26時間/.test(m.subject));
const ages: string[] = [];
let good: Buffer;
let key: string;

test("a tenant whose backups fail keeps its last good copy beyond the eighth day, alone", async () => {
  const oper = await signedInOperator(demo);
  await askBackup(oper).catch(() => undefined);
  await until(async () => (await state()).runs[0].state === "good" && there(day(0)).length && inBucket(day(0)).length);
  key = join(data, "keys", "kaku.key");
  good = readFileSync(key);
  flip(key, 20); // what a damaged file is to a backup, at once
  for (let d = 1; d <= 9; d++) {
    await goTo(d);
    const failed = (r: any) => r.date === day(d) && r.state === "failed";
    await until(async () => (await state()).runs.some(failed));
    if (d > 2) {
      // a look saw it late the day before: told at this day's first
      await until(async () => (await told()).length);
      ages.push((await told()).map((m: any) => m.text.match(new RegExp(`kaku: 最後の正常な写しは世代 ${day(0)}（(\\d+)日`))?.[1]).join());
    }
  }
  await until(() => isAlone(day(0)));
  assert.deepEqual(files(day(1)), [], "day 1 had nobody's copy that is the last");
  const manifest = JSON.parse(readFileSync(join(data, "backups", day(0), "manifest.json"), "utf8"));
  assert.deepEqual([manifest.outlives, manifest.files.length], [true, 2]);
  const checked = await yagura(["backup", "verify", "--date", day(0)]);
  assert.deepEqual([checked.code, checked.out], [0, `${day(0)}: 2 files whole\n`]);
  const listed = await yagura(["backup", "list"]);
  assert.match(listed.out, new RegExp(`generation ${day(0)}  kept for kaku: no newer good copy`));
  assert.deepEqual((await state()).kept, [{ date: day(0), tenants: ["kaku"] }]);
});

test("so do the copies elsewhere", async () => {
  await until(() => JSON.stringify(there(day(0))) === JSON.stringify(alone));
  await until(() => JSON.stringify(inBucket(day(0))) === JSON.stringify(alone));
  // and although what is here is lost
  renameSync(join(data, "backups", day(0)), join(dir, "lost"));
  await goTo(10);
  await until(async () => (await state()).runs.some((r: any) => r.date === day(10) && r.state === "failed"));
  await until(() => there(day(3)).length === 0 && inBucket(day(3)).length === 0);
  assert.deepEqual([there(day(0)), inBucket(day(0))], [alone, alone]);
  const back = await yagura(["backup", "fetch", "--date", day(0), "--from", "s3"]);
  assert.equal(back.code, 0, back.err);
  assert.ok(isAlone(day(0)), "it came back as it is");
});

test("the operators are told each day, with its age; row 20 names it", async () => {
  assert.equal(ages.length, 7);
  ages.forEach((age, n) => assert.equal(Number(age), Number(ages[0]) + n, `one a day: ${ages}`));
  await until(async () => (await told()).length);
  assert.match((await told())[0].text, /直近の失敗: /);
  const found = await row();
  assert.equal(found.state, "attention");
  const said = found.evidence.map((x: any) => x.text).join("\n");
  assert.match(said, /正常な写しが新しくないテナント: kaku \(\d+日前・直近は失敗\)/);
  assert.match(said, new RegExp(`8日目を過ぎても残している写し: kaku \\(${day(0)}\\)`));
  assert.match(said, /最後のバックアップ .*: 失敗/);
});

test("a restore of the whole finds it, and a newer good one ends it", async () => {
  await demo.stop();
  const newest = readdirSync(join(data, "backups")).sort().at(-1)!;
  const to = join(dir, "whole");
  process.env.YAGURA_MASTER_KEY = join(dir, "demo", "data.key");
  const whole = await yagura(["backup", "restore", "--date", newest, "--whole", "--to", to]);
  assert.equal(whole.code, 0, whole.err);
  assert.match(whole.out, new RegExp(`kaku of ${day(0)}`), whole.out);
  assert.ok(statSync(join(to, "tenants", "kaku", "tenant.db")).size > 0);
  delete process.env.YAGURA_MASTER_KEY;
  // mended: the next good one takes its place
  writeFileSync(key, good);
  noon(11);
  demo = await startDemo(join(dir, "demo"));
  await until(async () => (await state()).runs[0].state === "good");
  await until(() => files(day(0)).length === 0);
  await goTo(12); // elsewhere what is too old is looked for once a day
  await until(() => there(day(0)).length === 0 && inBucket(day(0)).length === 0);
  await until(async () => (await state()).runs.some((r: any) => r.date === day(12) && r.state === "good"));
  assert.deepEqual((await state()).kept, []);
});

test("a server that was off for weeks takes nobody's last copy", async () => {
  await demo.stop();
  flip(key, 20);
  noon(40);
  demo = await startDemo(join(dir, "demo"));
  await until(async () => (await state()).runs.some((r: any) => r.date === day(40) && r.state === "failed"));
  await goTo(49);
  await until(() => isAlone(day(12)));
  writeFileSync(key, good);
});

test("what a check finds damaged is no good copy: the one before it stays", async () => {
  await goTo(50);
  await until(async () => (await state()).runs.some((r: any) => r.date === day(50) && r.state === "good"));
  await goTo(51);
  const oper = await signedInOperator(demo);
  await until(async () => (await state()).runs.some((r: any) => r.date === day(51) && r.state === "good"));
  const admin = new Client(demo.ready.url);
  const account = demo.ready.accounts[0]!;
  const own = join(data, "backups", day(51), "kaku.db");
  writeFileSync(`${own}.own`, readFileSync(own));
  renameSync(`${own}.own`, own); // no longer the same file as in other generations
  flip(own);
  assert.equal((await yagura(["backup", "verify", "--date", day(51)])).code, 1);
  assert.equal((await state()).tenants[0].date, day(50), "called the last good one now");
  await admin.signIn(account.email, account.password);
  const said = (await admin.get("/trust")).body.items[19];
  assert.match(said.evidence.map((x: any) => x.text).join("\n"), new RegExp(`このテナントの最後の写し ${day(50).replaceAll("-", "/")}`));
  assert.equal((await oper.get("/trust")).status, 200);
  assert.equal((await row()).state, "attention");
});

test("of a tenant whose contract has ended nothing stays beyond day 8", async () => {
  flip(key, 20);
  const ended = await yagura(["tenant", "terminate", "kaku", "--name", (await state()).tenants[0].name, "--end", day(53)]);
  assert.equal(ended.code, 0, ended.err);
  await goTo(62);
  await until(() => ![50, 51].some((d) => files(day(d)).length));
});
