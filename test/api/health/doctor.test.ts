// SPDX-License-Identifier: Apache-2.0
// `yagura doctor`: each thing is broken and seen to be named; the console shows
// the same; the text for support holds nobody's name and no secret.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askBackup, binary, Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../server.ts";

const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
const dir = mkdtempSync(join(tmpdir(), "yagura-doctor-"));
const conf = join(dir, "yagura.conf");
const key = join(dir, "keys", "master.key");
let server: ChildProcess | undefined;
let log = "";

const write = (more: Record<string, string> = {}) =>
  writeFileSync(conf, Object.entries({
    data_dir: join(dir, "data"), master_key: key, listen: "127.0.0.1:0", smtp_host: "127.0.0.1", smtp_port: "17", smtp_security: "plain",
    smtp_from: "canary-from@example.jp", smtp_from_name: "canary-name", base_url: "https://canary-host.example.jp", ...more,
  }).map(([k, v]) => `${k} = ${v}\n`).join(""), { mode: 0o600 });
async function start() {
  log = "";
  const child = spawn(binary, ["serve", "--config", conf], { env, stdio: ["ignore", "pipe", "pipe"] });
  server = child;
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (text) => (log += text).includes("listening ") && resolve());
    child.on("exit", () => reject(new Error(log)));
  });
}
const stop = () =>
  new Promise<void>((resolve) => {
    if (!server || server.exitCode !== null) return resolve();
    server.on("exit", () => resolve());
    server.kill();
  });
