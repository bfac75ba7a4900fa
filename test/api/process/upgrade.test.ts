// SPDX-License-Identifier: Apache-2.0
// The release after this one, made by two steps of a schema, upgrades what this
// one wrote: killed at any moment, on a full disk, from an older backup.  And
// what it wrote is refused here, whole and untouched, with the next step named.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Account, addProject, binary, Client, type Demo, signedIn, signedInOperator, startDemo } from "../server.ts";

const next = process.env.YAGURA_NEXT ?? "build/asan/next/yagura";
const KILLS = 8;
let dir: string;
let today: string;
let account: Account;

const run = (program: string, place: string, ...words: string[]) => {
  const ended = spawnSync(program, [...words, "--data_dir", join(place, "data")], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, encoding: "utf8", timeout: 120_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
/** The service this release wrote, with a backup of it, once more. */
function copyTo(place: string, from = "old"): string {
  cpSync(join(dir, from), place, { recursive: true });
  return place;
}
const fresh = (name: string) => copyTo(join(dir, name));
/** Every file under it, but for the logs SQLite keeps beside. */
function hashes(place: string): Map<string, string> {
  const list = (readdirSync(place, { recursive: true }) as string[]).filter((path) => statSync(join(place, path)).isFile() && !/-(wal|shm)$|\/lock$/.test(path)).sort();
  return new Map(list.map((path) => [path, createHash("sha256").update(readFileSync(join(place, path))).digest("hex")]));
}
async function holdsTheOld(demo: Demo, tenant = "kaku") {
  const client = new Client(demo.ready.url.replace("/t/kaku", `/t/${tenant}`));
  const reply = await client.signIn(account.email, account.password);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  const { projects } = (await client.get("/programs")).body;
  const before_ = projects.find((p: any) => p.key === "BEFORE");
  assert.ok(before_, "what was written before is there");
  const { items } = (await client.get(`/projects/${before_.id}/tickets`)).body;
  assert.deepEqual(items.map((t: any) => t.subject), ["旧版で書いた"]);
  const chain = await client.get("/operations/verify");
  assert.equal(chain.body.ok, true, JSON.stringify(chain.body));
  return client;
}

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-upgrade-"));
  const demo = await startDemo(join(dir, "old"));
  account = demo.ready.accounts[0]!;
  const admin = await signedIn(demo, 0);
  const { id } = await addProject(admin, "BEFORE");
  assert.equal((await admin.post(`/projects/${id}/tickets`, { subject: "旧版で書いた", classification: "task" })).status, 201);
  const made = run(binary, join(dir, "old"), "backup", "run");
  assert.equal(made.code, 0, made.err);
  [today] = (await (await signedInOperator(demo)).get("/backups")).body.generations;
  await demo.stop();
  // the same a release later, with a backup of its own
  const later = await startDemo(fresh("new"), next);
  await holdsTheOld(later);
  assert.equal(run(next, join(dir, "new"), "backup", "run").code, 0);
  await later.stop();
  assert.ok(existsSync(join(dir, "new", "data", "tenants", "kaku", "tenant.db.before-2")), "the copy taken before");
  assert.ok(existsSync(join(dir, "new", "data", "control.db.before-2")));
});
after(() => rmSync(dir, { recursive: true, force: true }));

test("a data directory of a newer release is refused at the start, naming the next step", async () => {
  const place = copyTo(join(dir, "back"), "new");
  const was = hashes(place);
  await assert.rejects(startDemo(place), /control\.db is of version 3, this program knows 2: install the yagura that wrote it/);
  assert.deepEqual(hashes(place), was, "nothing was touched");
});

test("a backup of a newer schema: every way of restoring refuses it and touches nothing", async () => {
  const place = fresh("newer");
  const data = join(place, "data");
  rmSync(join(data, "backups", today), { recursive: true });
  cpSync(join(dir, "new", "data", "backups", today), join(data, "backups", today), { recursive: true });
  const was = hashes(join(data, "tenants"));
  const keys = hashes(join(data, "keys"));
  const to = join(place, "elsewhere");
  for (const way of [["--tenant", "kaku", "--as", "kaku2"], ["--tenant", "kaku", "--in-place"], ["--whole", "--to", to]]) {
    const refused = run(binary, place, "backup", "restore", "--date", today, ...way);
    assert.equal(refused.code, 1, way.join(" "));
    assert.match(refused.err, /(kaku|CONTROL)\.db was written by a newer Yagura \(schema 3, this program knows 2\): install that version or a later one, then restore again/);
    assert.deepEqual(hashes(join(data, "tenants")), was, way.join(" "));
    assert.deepEqual(hashes(join(data, "keys")), keys, way.join(" "));
    assert.ok(!existsSync(to) && !existsSync(`${to}.part`));
  }
  // the month's drill fails for the same reason, and leaves nothing
  assert.equal(run(binary, place, "backup", "drill", "--date", today, "--tenant", "kaku").code, 1);
  assert.deepEqual(hashes(join(data, "tenants")), was);
  // so does a tenant that alone is newer, before anything is made elsewhere
  cpSync(join(dir, "old", "data", "backups", today, "CONTROL.db"), join(data, "backups", today, "CONTROL.db"));
  const refused = run(binary, place, "backup", "restore", "--date", today, "--whole", "--to", to);
  assert.match(refused.err, /kaku\.db was written by a newer Yagura/);
  assert.ok(!existsSync(to) && !existsSync(`${to}.part`));
  const demo = await startDemo(place);
  try {
    await holdsTheOld(demo);
  } finally {
    await demo.stop();
  }
});

