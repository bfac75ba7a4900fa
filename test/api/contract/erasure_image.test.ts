// SPDX-License-Identifier: Apache-2.0
// The whole story of a tenant on a disk of its own, looked at from below: ten
// days of backups, copies, a run that is killed, restores beside and in place,
// fresh keys, a fresh master key, the end of the contract.  Every wrapped key
// that was ever seen is remembered, every block of the raw image is tried with
// every master key there was.
import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addKou, atKou, countIn, enterKou, kou, makeDisk, ok, parts } from "../kou.ts";
import { addProject, askBackup, binary, type Demo, signedInOperator, startDemo } from "../server.ts";

const MARK = "ZQY極秘印";
const HOURS = 22; // a step that is no leap of the clock
const WRAPPED = 61; // version, nonce, key, tag
const settings = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS", "YAGURA_BACKUP_COPY_DIR", "YAGURA_BACKUP_REGION"];
let dir: string;
let hours = 0;
before(() => {
  dir = mkdtempSync(join(tmpdir(), "yagura-image-"));
  process.env[settings[0]!] = join(dir, "offset");
  process.env[settings[1]!] = "50";
});
after(() => {
  for (const word of settings) delete process.env[word];
  rmSync(dir, { recursive: true, force: true });
});

function moveTo(to: number) {
  hours = to;
  writeFileSync(join(dir, "next"), String(hours * 3600));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
const day = (n: number) => new Date(Date.now() + (9 + hours + 24 * n) * 3_600_000).toISOString().slice(0, 10);
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 90_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
const yagura = (...words: string[]) => {
  const ended = spawnSync(binary, words, { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, encoding: "utf8", timeout: 120_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const done = (...words: string[]) => {
  const said = yagura(...words);
  assert.equal(said.code, 0, `${words.join(" ")}: ${said.out}${said.err}`);
  return said.out;
};
/** A command blocks this process: what the server closed meanwhile is seen now. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 100));

/** Wrapped keys by their bytes, wherever a file that holds one was seen; and
 * the master keys. */
class Memory {
  readonly keys = new Map<string, string>();
  readonly masters = new Map<string, Buffer>();
  private readonly place: string;
  private timer: NodeJS.Timeout | undefined;
  constructor(place: string) {
    this.place = place;
  }
  look() {
    let paths: string[] = [];
    try {
      paths = readdirSync(this.place, { recursive: true }) as string[];
    } catch {
      // a folder went while it was read: the next look
    }
    for (const path of paths) {
      if (!/\.key|MASTER\.next/.test(path)) continue;
      try {
        const bytes = readFileSync(join(this.place, path));
        if (path === "data.key") this.masters.set(bytes.toString("hex"), bytes);
        else for (let at = 0; at + WRAPPED <= bytes.length; at += WRAPPED) if (bytes[at] === 1) this.keys.set(bytes.subarray(at, at + WRAPPED).toString("latin1"), path);
      } catch {
        // gone meanwhile
      }
    }
  }
  watch() {
    this.look();
    this.timer = setInterval(() => this.look(), 20);
  }
  rest() {
    clearInterval(this.timer);
    this.look();
  }
}

/** Where something lies that a master key unwraps in this context: a file
 * begins with a block, and a wrapped key with its version. */
function unwrapped(image: string, masters: Buffer[], contexts: string[]): number[] {
  const found: number[] = [];
  const keys = masters.map((m) => Buffer.from(hkdfSync("sha256", m, "", "wrap", 32)));
  for (const { at, bytes } of parts(image, 0))
    for (let block = 0; block + 4 * WRAPPED <= bytes.length; block += 512)
      for (let i = 0; i < 4; i++) {
        const one = bytes.subarray(block + i * WRAPPED, block + (i + 1) * WRAPPED);
        if (one[0] === 1 && keys.some((key) => contexts.some((context) => opens(key, i ? `${context}#${i}` : context, one)))) found.push(at + block);
      }
  return found;
}
function opens(key: Buffer, context: string, wrapped: Buffer): boolean {
  const d = createDecipheriv("aes-256-gcm", key, wrapped.subarray(1, 13));
  d.setAAD(Buffer.concat([Buffer.from([1]), Buffer.from(context)]));
  d.setAuthTag(wrapped.subarray(45, 61));
  d.update(wrapped.subarray(13, 45));
  try {
    d.final();
    return true;
  } catch {
    return false;
  }
}

test("ten days, copies, a kill, restores, rotations and the end: nothing on the raw disk unwraps", { timeout: 580_000 }, async (t) => {
  const disk = makeDisk(dir, 192);
  if (typeof disk === "string") return t.skip(disk);
  const place = disk.mount;
  const data = join(place, "data");
  const copies = join(place, "copies");
  const memory = new Memory(place);
  mkdirSync(copies);
  process.env.YAGURA_BACKUP_COPY_DIR = copies;
  process.env.YAGURA_BACKUP_REGION = "jp-osaka";
  let demo: Demo | undefined;
  try {
    moveTo(0);
    demo = await startDemo(place);
    memory.watch();
    let oper = await signedInOperator(demo);
    let boss = await addKou(demo, oper);
    const project = await addProject(boss, "MARK", { name: MARK });
    const write = (n: number) => ok(boss.post(`/projects/${project.id}/tickets`, { subject: `${MARK} ${n}`, classification: "task", details: `${MARK}の本文`.repeat(300) }));
    const backUp = async () => {
      const today = day(0);
      await askBackup(oper);
      await until(async () => {
        const b = await ok(oper.get("/backups"));
        return b.runs.every((r: any) => r.state === "good") && b.generations[0] === today && b.copies[0].generations[0]?.date === today && !b.copies[0].reason;
      });
    };
    for (let n = 0; n < 3; n++) await write(n);

    // ten days, on one of which the run is killed
    for (let turn = 1; hours < 24 * 10; turn++) {
      moveTo(turn * HOURS);
      await until(async () => (await boss.get("/session")).status === 200 || (await boss.signIn(kou.email, kou.password)).status < 300);
      oper = await signedInOperator(demo);
      await write(100 + turn);
      if (turn === 4) {
        process.env.YAGURA_TEST_PAUSE_MS = "200";
        await askBackup(oper);
        await until(() => existsSync(join(data, "backups", ".writing", "kou.key")) || existsSync(join(data, "backups", day(0), "kou.key")));
        await demo.stop("SIGKILL");
        delete process.env.YAGURA_TEST_PAUSE_MS;
        demo = await startDemo(place);
        oper = await signedInOperator(demo);
        boss = atKou(demo);
        await enterKou(boss);
      }
      await backUp();
      if (turn === 5) done("backup", "restore", "--date", day(0), "--tenant", "kou", "--as", "kou2", "--data_dir", data);
      if (turn === 6) done("key", "rotate", "--tenant", "kou", "--data_dir", data);
      if (turn === 7) assert.equal(JSON.parse(done("key", "rewrap", "--json", "--data_dir", data)).unopened, 0);
      await settle();
      if (turn === 8) {
        await demo.stop();
        done("backup", "restore", "--date", day(0), "--tenant", "kou", "--in-place", "--data_dir", data);
        demo = await startDemo(place);
        oper = await signedInOperator(demo);
        boss = atKou(demo);
        await enterKou(boss);
      }
    }
    assert.equal((await ok(oper.get("/backups"))).generations.length, 7, "older generations went");
    const ofTenant = () => [...memory.keys].filter(([, path]) => /kou2?\.key/.test(path)).map(([bytes]) => Buffer.from(bytes, "latin1"));
    execFileSync("sync", ["-f", place]);
    assert.ok(countIn(disk.image, ofTenant()) > 7, "while it is there its wrapped key is found");
    await settle();

    // the end
    await ok(oper.post("/tenants/kou/end", { end_on: day(0), delete_on: day(1), name: "kou" }));
    await ok(boss.post("/contract/confirm", { name: "kou" }));
    moveTo(hours + HOURS);
    await new Promise((resolve) => setTimeout(resolve, 500));
    moveTo(hours + 4);
    const papers = await until(() => {
      const shown = ["kou", "kou2"].map((id) => yagura("certificate", "show", id, "--data_dir", data));
      return shown.every((s) => s.code === 0) && shown.map((s) => JSON.parse(s.out));
    });
    for (const paper of papers) assert.equal(paper.master_key.state, "renewed");
    await demo.stop();
    memory.rest();
    const live = new Set<string>();
    for (const path of readdirSync(place, { recursive: true }) as string[])
      if (/\.key/.test(path) && path !== "data.key") {
        assert.doesNotMatch(path, /kou2?\.key/, "no key of the tenant's is left");
        const bytes = readFileSync(join(place, path));
        for (let at = 0; at < bytes.length; at += WRAPPED) live.add(bytes.subarray(at, at + WRAPPED).toString("latin1"));
      }
    const now = readFileSync(join(place, "data.key"));
    const masters = [...memory.masters.values()];
    const old = masters.filter((m) => !m.equals(now));
    assert.ok(old.length >= 2, "rewrapped by hand and after the deletion");
    execFileSync("umount", [place]);

    const gone = [...memory.keys.keys()].filter((bytes) => !live.has(bytes)).map((bytes) => Buffer.from(bytes, "latin1"));
    const found = {
      wrapped_keys_seen: memory.keys.size,
      of_the_tenant: countIn(disk.image, ofTenant()),
      of_anything_that_went: countIn(disk.image, gone),
      old_master_keys: countIn(disk.image, old),
      opened_by_any_master_key: unwrapped(disk.image, masters, ["tenant:kou", "tenant:kou2"]).length,
      logs_opened_by_an_old_one: unwrapped(disk.image, old, ["tenant:kou.log", "tenant:kou2.log", "control", "master"]).length,
      words: countIn(disk.image, [`${MARK} 1`, `${MARK}の本文`].map((m) => Buffer.from(m))),
    };
    t.diagnostic(JSON.stringify(found));
    const { wrapped_keys_seen, ...copiesFound } = found;
    assert.ok(wrapped_keys_seen > 60);
    for (const [what, count] of Object.entries(copiesFound)) assert.equal(count, 0, what);
    // that this looking finds what is there: the logs' key has its time
    assert.ok(unwrapped(disk.image, [now], ["tenant:kou.log"]).length > 0);
    assert.ok(countIn(disk.image, [...live].map((bytes) => Buffer.from(bytes, "latin1"))) >= live.size);
  } finally {
    memory.rest();
    await demo?.stop();
    disk.release();
  }
});
