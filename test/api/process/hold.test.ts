// SPDX-License-Identifier: Apache-2.0
// Who may make a data directory, who may take one up while it is being
// restored, and what is said of a file of another build.
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary } from "../server.ts";

const next = process.env.YAGURA_NEXT ?? "build/asan/next/yagura";
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
let dir: string;
let data: string;
const options = (where = data) => ["--data_dir", where, "--master_key", join(dir, "master.key"), "--base_url", "https://pm.example.jp", "--mail_spool", dir];
const run = (words: string[], where = data, program = binary) => {
  const ended = spawnSync(program, [...words, ...options(where)], { env, encoding: "utf8", timeout: 60_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const create = (id: string, where = data, program = binary) =>
  run(["tenant", "create", id, "--name", id, "--admin-email", `boss@${id}.example`, "--admin-name", "代表"], where, program);
/** A server, and what it has said; `until` waits for a word of it. */
function serve(): { child: ChildProcess; until(pattern: RegExp): Promise<string>; said(): string; ended: Promise<number | null> } {
  const child = spawn(binary, ["serve", ...options(), "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"], env });
  let said = "";
  const waiting: (() => void)[] = [];
  const read = (text: Buffer) => {
    said += text;
    for (const look of waiting) look();
  };
  child.stdout!.on("data", read);
  child.stderr!.on("data", read);
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => (resolve(code), waiting.forEach((look) => look()))));
  return {
    child,
    ended,
    said: () => said,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(said)) resolve(said);
          else if (child.exitCode !== null) reject(new Error(said));
        };
        waiting.push(look);
        look();
      }),
  };
}

before(() => {
  dir = mkdtempSync(join(tmpdir(), "yagura-hold-"));
  data = join(dir, "data");
  assert.equal(create("kou").code, 0);
});
after(() => rmSync(dir, { recursive: true, force: true }));

test("only what begins a service makes a directory for it", () => {
  const typo = join(dir, "typo");
  for (const words of [["tenant", "list"], ["tenant", "show", "kou"], ["backup", "list"], ["backup", "run"], ["doctor", "--skip-updates"], ["certificate", "list"], ["log", "key", "--tenant", "kou"],
    ["backup", "restore", "--date", "2026-11-24", "--whole", "--to", join(dir, "to")]]) {
    const said = run(words, typo);
    assert.notEqual(said.code, 0, words.join(" "));
    assert.match(said.err, /is no data directory of Yagura/, words.join(" "));
    assert.ok(!existsSync(typo), words.join(" "));
  }
  const other = join(dir, "other"); // somebody else's folder is left as it is
  mkdirSync(other);
  writeFileSync(join(other, "letter"), "");
  assert.notEqual(run(["tenant", "list"], other).code, 0);
  assert.deepEqual(readdirSync(other), ["letter"]);
  assert.ok(!existsSync(join(dir, "to.part")));
});

test("a server that is started while one restores waits, and says so", async () => {
  const date = (() => {
    assert.equal(run(["backup", "run"]).code, 0);
    return run(["backup", "list"]).out.match(/generation (\S+)/)![1]!;
  })();
  assert.equal(run(["backup", "hold"]).code, 0);
  assert.match(run(["backup", "hold"]).err, /held already/);
  const server = serve();
  try {
    await server.until(/waiting: .*data is held for a restore; yagura backup release ends that/);
    const restored = run(["backup", "restore", "--date", date, "--tenant", "kou", "--in-place"]);
    assert.equal(restored.code, 0, restored.err);
    assert.ok(existsSync(join(data, "held")), "the restore leaves a hold that is not its own");
    assert.doesNotMatch(server.said(), /listening/);
    assert.equal(run(["backup", "release"]).code, 0);
    await server.until(/is no longer held[^]*listening/);
    assert.match(run(["backup", "release"]).err, /is not held/);
    assert.match(run(["backup", "restore", "--date", date, "--tenant", "kou", "--in-place"]).err, /stop the server first/);
    assert.ok(!existsSync(join(data, "held")));
  } finally {
    server.child.kill("SIGTERM");
    await server.ended;
  }
});

test("a hold of a process that is gone holds nobody; a wait ends with the signal", async () => {
  writeFileSync(join(data, "held"), "2147483646\n");
  const one = serve();
  await one.until(/listening/);
  one.child.kill("SIGTERM");
  await one.ended;
  assert.equal(run(["backup", "hold"]).code, 0);
  const two = serve();
  await two.until(/waiting/);
  two.child.kill("SIGTERM");
  assert.notEqual(await two.ended, null);
  assert.doesNotMatch(two.said(), /listening/);
  assert.equal(run(["backup", "release"]).code, 0);
});

test("a file of another build says what it is", () => {
  const newer = join(dir, "newer");
  assert.equal(create("otsu", newer, next).code, 0);
  const listed = run(["tenant", "list"], newer);
  assert.equal(listed.code, 1);
  assert.match(listed.err, /control\.db is of version \d+, this program knows \d+: install the yagura that wrote it/);
  // a tenant's alone
  const mixed = join(dir, "mixed");
  assert.equal(create("hei", mixed).code, 0);
  cpSync(join(mixed, "tenants", "hei"), join(dir, "kept"), { recursive: true });
  const led = run(["tenant", "list"], mixed, next);
  assert.equal(led.code, 0, led.err);
  const served = spawnSync(binary, ["serve", ...options(mixed), "--listen", "127.0.0.1:0"], { env, encoding: "utf8", timeout: 30_000 });
  assert.equal(served.status, 1);
  assert.match(served.stderr, /cannot start: a file was made by another version or build of Yagura/);
  assert.doesNotMatch(served.stderr, /cannot start: busy/);
});
