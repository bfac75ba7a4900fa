// SPDX-License-Identifier: Apache-2.0
// Backups and restores that are killed, have no room, no key, or a directory
// that somebody else holds: what was there stays, and the next try works.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, startDemo } from "../server.ts";

let dir: string;
let data: string;
let today: string;
let isMounted = false;
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
const yagura = (words: string[]) => spawnSync(binary, [...words, "--data_dir", data], { env, encoding: "utf8", timeout: 120_000 });
/** Runs it until `seen` is there, then kills it. */
async function killed(words: string[], seen: () => boolean) {
  const child = spawn(binary, [...words, "--data_dir", data], { env, stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  while (!seen() && child.exitCode === null) await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
  await ended;
}
const generations = () => readdirSync(join(data, "backups")).filter((n) => /^\d/.test(n));

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-broken-"));
  isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", dir]).status === 0;
  const demo = await startDemo(dir);
  data = join(dir, "data");
  await demo.stop();
  assert.equal(yagura(["backup", "run"]).status, 0);
  today = generations()[0]!;
});
after(() => {
  if (isMounted) execFileSync("umount", [dir]);
  rmSync(dir, { recursive: true, force: true });
});

test("killed in the middle of a backup: yesterday's is whole, the next one too", async () => {
  const kept = readFileSync(join(data, "backups", today, "manifest.json"), "utf8");
  for (const file of ["kaku.db", "kaku.access.db", "CONTROL.db"]) {
    await killed(["backup", "run"], () => existsSync(join(data, "backups", ".writing", file)));
    assert.match(yagura(["backup", "verify", "--date", today]).stdout, /3 files whole/, file);
  }
  assert.equal(yagura(["backup", "run"]).status, 0);
  assert.ok(!existsSync(join(data, "backups", ".writing")));
  assert.notEqual(readFileSync(join(data, "backups", today, "manifest.json"), "utf8"), kept);
});

test("killed in the middle of a restore: nothing half is there, the next try works", async () => {
  const words = ["backup", "restore", "--date", today, "--tenant", "kaku", "--as", "again"];
  await killed(words, () => existsSync(join(data, "tenants", ".new-again")));
  if (!existsSync(join(data, "tenants", "again"))) assert.equal(yagura(words).status, 0);
  const listed = yagura(["tenant", "list"]);
  assert.equal(listed.status, 0, listed.stderr);
});

test("a second server on the directory refuses and names the first", async () => {
  const demo = await startDemo(dir);
  const second = spawnSync(binary, ["demo", "--json", "--port", "0", "--data", data], { env, encoding: "utf8", timeout: 60_000 });
  assert.equal(second.status, 1);
  assert.match(second.stderr, new RegExp(`in use by process ${demo.process.pid}`));
  await demo.stop();
});

test("without the master key nothing opens, and the data stays as it is", () => {
  const key = `${data}.key`;
  renameSync(key, `${key}.away`);
  const refused = yagura(["tenant", "list"]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /key/);
  rmSync(key, { force: true });
  renameSync(`${key}.away`, key);
  assert.equal(yagura(["tenant", "list"]).status, 0);
});

test("no room: the backup fails by name, what is there stays, and room helps", (t) => {
  if (!isMounted) return t.skip("no right to mount");
  const { bavail, bsize } = statfsSync(dir);
  const ballast = join(dir, "ballast");
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - (300 << 10)));
  assert.equal(yagura(["backup", "run"]).status, 1);
  rmSync(ballast);
  assert.match(yagura(["backup", "list"]).stdout, /failed .*no space left/);
  assert.match(yagura(["backup", "verify", "--date", today]).stdout, /files whole/);
  assert.equal(yagura(["backup", "run"]).status, 0);
});

test("what was kept for going back goes after seven days", async () => {
  const old = join(data, "tenants", "kaku", "tenant.db.before-1");
  const young = join(data, "tenants", "kaku", "access.db.before-1");
  for (const path of [old, young]) writeFileSync(path, "x");
  utimesSync(old, new Date(), new Date(Date.now() - 8 * 86_400_000));
  const demo = await startDemo(dir);
  for (const end = Date.now() + 30_000; existsSync(old) && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 30));
  assert.ok(!existsSync(old) && existsSync(young));
  await demo.stop();
});

test("a clock before the release is refused", () => {
  const ended = spawnSync(binary, ["demo", "--json", "--port", "0", "--data", data], { env: { ...env, YAGURA_TEST_CLOCK_S: "-100000000" }, encoding: "utf8", timeout: 60_000 });
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /before this release/);
});
