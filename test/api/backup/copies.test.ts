// SPDX-License-Identifier: Apache-2.0
// Copies of each generation at a second folder and in a bucket: put whole,
// told when they fail, gone on the eighth day, brought back and restored from.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { access, type Bucket, startBucket } from "../s3.ts";
import { askBackup, binary, Client, type Demo, signedInOperator, startDemo } from "../server.ts";

let dir: string;
let shelf: string;
let bucket: Bucket;
let demo: Demo;
let oper: Client;
let data: string;
let today: string;
const settings: Record<string, string> = {};
const set = (values: Record<string, string>) => {
  for (const [name, value] of Object.entries(values)) settings[name] = process.env[name] = value;
};
/** The store lives in this process: nothing here may block it. */
const yagura = (words: string[], extra: Record<string, string> = {}, where = data) => {
  const child = spawn(binary, ["backup", ...words, "--data_dir", where], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0", ...extra } });
  const said = { code: 0 as number | null, out: "", err: "" };
  child.stdout.on("data", (text) => (said.out += text));
  child.stderr.on("data", (text) => (said.err += text));
  return new Promise<typeof said>((resolve) => child.on("close", (code) => resolve({ ...said, code })));
};
const copies = async (place: "dir" | "s3"): Promise<any> => (await oper.get("/backups")).body.copies.find((x: any) => x.place === place);
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}\n${JSON.stringify((await oper.get("/backups")).body.copies)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
/** Another backup, and what became of its copy in the bucket. */
async function again(mood: Bucket["mood"]) {
  bucket.mood = mood;
  bucket.asked = [];
  await askBackup(oper);
  return until(async () => {
    const { runs, copies } = (await oper.get("/backups")).body; // of one moment
    const now = copies.find((x: any) => x.place === "s3");
    return runs.every((r: any) => r.state === "good" || r.state === "failed") && now.tried_at && now;
  });
}
/** Nothing is running, nothing is owed: not by the hour's own run either. */
async function settled() {
  const quiet = async () => {
    const { runs } = (await oper.get("/backups")).body;
    return runs.every((r: any) => r.state === "good" || r.state === "failed") && (await copies("dir")).tried_at && (await copies("s3")).tried_at;
  };
  for (let n = 0; n < 4; n = (await quiet()) ? n + 1 : 0) await new Promise((resolve) => setTimeout(resolve, 150));
}
const mails = async (subject: RegExp) => (await new Client(demo.ready.console).get("/demo/mail")).body.items.filter((m: any) => subject.test(m.subject));

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-copies-"));
  shelf = join(dir, "shelf");
  mkdirSync(shelf);
  writeFileSync(join(dir, "secret"), `${access.secret}\n`, { mode: 0o400 });
  bucket = await startBucket();
  set({
    YAGURA_BACKUP_COPY_DIR: shelf,
    YAGURA_BACKUP_S3_ENDPOINT: `http://127.0.0.1:${bucket.port}`,
    YAGURA_BACKUP_S3_BUCKET: access.bucket,
    YAGURA_BACKUP_S3_PREFIX: "pm/main",
    YAGURA_BACKUP_S3_REGION: access.region,
    YAGURA_BACKUP_S3_KEY_ID: access.id,
    YAGURA_BACKUP_S3_SECRET_FILE: join(dir, "secret"),
    YAGURA_BACKUP_REGION: "jp-osaka",
    YAGURA_TEST_LOOK_MS: "100",
    YAGURA_TEST_NET_MS: "2000",
    YAGURA_TEST_PAUSE_MS: "10",
  });
  demo = await startDemo(join(dir, "demo"));
  data = join(dir, "demo", "data");
  oper = await signedInOperator(demo);
  const made = await yagura(["run"]);
  assert.equal(made.code, 0, made.err);
  await until(async () => (await copies("dir")).generations.length && (await copies("s3")).generations.length);
  await settled();
  today = (await oper.get("/backups")).body.generations[0];
});
after(async () => {
  for (const name of Object.keys(settings)) delete process.env[name];
  await demo?.stop();
  await bucket?.close();
  rmSync(dir, { recursive: true, force: true });
});