test("a backup of an older schema is restored by the newer release, each way", async () => {
  const place = copyTo(join(dir, "older"), "new");
  const data = join(place, "data");
  rmSync(join(data, "backups", today), { recursive: true });
  cpSync(join(dir, "old", "data", "backups", today), join(data, "backups", today), { recursive: true });
  const restore = (...way: string[]) => {
    const made = run(next, place, "backup", "restore", "--date", today, ...way);
    assert.equal(made.code, 0, made.err);
  };
  const drilled = run(next, place, "backup", "drill", "--date", today, "--tenant", "kaku");
  assert.equal(drilled.code, 0, drilled.err);
  restore("--tenant", "kaku", "--as", "kaku2");
  restore("--tenant", "kaku", "--in-place");
  const elsewhere = join(place, "elsewhere");
  mkdirSync(elsewhere);
  restore("--whole", "--to", join(elsewhere, "data"));
  for (const name of ["data.key", join("data", "accounts.json")]) cpSync(join(place, name), join(elsewhere, name));
  const demo = await startDemo(place, next);
  try {
    await holdsTheOld(demo);
    await holdsTheOld(demo, "kaku2");
  } finally {
    await demo.stop();
  }
  assert.ok(existsSync(join(data, "tenants", "kaku2", "tenant.db.before-2")));
  const whole = await startDemo(elsewhere, next);
  try {
    await holdsTheOld(whole);
  } finally {
    await whole.stop();
  }
});

test(`killed ${KILLS} times in the middle of a migration, the next start ends it`, async (t) => {
  let cut = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const place = fresh(`killed-${kill}`);
    const snapshot = join(place, "data", "tenants", "kaku", "tenant.db.before-2");
    const wal = join(place, "data", "tenants", "kaku", "tenant.db-wal");
    let log = "";
    const starting = startDemo(place, next);
    const demo = await starting;
    demo.process.stderr!.on("data", (data) => (log += data));
    // in the copy at first, then further and further into the steps
    const isIn = () => existsSync(snapshot) && (kill < 2 || (existsSync(wal) && statSync(wal).size > (kill - 2) * 300_000));
    while (!isIn()) await new Promise((resolve) => setTimeout(resolve, 2));
    await demo.stop("SIGKILL");
    if (!/migrated file=\S*tenant\.db /.test(log)) cut++;
    const again = await startDemo(place, next, ["--check"]);
    try {
      await holdsTheOld(again);
    } finally {
      await again.stop();
    }
    rmSync(place, { recursive: true });
  }
  t.diagnostic(`${cut} of ${KILLS} kills came before the end of the migration`);
  assert.ok(cut >= KILLS / 2, `only ${cut} came in time`);
});