const doctor = (...words: string[]) => {
  const ended = spawnSync(binary, ["doctor", "--skip-updates", "--config", conf, ...words], { env, encoding: "utf8" });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const findings = (): Record<string, { state: string; text: string; text_ja: string }> => {
  const ended = doctor("--json");
  assert.ok(ended.out, ended.err);
  return Object.fromEntries(JSON.parse(ended.out).findings.map((f: any) => [f.name, f]));
};

before(async () => {
  mkdirSync(join(dir, "keys"));
  write();
  execFileSync(binary, ["tenant", "create", "canary-tenant", "--name", "canary-company", "--admin-email", "canary-admin@example.jp",
    "--admin-name", "canary-person", "--config", conf], { env, stdio: "pipe" });
  await start();
});
after(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

test("what confines the server is measured in it, and TLS by asking it", () => {
  const found = findings();
  for (const name of ["landlock", "seccomp", "memory", "files", "key", "answer", "tls", "schema", "backup", "disk"])
    assert.equal(found[name]?.state, "good", JSON.stringify(found[name]));
  assert.match(found.listen!.text, /^Listens on 127\.0\.0\.1:\d+: TLS/);
  assert.match(found.tls!.text, /TLSv1\.3 .*TLSv1\.2 .*refuses TLS 1\.1/);
  assert.match(found.certificate!.text, /self-signed/);
  assert.equal(found.certificate!.state, "warning");
  assert.equal(found.user!.state, process.getuid!() === 0 ? "bad" : "good");
});

test("a relay that does not take us is a problem; one that does is not", async () => {
  assert.equal(findings().mail!.state, "bad");
  assert.equal(doctor().code, 1);
  const relay = createServer((socket) => {
    socket.write("220 relay\r\n");
    socket.on("data", (text) => socket.write(/^QUIT/.test(String(text)) ? "221 bye\r\n" : "250 relay\r\n"));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  await stop();
  write({ smtp_port: String((relay.address() as any).port) });
  await start();
  // spawnSync would keep the relay, which is in this process, from answering
  const out = await new Promise<string>((resolve) => {
    let text = "";
    const child = spawn(binary, ["doctor", "--skip-updates", "--json", "--config", conf], { env });
    child.stdout.on("data", (data) => (text += data));
    child.on("close", () => resolve(text));
  });
  relay.close();
  assert.equal(JSON.parse(out).findings.find((f: any) => f.name === "mail").state, "good");
});

test("rights that are too wide and a key that is gone are named", () => {
  chmodSync(conf, 0o666);
  assert.match(findings().files!.text, /yagura\.conf can be read or written by other users/);
  chmodSync(conf, 0o600);
  chmodSync(join(dir, "data"), 0o755);
  assert.equal(findings().files!.state, "bad");
  chmodSync(join(dir, "data"), 0o700);
  assert.equal(findings().files!.state, "good");
  chmodSync(key, 0o444);
  assert.match(findings().key!.text, /can be read by others/);
  chmodSync(key, 0o400);
  renameSync(key, `${key}.away`);
  assert.match(findings().key!.text, /is gone/);
  renameSync(`${key}.away`, key);
  assert.equal(findings().key!.state, "good");
});

test("a copy of the key is asked for until it is confirmed, by its sum", () => {
  const before = findings().key_copy!;
  assert.equal(before.state, "warning");
  const copy = join(dir, "copy.key");
  copyFileSync(key, copy);
  const sum = createHash("sha256").update(readFileSync(copy)).digest("hex");
  assert.ok(before.text.includes(sum.slice(0, 16)), before.text);
  doctor("--confirm-key-copy");
  assert.equal(findings().key_copy!.state, "good");
});

test("an expired certificate and a short one are told apart", async () => {
  const crt = join(dir, "own.crt"), own = join(dir, "own.key");
  const made = (days: string) => {
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-days", days,
      "-keyout", own, "-out", crt], { stdio: "pipe" });
    chmodSync(own, 0o600);
  };
  made("3");
  await stop();
  write({ cert: crt, cert_key: own });
  await start();
  assert.equal(findings().certificate!.state, "bad");
  made("400");
  server!.kill("SIGHUP");
  while (!log.includes("certificate read again")) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(findings().certificate!.state, "warning", "self-signed");
  chmodSync(own, 0o644);
  assert.equal(findings().files!.state, "bad");
});

test("a certificate for another host is named with the setting, not with the host", async () => {
  const run = (...words: string[]) => execFileSync("openssl", words, { cwd: dir, stdio: "pipe" });
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  run("req", "-x509", ...ec, "-subj", "/CN=ca", "-days", "400", "-keyout", "ca.key", "-out", "ca.crt"); // one of an authority
  const made = (host: string) => {
    run("req", ...ec, "-subj", "/CN=x", "-addext", `subjectAltName=DNS:${host}`, "-keyout", "host.key", "-out", "host.csr");
    run("x509", "-req", "-in", "host.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "300", "-copy_extensions", "copy", "-out", "host.crt");
    chmodSync(join(dir, "host.key"), 0o600);
  };
  const own = { cert: join(dir, "host.crt"), cert_key: join(dir, "host.key") };
  made("canary-host.example.jp");
  await stop();
  write(own);
  await start();
  assert.equal(findings().certificate!.state, "good", findings().certificate!.text);
  made("elsewhere.example.jp");
  server!.kill("SIGHUP");
  while (!log.includes("certificate read again")) await new Promise((resolve) => setTimeout(resolve, 10));
  const found = findings().certificate!;
  assert.equal(found.state, "bad");
  assert.match(found.text, /not for the host that these settings name: base_url\./);
  assert.match(found.text_ja, /次の設定のホスト名のものではありません: base_url。/);
  made("canary-host.example.jp"); // the console's own host is served with it, too
  await stop();
  write({ ...own, operator_host: "canary-desk.example.jp" });
  await start();
  assert.match(findings().certificate!.text, /settings name: operator_host\./);
});

test("without a server it says so, and looks at the rest", async () => {
  await stop();
  const found = findings();
  assert.match(found.server!.text, /No server runs/);
  assert.equal(found.landlock, undefined);
  assert.equal(found.schema!.state, "good");
  await start();
});

test("on a full disk it tells what it found all the same", { skip: process.getuid?.() !== 0 && "needs root to mount" }, async () => {
  const mount = mkdtempSync(join(tmpdir(), "yagura-doctor-full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", mount]);
  const demo = await startDemo(mount);
  try {
    // the first backup, when it ends, gives room back
    const oper = await signedInOperator(demo);
    const isRunning = async () => (await oper.get("/backups")).body.runs.some((r: any) => !["good", "failed"].includes(r.state));
    while (await isRunning()) await new Promise((done) => setTimeout(done, 50));
    assert.throws(() => writeFileSync(join(mount, "ballast"), Buffer.alloc(128 << 20)));
    const ended = spawnSync(binary, ["doctor", "--json", "--skip-updates", "--data_dir", join(mount, "data")], { env, encoding: "utf8" });
    assert.ok(ended.stdout, ended.stderr);
    const found = Object.fromEntries(JSON.parse(ended.stdout).findings.map((f: any) => [f.name, f]));
    assert.equal(found.disk.state, "bad");
    assert.match(found.kept.text, /cannot be kept \(full\)/);
    assert.equal(ended.status, 1);
  } finally {
    await demo.stop();
    execFileSync("umount", ["-l", mount]);
    rmSync(mount, { recursive: true, force: true });
  }
});

test("a backup that failed is named with its reason", async () => {
  const demo = await startDemo();
  try {
    const oper = await signedInOperator(demo);
    const lost = join(demo.dir, "data", "keys", "kaku.key");
    renameSync(lost, `${lost}.away`);
    await askBackup(oper);
    const run = async () => (await oper.get("/backups")).body.runs[0];
    while (!["failed", "good"].includes((await run()).state)) await new Promise((done) => setTimeout(done, 50));
    assert.equal((await run()).state, "failed");
    const ended = spawnSync(binary, ["doctor", "--json", "--skip-updates", "--data_dir", join(demo.dir, "data")], { env, encoding: "utf8" });
    const found = Object.fromEntries(JSON.parse(ended.stdout).findings.map((f: any) => [f.name, f]));
    assert.equal(found.backup_run.state, "bad");
    assert.match(found.backup_run.text, /^It failed \(20.*\): .*kaku/);
    assert.match(found.backup.text, /^Of 1 tenants \d lack a backup/);
  } finally {
    await demo.stop();
    removeDir(demo);
  }
});

test("the text for support has no secret and nobody's name in it", () => {
  const path = join(dir, "support.txt");
  assert.ok([0, 1].includes(doctor("--support", path).code!));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, "utf8");
  assert.match(text, /smtp_from = \(set\)/);
  assert.match(text, /tenants 1,/);
  assert.match(text, /landlock/);
  assert.doesNotMatch(text, /canary/);
  assert.ok(!text.includes(readFileSync(key).toString("latin1")));
  assert.match(doctor("--support", path).err, /cannot be made/);
});

// ---- at the console ----

let demo: Demo;
let oper: Client;
before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
});
async function settled(): Promise<any> {
  for (;;) {
    const { body } = await oper.get("/doctor");
    if (body.ran_at && !body.is_asked) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const finding = async (name: string) => (await settled()).items.find((f: any) => f.name === name);
const row = async (no: number) => (await oper.get("/trust")).body.items.find((r: any) => r.no === no);

test("the server looks by itself; the console shows it, asks again, confirms the copy", async () => {
  const first = await settled();
  assert.ok(first.items.length > 10);
  assert.equal((await oper.post("/doctor", undefined)).status, 202);
  assert.ok(Date.parse((await settled()).ran_at) >= Date.parse(first.ran_at));
  assert.equal((await finding("key_copy")).state, "warning");
  assert.equal((await oper.post("/doctor/key-copy", undefined)).status, 202);
  assert.equal((await finding("key_copy")).state, "good");
  const { body } = await oper.get("/operations?kind=key_copy");
  assert.equal(body.items[0].action, "confirm");
  assert.match((await finding("seccomp")).ja, /許可したシステムコール/);
  assert.match((await finding("seccomp")).en, /system calls are allowed/);
});

test("a tenant's people learn nothing of it", async () => {
  const admin = await signedIn(demo);
  assert.equal((await admin.get("/doctor")).status, 404);
  assert.equal((await admin.post("/doctor", undefined)).status, 404);
});

test("the trust page tells what doctor found, with its time", async () => {
  await settled();
  const row14 = await row(14);
  assert.match(row14.evidence.map((x: any) => x.text).join("\n"), /Landlock（版 \d+）/);
  assert.match(row14.evidence.map((x: any) => x.text).join("\n"), /点検（doctor）/);
});