test("each generation lies at both places, whole, byte for byte", async () => {
  const here = join(data, "backups", today);
  const names = readdirSync(here).sort();
  for (const place of ["dir", "s3"] as const) {
    const now = await copies(place);
    assert.deepEqual([now.reason, now.generations[0].date], [null, today]);
    assert.equal(now.generations[0].files, names.length);
  }
  assert.deepEqual(readdirSync(join(shelf, today)).sort(), names);
  for (const name of names) {
    const bytes = readFileSync(join(here, name));
    assert.ok(bytes.equals(readFileSync(join(shelf, today, name))), name);
    assert.ok(bytes.equals(bucket.objects.get(`pm/main/${today}/${name}`)!), name);
  }
  assert.deepEqual(bucket.bad, []);
  const puts = bucket.asked.filter((a) => a.startsWith("PUT"));
  assert.match(puts.at(-1)!, /manifest\.json$/, "the manifest is last");
  assert.ok(bucket.connections < puts.length, "connections are kept");
  assert.ok(![...bucket.objects.values()].some((o) => o.includes("SQLite format 3")), "nothing leaves unencrypted");
  assert.ok(!JSON.stringify((await oper.get("/backups")).body).includes(access.secret));
});

test("what is there already is not sent again", async () => {
  const puts = () => bucket.asked.filter((a) => a.startsWith("PUT")).length;
  const before = puts();
  assert.equal((await yagura(["verify", "--date", today])).code, 0); // touches the folder
  await settled();
  assert.equal(puts(), before);
});

test("a store that hangs, drops, refuses, redirects or never ends: shown, and told once a day", async () => {
  const found: Record<string, RegExp> = {
    hang: /時間内|送信中|接続できません/,
    drop: /閉じ|切れ/,
    refuse: /^HTTP 403 AccessDenied$/,
    redirect: /^HTTP 307（リダイレクトには従いません/,
    endless: /長すぎ/,
    swallow: /違っています/,
    short: /違っています/,
  };
  for (const [mood, reason] of Object.entries(found)) {
    const now = await again(mood as Bucket["mood"]);
    assert.match(now.reason ?? "", reason, mood);
    assert.equal((await copies("dir")).reason, null, "the other place is not touched by it");
  }
  await until(async () => (await mails(/写しの失敗/)).length > 0);
  const told = await mails(/写しの失敗/);
  assert.equal(told.length, 1, "once a day");
  assert.match(told[0].text, /yagura-copies\/pm\/main/);
  assert.ok(!told[0].text.includes(access.secret));
  assert.equal((await again("good")).reason, null);
  assert.ok(bucket.objects.has(`pm/main/${today}/manifest.json`));
});

test("a moment's weakness is tried again at once", async () => {
  const now = await again("busy_once");
  assert.equal(now.reason, null);
});

test("a folder that is not mounted is not made, but told", async () => {
  renameSync(shelf, `${shelf}.away`);
  await again("good");
  const now = await until(async () => {
    const c = await copies("dir");
    return c.reason && c;
  });
  assert.equal(now.reason, "フォルダーがありません");
  await oper.request("PATCH", "/me", { lang: "en" });
  assert.equal((await copies("dir")).reason, "the folder is not there");
  await oper.request("PATCH", "/me", { lang: "ja" });
  assert.ok(!existsSync(shelf));
  renameSync(`${shelf}.away`, shelf);
  await again("good");
  await until(async () => (await copies("dir")).reason === null);
});

test("another bucket gets all that is here, and what is lost there comes back", async () => {
  await settled();
  const prefix = (name: string) => [...bucket.objects.keys()].filter((key) => key.startsWith(name)).length;
  const all = prefix("pm/main/");
  assert.ok(all > 0);
  await demo.stop();
  set({ YAGURA_BACKUP_S3_PREFIX: "pm/other" });
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  await until(() => prefix("pm/other/") === all);
  await until(async () => (await copies("s3")).name.endsWith("pm/other/") && (await copies("s3")).generations.length === 1);
  // back at the first: what lies there is seen, and not sent once more
  await demo.stop();
  set({ YAGURA_BACKUP_S3_PREFIX: "pm/main" });
  bucket.asked = [];
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  await until(async () => (await copies("s3")).name.endsWith("pm/main/") && (await copies("s3")).generations.length === 1);
  assert.deepEqual(bucket.asked.filter((line) => line.startsWith("PUT") && line.endsWith(".db")), [], "the bytes were there");
  // emptied under the same name: looked for once an hour
  const lost = `pm/main/${today}/kaku.db`;
  bucket.objects.delete(lost);
  rmSync(join(shelf, today, "kaku.access.db"));
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = "4000";
  bucket.now = () => Date.now() + 4_000_000;
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  await until(() => existsSync(join(shelf, today, "kaku.access.db")));
  await until(() => bucket.objects.has(lost));
  await demo.stop();
  delete process.env.YAGURA_TEST_CLOCK_S;
  bucket.now = Date.now;
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
});