const isRoot = process.getuid?.() === 0;
/** A small disk with so many bytes left. */
function onSmallDisk(mb: number): { place: string; leave(bytes: number): void; clear(): void; release(): void } {
  const place = mkdtempSync(join(tmpdir(), "yagura-small-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mb}m`, "tmpfs", place]);
  const ballast = join(place, "ballast");
  return {
    place,
    leave: (bytes) => {
      const { bavail, bsize } = statfsSync(place);
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
    },
    clear: () => unlinkSync(ballast),
    release: () => {
      execFileSync("umount", ["-l", place]);
      rmSync(place, { recursive: true, force: true });
    },
  };
}

test("a full disk during a migration: said so, nothing half done; with room the next request succeeds", { skip: !isRoot && "needs root to mount" }, async () => {
  // none for the copy; or for the copy alone, so that the steps run out of it
  for (const left of [200_000, 5_000_000]) {
    const disk = onSmallDisk(96);
    let demo: Demo | undefined;
    try {
      copyTo(disk.place);
      const file = join(disk.place, "data", "tenants", "kaku", "tenant.db");
      const was = createHash("sha256").update(readFileSync(file)).digest("hex");
      // control.db is small and has its room: the service starts
      const small = await startDemo(copyTo(join(disk.place, "first")), next);
      await small.stop();
      for (const name of ["control.db"]) cpSync(join(disk.place, "first", "data", name), join(disk.place, "data", name));
      rmSync(join(disk.place, "first"), { recursive: true });
      disk.leave(left);
      demo = await startDemo(disk.place, next);
      const client = new Client(demo.ready.url);
      const refused = await client.post("/sign-in", { email: account.email, password: account.password });
      assert.equal(refused.status, 507, JSON.stringify(refused.body));
      assert.match(refused.body.title, /空き容量/);
      client.lang = "en";
      assert.match((await client.get("/session")).body.title, /No space/);
      assert.ok(!existsSync(`${file}.before-2`) || left > 1_000_000, "no half of a copy");
      assert.equal(createHash("sha256").update(readFileSync(file)).digest("hex"), was, "the file is as it was");
      disk.clear();
      await holdsTheOld(demo);
    } finally {
      await demo?.stop("SIGKILL");
      disk.release();
    }
  }
});

test("a full disk during a restore: said so, the live data intact; with room it succeeds", { skip: !isRoot && "needs root to mount" }, async () => {
  const disk = onSmallDisk(64);
  try {
    const place = copyTo(disk.place);
    const data = join(place, "data");
    const to = join(place, "elsewhere");
    const was = hashes(join(data, "tenants"));
    const keys = hashes(join(data, "keys"));
    const ways = [["--tenant", "kaku", "--as", "kaku2"], ["--tenant", "kaku", "--in-place"], ["--whole", "--to", to]];
    disk.leave(300_000);
    for (const way of ways) {
      const refused = run(binary, place, "backup", "restore", "--date", today, ...way);
      assert.equal(refused.code, 1, way.join(" "));
      assert.match(refused.err, /No space left for the restore: make room and run it again/);
      assert.deepEqual(hashes(join(data, "tenants")), was, way.join(" "));
      assert.deepEqual(hashes(join(data, "keys")), keys, way.join(" "));
      assert.ok(!existsSync(to) && !existsSync(`${to}.part`));
    }
    disk.clear();
    for (const way of ways) {
      const made = run(binary, place, "backup", "restore", "--date", today, ...way);
      assert.equal(made.code, 0, `${way.join(" ")}: ${made.err}`);
    }
    const demo = await startDemo(place);
    try {
      await holdsTheOld(demo);
      await holdsTheOld(demo, "kaku2");
    } finally {
      await demo.stop();
    }
  } finally {
    disk.release();
  }
});

test("a restore killed at random moments: what was there or what was to come, and done again", async () => {
  const place = fresh("killed-restore");
  const data = join(place, "data");
  const to = join(place, "elsewhere");
  const words = ["backup", "restore", "--date", today, "--data_dir", data];
  for (const way of [["--tenant", "kaku", "--in-place"], ["--whole", "--to", to]]) {
    for (let kill = 0; kill < 10; kill++) {
      const child = spawn(binary, [...words, ...way], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, stdio: "ignore" });
      const ended = new Promise((resolve) => child.on("exit", resolve));
      await new Promise((resolve) => setTimeout(resolve, 30 + kill * 15));
      child.kill("SIGKILL");
      await ended;
      if (existsSync(to)) break; // it was quicker
      // whatever there is opens, is whole, and is what was backed up
      const shown = run(binary, place, "log", "verify", "--tenant", "kaku");
      assert.ok(shown.code === 0 || existsSync(join(data, "tenants", ".replaced-kaku", "tenant.db")), shown.out + shown.err);
    }
    if (existsSync(to)) continue;
    const made = run(binary, place, "backup", "restore", "--date", today, ...way);
    assert.equal(made.code, 0, made.err);
  }
  assert.ok(existsSync(join(to, "control.db")) && !existsSync(`${to}.part`));
  // and what each of them replaced, for its own seven days
  const kept = readdirSync(join(data, "tenants")).sort();
  assert.deepEqual(kept.filter((name) => !/^\.replaced-kaku\.\d+$/.test(name)), [".replaced-kaku", "kaku"]);
  const demo = await startDemo(place);
  try {
    await holdsTheOld(demo);
  } finally {
    await demo.stop();
  }
});

test("a restore in place that was killed between its steps is undone by the next start", async () => {
  const place = fresh("broken-off");
  const data = join(place, "data");
  // as a kill after the live one was set aside leaves it
  const was = hashes(join(data, "tenants"));
  renameSync(join(data, "tenants", "kaku"), join(data, "tenants", ".aside-kaku"));
  for (const kind of ["", ".log"]) cpSync(join(data, "keys", `kaku${kind}.key`), join(data, "keys", `.aside-kaku${kind}.key`));
  mkdirSync(join(data, "tenants", ".new-kaku"));
  writeFileSync(join(data, "tenants", ".new-kaku", "tenant.db"), "half");
  assert.equal(run(binary, place, "tenant", "show", "kaku").code, 0);
  assert.deepEqual(hashes(join(data, "tenants")), was, "what was there is back");
  const made = run(binary, place, "backup", "restore", "--date", today, "--tenant", "kaku", "--in-place");
  assert.equal(made.code, 0, made.err);
  assert.ok(existsSync(join(data, "tenants", ".replaced-kaku", "tenant.db")), "what was there is kept");
  const demo = await startDemo(place);
  try {
    await holdsTheOld(demo);
  } finally {
    await demo.stop();
  }
});
