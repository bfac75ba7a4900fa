// SPDX-License-Identifier: Apache-2.0
// A restore of the whole brings data back, not the past: a deleted tenant stays
// deleted, its certificate, its kept logs and the operator's log are there, and
// who was shut out stays out.  From the data directory, and on a new machine
// from nothing but the generations.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addKou, atKou, ok } from "../kou.ts";
import { askBackup, binary, type Demo, signedInOperator, startDemo } from "../server.ts";

const DAY = 86_400;
const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS", "YAGURA_MASTER_KEY"];
let dir: string;
let data: string;
let first: string;
let log: { seq: number; action: string; object_name: string }[] = [];
const day = (n: number) => new Date(Date.now() + 9 * 3_600_000 + n * DAY * 1000).toISOString().slice(0, 10);
function moveTo(days: number) {
  writeFileSync(join(dir, "next"), String(Math.round(days * DAY)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}
const yagura = (...args: string[]) => {
  const ended = spawnSync(binary, args, { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, encoding: "utf8", timeout: 60_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
/** What must be known wherever the service was restored to. */
function isRemembered(to: string) {
  const listed = yagura("tenant", "list", "--json", "--data_dir", to);
  assert.equal(listed.code, 0, listed.err);
  const tenants = listed.out.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(tenants.map((t: any) => [t.id, t.state ?? t.standing]), [["kaku", "open"], ["kou", "deleted"]], listed.out);
  const shown = yagura("certificate", "show", "kou", "--data_dir", to);
  assert.equal(shown.code, 0, shown.err);
  writeFileSync(join(dir, "certificate.json"), shown.out);
  const key = yagura("certificate", "key", "--data_dir", data).out.trim();
  assert.equal(yagura("certificate", "verify", join(dir, "certificate.json"), "--key", key).code, 0);
  assert.match(yagura("tenant", "create", "kou", "--name", "K", "--admin-email", "k@example.jp", "--admin-name", "K", "--data_dir", to).err, /taken|使われ|conflict/i);
  assert.ok(!existsSync(join(to, "tenants", "kou")));
}

let demo: Demo;
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-whole-"));
  process.env[words[0]!] = join(dir, "offset");
  process.env[words[1]!] = "50";
  moveTo(0);
  const place = join(dir, "demo");
  demo = await startDemo(place);
  data = join(place, "data");
  process.env[words[2]!] = join(place, "data.key");
  const oper = await signedInOperator(demo);
  const boss = await addKou(demo, oper);
  await askBackup(oper);
  await until(async () => (await ok(oper.get("/backups"))).tenants.find((t: any) => t.id === "kou")?.at);
  first = (await ok(oper.get("/backups"))).generations[0];
  await until(async () => (await ok(oper.get("/backups"))).runs.every((r: any) => r.state === "good"));
  // all that follows is not in that backup
  await ok(oper.post("/tenants/kou/end", { end_on: day(0), delete_on: day(1), name: "kou" }));
  await ok(boss.post("/contract/confirm", { name: "kou" }));
  cpSync(join(data, "backups"), join(dir, "of-day-0"), { recursive: true });
  // the deletion to come ends with another master key
  cpSync(process.env[words[2]!]!, join(dir, "key-of-day-0"));
  await demo.stop();
  moveTo(1);
  demo = await startDemo(place);
  await until(() => yagura("certificate", "list", "--data_dir", data).out.includes("kou"));
  const later = await signedInOperator(demo);
  // the certificate is in a backup without anybody asking
  const done = Date.parse(JSON.parse(yagura("certificate", "show", "kou", "--data_dir", data).out).issued_at);
  await until(async () => (await ok(later.get("/backups"))).runs.some((r: any) => r.state === "good" && Date.parse(r.asked_at) >= done));
  log = (await ok(later.get("/operations?limit=100"))).items;
  await demo.stop();
});
after(async () => {
  await demo?.stop();
  for (const word of words) delete process.env[word];
  rmSync(dir, { recursive: true, force: true });
});

test("from the data directory: what happened since then is known, the log goes on", async () => {
  const to = join(dir, "restored", "data");
  mkdirSync(join(dir, "restored"));
  const whole = yagura("backup", "restore", "--date", first, "--whole", "--to", to, "--data_dir", data);
  assert.equal(whole.code, 0, whole.err);
  assert.match(whole.out, new RegExp(`restored: 1 tenant of ${first} into `));
  isRemembered(to);
  const kept = yagura("log", "verify", "--tenant", "kou", "--data_dir", to);
  assert.equal(kept.code, 0, kept.out + kept.err);
  assert.match(kept.out, /operation log: whole/);
  assert.equal(yagura("log", "verify", "--tenant", "kaku", "--data_dir", to).code, 0, "where its log stood is not held against it");
  // as an operator sees it
  cpSync(process.env[words[2]!]!, `${to}.key`);
  cpSync(join(data, "accounts.json"), join(to, "accounts.json"));
  const back = await startDemo(join(dir, "restored"));
  try {
    const oper = await signedInOperator(back);
    const rows = (await ok(oper.get("/operations?limit=100"))).items;
    const found = rows.find((r: any) => r.action === "restore" && r.kind === "backup");
    assert.deepEqual([found.object_name, found.after.to], [first, to]);
    for (const row of log) assert.ok(rows.some((r: any) => r.seq === row.seq && r.action === row.action), JSON.stringify(row));
    assert.equal((await oper.get("/operations/verify")).body.ok, true);
    assert.equal((await atKou(back).get("/session")).status, 404);
  } finally {
    await back.stop();
  }
});

test("on a new machine: the newest generation knows what an older one does not", () => {
  const fresh = join(dir, "fresh");
  mkdirSync(fresh);
  assert.equal(yagura("tenant", "create", "dummy", "--name", "D", "--admin-email", "d@example.jp", "--admin-name", "D", "--base_url", "https://pm.example.jp", "--data_dir", fresh).code, 0);
  cpSync(join(data, "backups"), join(fresh, "backups"), { recursive: true });
  assert.ok(readdirSync(join(fresh, "backups")).length >= 2);
  const to = join(dir, "machine");
  const whole = yagura("backup", "restore", "--date", first, "--whole", "--to", to, "--data_dir", fresh);
  assert.equal(whole.code, 0, whole.err);
  assert.match(whole.out, /what happened since then is as of \d{4}-\d\d-\d\d/);
  isRemembered(to);
});

test("where nothing newer is known, that is said", () => {
  const fresh = join(dir, "older");
  mkdirSync(fresh);
  assert.equal(yagura("tenant", "create", "dummy", "--name", "D", "--admin-email", "d@example.jp", "--admin-name", "D", "--base_url", "https://pm.example.jp", "--data_dir", fresh, "--master_key", join(dir, "key-of-day-0")).code, 0);
  rmSync(join(fresh, "backups"), { recursive: true, force: true });
  cpSync(join(dir, "of-day-0"), join(fresh, "backups"), { recursive: true });
  const whole = yagura("backup", "restore", "--date", first, "--whole", "--to", join(dir, "oldest"), "--data_dir", fresh, "--master_key", join(dir, "key-of-day-0"));
  assert.equal(whole.code, 0, whole.err);
  assert.match(whole.out, /no newer control\.db is here: what happened since then is not known/);
});