test("what is damaged here takes the place of nothing there, and is told as failed", async () => {
  await settled();
  const path = join(data, "backups", today, "kaku.db");
  const whole = readFileSync(path);
  const there = bucket.objects.get(`pm/main/${today}/kaku.db`)!;
  bucket.objects.delete(`pm/main/${today}/kaku.db`);
  writeFileSync(path, Buffer.concat([whole.subarray(0, 70_000), Buffer.from([whole[70_000]! ^ 1]), whole.subarray(70_001)]));
  const manifest = join(data, "backups", today, "manifest.json");
  renameSync(manifest, `${manifest}.own`); // its folder changes: looked at again
  renameSync(`${manifest}.own`, manifest);
  const failed = await until(async () => (await copies("s3")).reason && copies("s3"));
  assert.match(failed.reason, new RegExp(`世代 ${today} の kaku\\.db がここで壊れています`));
  assert.ok(!bucket.objects.has(`pm/main/${today}/kaku.db`));
  assert.match(demo.said(), /warn backup copy failed place=s3 .*kaku\.db of \S+ is damaged here/);
  const doctor = await new Promise<string>((resolve) => {
    let text = "";
    const child = spawn(binary, ["doctor", "--skip-updates", "--data_dir", data], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } });
    child.stdout.on("data", (piece) => (text += piece));
    child.on("close", () => resolve(text));
  });
  assert.match(doctor, /backup_copy_s3.*Copying to .* failed: kaku\.db of \S+ is damaged here/);
  const row = (await oper.get("/trust")).body.items[19];
  assert.equal(row.state, "attention");
  assert.ok(row.evidence.some((x: any) => !x.holds && /別の場所（バケット）.*失敗あり/.test(x.text)), JSON.stringify(row.evidence));
  writeFileSync(path, whole);
  bucket.objects.set(`pm/main/${today}/kaku.db`, there);
  await again("good");
  await until(async () => (await copies("s3")).reason === null);
});

test("the eighth day's copies go too, and a key that is gone here is gone there", async () => {
  const day = (back: number) => new Date(Date.parse(today) - back * 86_400_000).toISOString().slice(0, 10);
  for (const back of [6, 7, 20]) {
    cpSync(join(shelf, today), join(shelf, day(back)), { recursive: true });
    for (const name of readdirSync(join(shelf, today))) bucket.objects.set(`pm/main/${day(back)}/${name}`, Buffer.from("old"));
  }
  bucket.objects.set("pm/main/2001-01-01x/other", Buffer.from("not ours"));
  rmSync(join(data, "backups", today, "kaku.key"));
  await until(() => !existsSync(join(shelf, today, "kaku.key")) && !bucket.objects.has(`pm/main/${today}/kaku.key`));
  // what is too old is looked for once a day, and after a start
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = String(86_400);
  settings.YAGURA_TEST_CLOCK_S = "";
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  await until(() => !existsSync(join(shelf, day(7))) && !existsSync(join(shelf, day(20))));
  await demo.stop();
  delete process.env.YAGURA_TEST_CLOCK_S;
  assert.ok(bucket.objects.has("pm/main/2001-01-01x/other"));
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
});

test("a machine that lost everything but the master key gets it back, from either place", async () => {
  await again("good");
  for (const from of ["s3", "dir"]) {
    const fresh = join(dir, `fresh-${from}`);
    const key = { YAGURA_MASTER_KEY: join(dir, "demo", "data.key") };
    const listed = await yagura(["list", "--from", from], key, fresh);
    assert.equal(listed.code, 0, listed.err);
    assert.match(listed.out, new RegExp(`copy ${today}`));
    const fetched = await yagura(["fetch", "--date", today, "--from", from], key, fresh);
    assert.equal(fetched.code, 0, fetched.err);
    assert.match(fetched.out, /3 files are back/);
    assert.match((await yagura(["verify", "--date", today], key, fresh)).out, /3 files whole/);
    const to = join(dir, `whole-${from}`);
    const whole = await yagura(["restore", "--date", today, "--whole", "--to", to], key, fresh);
    assert.equal(whole.code, 0, whole.err);
    const tenants = spawnSync(binary, ["tenant", "list", "--data_dir", to], { env: { ...process.env, ...key, ASAN_OPTIONS: "detect_leaks=0" }, encoding: "utf8" });
    assert.match(tenants.stdout, /kaku/, tenants.stderr);
  }
});

