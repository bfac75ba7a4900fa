// SPDX-License-Identifier: Apache-2.0
// Commands find the server that holds the data directory, and are done in it:
// tenants are made, shown and filled without a stop.
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, binary, type Demo, removeDir, signedIn, startDemo } from "../server.ts";

const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
let demo: Demo;
let data: string;

before(async () => {
  demo = await startDemo();
  data = join(demo.dir, "data");
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const yagura = (words: string[], dir = data) => {
  const ended = spawnSync(binary, [...words, "--data_dir", dir], { env, encoding: "utf8", timeout: 60_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const create = (id: string, more: string[] = []) => [
  "tenant", "create", id, "--name", "試験 株式会社", "--admin-email", `boss@${id}.example`, "--admin-name", "代表", ...more,
];
const file = (name: string, text: string | Uint8Array) => {
  const path = join(demo.dir, name);
  writeFileSync(path, text);
  return path;
};

test("the socket is its owner's alone, and gone with the server", async () => {
  const socket = statSync(join(data, "control.sock"));
  assert.ok(socket.isSocket());
  assert.equal(socket.mode & 0o777, 0o600);
  const other = await startDemo();
  const path = join(other.dir, "data", "control.sock");
  assert.ok(existsSync(path));
  await other.stop();
  assert.equal(other.process.exitCode, 0);
  assert.ok(!existsSync(path));
  removeDir(other);
});

test("tenant list, show and create are done by the server that runs", async () => {
  const listed = yagura(["tenant", "list", "--json"]);
  assert.equal(listed.code, 0, listed.err);
  assert.deepEqual(listed.out.trim().split("\n").map((line) => JSON.parse(line).id), [demo.ready.tenant]);
  const made = yagura(create("acme"));
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /tenant acme created.* leaves now/);
  const shown = yagura(["tenant", "show", "acme", "--json"]);
  assert.deepEqual([JSON.parse(shown.out).name, JSON.parse(shown.out).state], ["試験 株式会社", "open"]);
  // it answers at once, and the invitation leads to it
  const base = new URL(demo.ready.url).origin;
  for (;;) {
    const { items } = await (await fetch(`${base}/t/acme/api/v1/demo/mail`)).json();
    const mail = items.find((one: any) => one.to === "boss@acme.example");
    if (mail) {
      assert.ok(mail.text.includes(`${base}/t/acme/link#`), mail.text);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test("what is refused says why, with the exit code of a stopped server", async () => {
  const twice = yagura(create("acme2"));
  assert.equal(twice.code, 0, twice.err);
  const again = yagura(create("acme2"));
  assert.equal(again.code, 1);
  assert.match(again.err, /taken/);
  assert.equal(again.out, "");
  const none = yagura(["tenant", "show", "nobody"]);
  assert.equal(none.code, 1);
  assert.match(none.err, /no tenant nobody/);
  const wrong = yagura(["tenant", "create", "halb"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /usage/);
  const mail = yagura(["tenant", "create", "third", "--name", "丙", "--admin-email", "no address", "--admin-name", "代表"]);
  assert.equal(mail.code, 1);
  assert.match(mail.err, /--admin-email: /);
  assert.doesNotMatch(yagura(["tenant", "list"]).out, /third/, "a refused tenant is not listed");
});

test("a plan is imported while the server runs, all of it or nothing", async () => {
  const admin = await signedIn(demo, 0);
  const { id } = await addProject(admin, "CTL");
  const words = ["import", "--tenant", demo.ready.tenant, "--project", "CTL", "--as", demo.ready.accounts[0]!.email];
  const good = file("good.csv", "ID,WBS番号,件名,予定開始日,予定終了日\nA,1,工程,,\nB,1.1,作業,2026-12-01,2026-12-02\n");
  const dry = yagura([...words, "--dry-run", good]);
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /dry run.*2 rows: 2 added/);
  const done = yagura([...words, "--json", good]);
  assert.equal(done.code, 0, done.err);
  assert.equal(JSON.parse(done.out).added, 2);
  const { rows } = (await admin.get(`/projects/${id}/plan`)).body;
  assert.equal(rows.length, 2);
  const bad = yagura([...words, file("bad.csv", "件名,進捗率\n甲,200\n")]);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /line 2, column 2/);
  const missing = yagura([...words, join(demo.dir, "missing.csv")]);
  assert.equal(missing.code, 1);
  assert.match(missing.out, /cannot be read/);
  assert.equal(yagura([...words, demo.dir]).code, 1, "a folder");
  assert.equal(yagura([...words.map((word) => (word === demo.ready.tenant ? "nobody" : word)), good]).code, 1);
  assert.equal(yagura([...words.map((word) => (word.includes("@") ? demo.ready.accounts[4]!.email : word)), good]).code, 1, "no administrator");
  assert.equal((await admin.get(`/projects/${id}/plan`)).body.rows.length, 2);
  // 5,000 rows: the file comes as a descriptor, whatever its size
  const many = ["件名,進捗率", ...Array.from({ length: 5000 }, (_, i) => `作業${i},${i % 100}`)].join("\n");
  const large = yagura([...words, file("many.csv", many)]);
  assert.equal(large.code, 0, large.err);
  assert.match(large.out, /5000 added/);
});

test("nonsense on the socket is dropped, and the server goes on", async () => {
  const say = (bytes: Uint8Array) =>
    new Promise<Buffer>((resolve, reject) => {
      const socket = connect(join(data, "control.sock"));
      const parts: Buffer[] = [];
      socket.on("data", (part) => parts.push(part));
      socket.on("close", () => resolve(Buffer.concat(parts)));
      socket.on("error", (error) => (/EPIPE|ECONNRESET/.test(String(error)) ? 0 : reject(error)));
      socket.end(bytes);
    });
  const request = (words: string[], magic = 0x59470001, bytes?: number, count = words.length) => {
    const text = Buffer.from(words.map((word) => `${word}\0`).join(""));
    const head = Buffer.alloc(12);
    head.writeUInt32LE(magic, 0);
    head.writeUInt32LE(count, 4);
    head.writeUInt32LE(bytes ?? text.length, 8);
    return Buffer.concat([head, text]);
  };
  const dropped: Uint8Array[] = [
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.alloc(3),
    request(["tenant", "list"], 1),
    request(["tenant", "list"], undefined, 0xffffffff),
    request(["tenant", "list"], undefined, undefined, 3),
    request(["tenant", "list"], undefined, undefined, 1),
    request([]),
    request(["tenant", "--help"]),
  ];
  for (const bytes of dropped) assert.equal((await say(bytes)).length, 0, String(bytes));
  for (const [words, code] of [[["serve"], 2], [["tenant", "fly"], 2], [["import"], 2]] as const) {
    const answer = await say(request([...words]));
    assert.equal(answer.readInt32LE(4), code, words.join());
  }
  const listed = await say(request(["tenant", "list"]));
  assert.equal(listed.readInt32LE(4), 0);
  assert.match(listed.subarray(16).toString(), new RegExp(demo.ready.tenant));
});

test("with no server the commands do it themselves, also in an evaluation directory", async () => {
  const other = await startDemo();
  const dir = join(other.dir, "data");
  await other.stop("SIGKILL");
  assert.ok(existsSync(join(dir, "control.sock")), "left behind by the killed one");
  const listed = yagura(["tenant", "list", "--json"], dir);
  assert.equal(listed.code, 0, listed.err);
  assert.equal(JSON.parse(listed.out).id, other.ready.tenant);
  const again = await startDemo(other.dir);
  assert.equal(yagura(["tenant", "list"], dir).code, 0);
  await again.stop();
  removeDir(other);
});

test("a service takes them too: a second tenant while the first is served", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), `yagura-control-${"long".repeat(30)}-`));
  const spool = join(dir, "spool");
  mkdirSync(spool);
  const options = ["--master_key", join(dir, "master.key"), "--mail_spool", spool, "--listen", "127.0.0.1:0"];
  const child: ChildProcess = spawn(binary, ["serve", ...options, "--data_dir", join(dir, "data"), "--base_url", "https://pm.example.jp"], { stdio: ["ignore", "ignore", "pipe"], env });
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on("data", (part) => /listening/.test((log += part)) && resolve());
    child.on("exit", () => reject(new Error(log)));
  });
  for (const id of ["kou", "otsu"]) {
    const made = yagura([...create(id), ...options], join(dir, "data"));
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /leaves now/);
  }
  assert.equal(yagura(["tenant", "list", ...options], join(dir, "data")).out.trim().split("\n").length, 2);
  const texts = () =>
    readdirSync(spool)
      .filter((name) => name.endsWith(".eml"))
      .map((name) => readFileSync(join(spool, name), "utf8"));
  while (texts().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const text of texts()) {
    const words = Buffer.from(text.slice(text.indexOf("\r\n\r\n")), "base64").toString();
    assert.match(words, /https:\/\/pm\.example\.jp\/t\/(kou|otsu)\/link#/);
  }
  await new Promise<void>((resolve) => {
    child.on("close", () => resolve());
    child.kill("SIGTERM");
  });
  assert.match(log, /control: command=tenant word=create/);
});
