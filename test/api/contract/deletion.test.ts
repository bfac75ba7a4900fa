// SPDX-License-Identifier: Apache-2.0
// A deletion that is killed at any moment, on a full disk, without its key: it
// ends all the same, certified, and leaves nothing; looked for in the raw image
// of a disk of its own.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, existsSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addKou, countIn, makeDisk, ok } from "../kou.ts";
import { addProject, askBackup, binary, type Demo, signedInOperator, startDemo } from "../server.ts";

const release = process.env.YAGURA_RELEASE ?? "build/yagura";
const DAY = 86_400;
const MARK = "ZQX極秘印";
const KILLS = 10;
const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS"];
let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), "yagura-deletion-"));
  process.env[words[0]!] = join(dir, "offset");
  process.env[words[1]!] = "50";
});
after(() => {
  for (const word of words) delete process.env[word];
  rmSync(dir, { recursive: true, force: true });
});

function moveTo(days: number) {
  writeFileSync(join(dir, "next"), String(Math.round(days * DAY)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
const day = (n: number) => new Date(Date.now() + 9 * 3_600_000 + n * DAY * 1000).toISOString().slice(0, 10);
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
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

/** A service with a tenant whose contract ends today and is deleted tomorrow,
 * confirmed by both sides, backed up, and stopped; today may be moved. */
async function prepare(place: string, from = 0): Promise<{ data: string; end: (days?: number) => Promise<Demo> }> {
  moveTo(from);
  const demo = await startDemo(place);
  const data = join(place, "data");
  const oper = await signedInOperator(demo);
  const boss = await addKou(demo, oper);
  const project = await addProject(boss, "MARK", { name: MARK });
  for (let n = 0; n < 20; n++) await ok(boss.post(`/projects/${project.id}/tickets`, { subject: `${MARK} ${n}`, classification: "task", details: `${MARK}の本文`.repeat(300) }));
  await askBackup(oper);
  await until(async () => (await ok(oper.get("/backups"))).tenants.find((t: any) => t.id === "kou")?.at);
  await ok(oper.post("/tenants/kou/end", { end_on: day(from), delete_on: day(from + 1), name: "kou" }));
  await ok(boss.post("/contract/confirm", { name: "kou" }));
  await demo.stop();
  return {
    data,
    end: async (days = 1) => {
      moveTo(days);
      return startDemo(place);
    },
  };
}
const isOwn = (name: string) => /^(\.(new-|replaced-|aside-)?)?kou(\.|$)/.test(name);
const filesOf = (data: string) =>
  (readdirSync(data, { recursive: true }) as string[]).filter((path) => path.split("/").some(isOwn)).sort();
/** What has its time: ciphertext in generations, the logs and their key. */
const mayStay = /^backups\/[\d-]+\/kou(\.access)?(\.db|\.log\.key)$|^keys\/kou\.log\.key$|^retained\/kou\.log\.db(-wal|-shm)?$/;
function certified(data: string): any {
  const shown = yagura("certificate", "show", "kou", "--data_dir", data);
  if (shown.code !== 0) return undefined;
  const file = join(dir, "certificate.json");
  writeFileSync(file, shown.out);
  const key = yagura("certificate", "key", "--data_dir", data).out.trim();
  const checked = yagura("certificate", "verify", file, "--key", key);
  assert.equal(checked.code, 0, checked.out);
  return JSON.parse(shown.out);
}
function nothingLeft(data: string) {
  const left = filesOf(data).filter((path) => !mayStay.test(path));
  assert.deepEqual(left, []);
}

test("killed at random moments again and again, it ends: certified, whole, nothing left", async () => {
  const { data, end } = await prepare(join(dir, "killed"));
  process.env.YAGURA_TEST_ERASE_MS = "10";
  let kills = 0;
  let demo: Demo | undefined;
  try {
    while (!demo) {
      const one = await end();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
      if (kills === KILLS || yagura("certificate", "list", "--data_dir", data).out.includes("kou")) demo = one;
      else await one.stop("SIGKILL");
      kills++;
    }
  } finally {
    delete process.env.YAGURA_TEST_ERASE_MS;
  }
  assert.ok(kills > 3, `killed only ${kills - 1} times`);
  await demo.stop(); // what is left is done by the next start, without waiting
  demo = await end();
  const paper = await until(() => certified(data));
  assert.equal(paper.revision, 1);
  const paths = paper.files.map((f: any) => f.path);
  for (const path of ["keys/kou.key", "tenants/kou/tenant.db", "tenants/kou/access.db"]) assert.ok(paths.includes(path), path);
  assert.ok(paper.files.every((f: any) => f.erased_at && f.sha256.length === 64));
  assert.ok(paper.derived[1].rows > 20, "the log was kept");
  nothingLeft(data);
  await demo!.stop();
  const log = yagura("log", "verify", "--tenant", "kou", "--data_dir", data, "--master_key", `${data}.key`);
  assert.match(log.out, /operation log: whole.*\naccess log: whole/, log.err);
});

test("without its key a tenant is deleted all the same, and the certificate says so", async () => {
  const { data, end } = await prepare(join(dir, "keyless"));
  unlinkSync(join(data, "keys", "kou.key"));
  const demo = await end();
  const paper = await until(() => certified(data));
  assert.equal(paper.key.id, null);
  assert.match(paper.key.note, /missing/);
  assert.equal(paper.derived[1].note, "no_key");
  assert.ok(paper.files.some((f: any) => /^backups\/.*kou\.key$/.test(f.path)), "the copies in backups went");
  nothingLeft(data);
  await demo.stop();
});

test("on a full disk nothing is destroyed before the log is safe; with room it goes on", { skip: process.getuid?.() !== 0 && "needs root to mount" }, async () => {
  const mount = mkdtempSync(join(tmpdir(), "yagura-full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", mount]);
  let demo: Demo | undefined;
  try {
    const { data, end } = await prepare(mount);
    demo = await end(0);
    const ballast = join(mount, "ballast");
    const { bavail, bsize } = statfsSync(mount);
    try {
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 64 * 1024)));
    } catch {
      // the server was quicker: it is full all the same
    }
    // over the next midnight by steps that are no leap of the clock
    for (const hours of [22, 44]) {
      moveTo(hours / 24);
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    assert.ok(existsSync(join(data, "keys", "kou.key")), "the key is there while the log is not safe");
    assert.ok(existsSync(join(data, "tenants", "kou", "tenant.db")));
    unlinkSync(ballast);
    const paper = await until(() => certified(data));
    assert.ok(paper.derived[1].rows > 20);
    nothingLeft(data);
  } finally {
    await demo?.stop();
    execFileSync("umount", ["-l", mount]);
    rmSync(mount, { recursive: true, force: true });
  }
});

// The release has no hook for its clock: the end is set by the other binary the
// day before, and what is due today the release does in its own sandbox.  It
// looks once a minute and at each start, so it is started again and again.
test("the release deletes in its own sandbox, certified, and leaves nothing", async () => {
  const place = join(dir, "confined");
  const { data } = await prepare(place, -1);
  const paper = await until(async () => {
    const demo = await startDemo(place, release);
    try {
      assert.match(readFileSync(`/proc/${demo.process.pid}/status`, "utf8"), /^Seccomp:\t2$/m);
      await new Promise((resolve) => setTimeout(resolve, 500));
    } finally {
      await demo.stop();
    }
    return certified(data);
  });
  const paths = paper.files.map((f: any) => f.path);
  for (const path of ["keys/kou.key", "tenants/kou/tenant.db", "tenants/kou/access.db"]) assert.ok(paths.includes(path), path);
  assert.ok(paths.some((path: string) => /^backups\/.*kou\.key$/.test(path)), "the copies in backups went");
  assert.ok(paper.files.every((f: any) => f.erased_at && f.sha256.length === 64));
  assert.notEqual(paper.proof.file_system, "?", "statfs answers");
  assert.equal(paper.master_key.state, "renewed", "the confined server writes its master key");
  assert.ok(paper.derived[1].rows > 20, "the log was kept");
  nothingLeft(data);
});

test("the raw image of the disk holds neither the tenant's words nor its key", async (t) => {
  const disk = makeDisk(dir, 128);
  if (typeof disk === "string") return t.skip(disk);
  try {
    const { data, end } = await prepare(disk.mount);
    const key = readFileSync(join(data, "keys", "kou.key"));
    const page = readFileSync(join(data, "tenants", "kou", "tenant.db")).subarray(8192, 8192 + 512);
    // that this looking finds what is there
    const holds = (...all: Buffer[]) => countIn(disk.image, all) > 0;
    const control = join(disk.mount, "control");
    const fd = openSync(control, "w");
    writeSync(fd, `${MARK}対照`);
    fdatasyncSync(fd);
    closeSync(fd);
    execFileSync("sync", ["-f", disk.mount]);
    assert.ok(holds(Buffer.from(`${MARK}対照`)), "the control is found");
    assert.ok(holds(key), "the wrapped key is found while it is there");
    assert.ok(holds(page), "and a page of the database");
    writeFileSync(control, Buffer.alloc(64));
    unlinkSync(control);

    const demo = await end();
    const paper = await until(() => certified(data));
    assert.equal(paper.proof.file_system, "ext4");
    assert.ok(paper.files.every((f: any) => f.discarded || f.bytes === 0), "ext4 gives blocks back");
    await demo.stop();
    execFileSync("umount", [disk.mount]);
    assert.ok(!holds(key), "the wrapped key");
    assert.ok(!holds(page), "the page of the database");
    for (const mark of [`${MARK} 1`, `${MARK}の本文`, "甲社の"]) assert.ok(!holds(Buffer.from(mark)), mark);
    execFileSync("mount", ["-o", "loop", disk.image, disk.mount]);
    nothingLeft(data);
  } finally {
    disk.release();
  }
});