test("a copy that was altered does not come back", async () => {
  const name = `pm/main/${today}/kaku.db`;
  const whole = bucket.objects.get(name)!;
  const bent = Buffer.from(whole);
  bent[70_000]! ^= 1;
  bucket.objects.set(name, bent);
  const kept = readFileSync(join(data, "backups", today, "kaku.db"));
  const refused = await yagura(["fetch", "--date", today, "--from", "s3"]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /kaku\.db: .*SHA-256/);
  assert.ok(kept.equals(readFileSync(join(data, "backups", today, "kaku.db"))), "what is here stays");
  bucket.objects.set(name, whole);
  assert.match((await yagura(["fetch", "--date", "2001-01-01", "--from", "s3"])).err, /no copy of that day/);
  assert.match((await yagura(["fetch", "--date", "../../etc", "--from", "dir"])).err, /no copy of that day/);
  assert.equal((await yagura(["fetch", "--date", today, "--from", "moon"])).code, 2);
});

test("over TLS: the bucket's name as host, the certificate verified", async () => {
  const make = (name: string, host: string) => execFileSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", `/CN=${host}`,
    "-addext", `subjectAltName=DNS:${host}`, "-keyout", join(dir, `${name}.key`), "-out", join(dir, `${name}.crt`)], { stdio: "ignore" });
  const host = "localhost";
  make("right", `${access.bucket}.${host}`);
  make("wrong", "elsewhere.example");
  const list = (cert: string, ca: string, style: "host" | "path") => async () => {
    const safe = await startBucket(style, { key: readFileSync(join(dir, `${cert}.key`)), cert: readFileSync(join(dir, `${cert}.crt`)) });
    safe.objects.set(`pm/main/${today}/manifest.json`, Buffer.from("{}"));
    const said = await yagura(["list", "--from", "s3"], {
      YAGURA_BACKUP_S3_STYLE: style, YAGURA_BACKUP_S3_CA: join(dir, `${ca}.crt`),
      YAGURA_BACKUP_S3_ENDPOINT: `https://${host}:${safe.port}`, YAGURA_TEST_NET_MS: "5000", YAGURA_MASTER_KEY: join(dir, "tls.key"),
    }, join(dir, `tls-${cert}-${ca}`));
    await safe.close();
    return { code: said.code, text: said.out + said.err, bad: safe.bad };
  };
  const resolves = spawnSync("getent", ["hosts", `${access.bucket}.localhost`]).status === 0;
  if (resolves) {
    const good = await list("right", "right", "host")();
    assert.deepEqual([good.code, good.bad], [0, []], good.text);
    assert.match(good.text, new RegExp(`copy ${today}`));
  }
  const named = await list("wrong", "wrong", "path")();
  assert.equal(named.code, 1);
  assert.match(named.text, /certificate is not accepted/, "another's name");
  const unknown = await list("right", "wrong", "path")();
  assert.match(unknown.text, /certificate is not accepted/, "an unknown issuer");
});

test("what is configured wrongly is named before anything starts", async () => {
  const check = (extra: Record<string, string>) => spawnSync(binary, ["config", "check"], { env: { ...process.env, YAGURA_MAIL_SPOOL: dir, ...extra }, encoding: "utf8" });
  assert.equal(check({}).status, 0, check({}).stderr);
  const wrong: [string, string, RegExp][] = [
    ["YAGURA_BACKUP_S3_ENDPOINT", "http://s3.example.jp", /backup_s3_endpoint is https/],
    ["YAGURA_BACKUP_S3_ENDPOINT", "https://s3.example.jp/x", /backup_s3_endpoint/],
    ["YAGURA_BACKUP_S3_BUCKET", "Not_A_Bucket", /backup_s3_bucket/],
    ["YAGURA_BACKUP_S3_PREFIX", "/a", /backup_s3_prefix/],
    ["YAGURA_BACKUP_S3_PREFIX", "a b", /backup_s3_prefix/],
    ["YAGURA_BACKUP_S3_STYLE", "odd", /backup_s3_style/],
    ["YAGURA_BACKUP_COPY_DIR", "relative", /backup_copy_dir is a whole path/],
    ["YAGURA_BACKUP_COPY_DIR", "/var/lib/yagura/copies", /inside data_dir/],
    ["YAGURA_BACKUP_REGION", "日本", /backup_region/],
    ["YAGURA_BACKUP_REGION", "", /need backup_region/],
  ];
  for (const [name, value, told] of wrong) {
    const ended = check({ [name]: value });
    assert.equal(ended.status, 1, `${name}=${value}`);
    assert.match(ended.stderr, told);
  }
  chmodSync(join(dir, "secret"), 0o644);
  const open = await yagura(["list", "--from", "s3"], {}, join(dir, "elsewhere"));
  assert.equal(open.code, 1);
  assert.match(open.err, /must be a file of mode 0400/);
  assert.ok(!open.err.includes(access.secret));
});
