// SPDX-License-Identifier: Apache-2.0
// `yagura key`: a fresh master key for everything, fresh keys for a tenant, both
// killed at any moment; what stays wrapped by an old master key is said, what
// belongs to nobody is listed, a lost key is found; and openssl verifies a
// certificate of deletion as the manual says.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addKou, ok } from "../kou.ts";
import { addProject, askBackup, binary, type Client, type Demo, signedIn, signedInOperator, startDemo } from "../server.ts";

const DAY = 86_400;
const KILLS = 12;
const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS", "CREDENTIALS_DIRECTORY", "YAGURA_TEST_REWRAP_MS", "YAGURA_TEST_ROTATE_MS", "YAGURA_BACKUP_COPY_DIR", "YAGURA_BACKUP_REGION"];
let dir: string;
let demo: Demo;
let data: string;
let copies: string;
let oper: Client;
const yagura = (...all: string[]) => {
  const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } as Record<string, string | undefined>;
  const ended = spawnSync(binary, [...all, "--data_dir", data], { env, encoding: "utf8", timeout: 120_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const done = (...all: string[]) => {
  const said = yagura(...all);
  assert.equal(said.code, 0, `${all.join(" ")}: ${said.out}${said.err}`);
  return said.out;
};
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
function moveTo(days: number) {
  writeFileSync(join(dir, "next"), String(Math.round(days * DAY)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
const day = (n: number) => new Date(Date.now() + 9 * 3_600_000 + n * DAY * 1000).toISOString().slice(0, 10);
const master = () => readFileSync(`${data}.key`);
const findings = (): Record<string, { state: string; text: string; text_ja: string }> =>
  Object.fromEntries(JSON.parse(yagura("doctor", "--skip-updates", "--json").out).findings.map((f: any) => [f.name, f]));
const row16 = async () => (await ok(oper.get("/trust"))).items[15];
async function restart(signal: NodeJS.Signals = "SIGTERM") {
  await demo.stop(signal);
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
}
/** Somebody gets in, sees what is there, and the logs are whole. */
async function allIsWhole() {
  const admin = await signedIn(demo, 0);
  assert.ok(JSON.stringify(await ok(admin.get("/programs"))).length > 100);
  assert.match(done("log", "verify", "--tenant", demo.ready.tenant), /operation log: whole.*\naccess log: whole/);
}

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-key-"));
  data = join(dir, "demo", "data");
  copies = join(dir, "copies");
  mkdirSync(copies);
  moveTo(0);
  process.env.YAGURA_TEST_CLOCK_FILE = join(dir, "offset");
  process.env.YAGURA_TEST_LOOK_MS = "100";
  process.env.YAGURA_BACKUP_COPY_DIR = copies;
  process.env.YAGURA_BACKUP_REGION = "jp-osaka";
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  await askBackup(oper);
  await until(async () => (await ok(oper.get("/backups"))).copies[0].generations.length > 0);
});
after(async () => {
  for (const word of words) delete process.env[word];
  await demo?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test("a rewrap by the running server: a new key, the old one opens nothing, a new copy is asked for", async () => {
  const old = master();
  done("doctor", "--skip-updates", "--confirm-key-copy", "--json") || true;
  assert.equal(findings().key_copy!.state, "good");
  const said = JSON.parse(done("key", "rewrap", "--json"));
  assert.equal(said.unopened, 0);
  assert.ok(said.wrapped >= 3 + 2 * 3, JSON.stringify(said));
  assert.ok(!master().equals(old));
  const found = findings();
  assert.equal(found.key_copy!.state, "warning", "a new copy is asked for");
  assert.ok(found.key_copy!.text.includes(said.key_mark));
  assert.equal(found.rewrap!.state, "good");
  await oper.waitForMail(demo.ready.operator.email, new RegExp(said.key_mark));
  const log = await ok(oper.get("/operations?limit=20"));
  assert.ok(log.items.some((o: any) => o.action === "rewrap" && o.object_name === said.key_mark), JSON.stringify(log.items[0]));
  await allIsWhole();
  await restart();
  await allIsWhole();
  assert.match(done("backup", "verify", "--date", (await ok(oper.get("/backups"))).generations[0]), /files whole/);
  await demo.stop();
  const now = master();
  rmSync(`${data}.key`);
  writeFileSync(`${data}.key`, old, { mode: 0o400 });
  const refused = yagura("tenant", "list");
  assert.equal(refused.code, 1);
  assert.match(refused.err, /another master key/);
  rmSync(`${data}.key`);
  writeFileSync(`${data}.key`, now, { mode: 0o400 });
  assert.match(done("key", "rewrap"), /keys wrapped by a fresh master key.*\ncopy the master key off this machine again/, "alone, on the data directory");
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  await allIsWhole();
});

test("fresh keys for a tenant: nothing is lost, nobody is locked out, and nobody else's change", async () => {
  const before = readFileSync(join(data, "keys", `${demo.ready.tenant}.key`));
  const admin = await signedIn(demo, 0);
  const programs = await ok(admin.get("/programs"));
  assert.deepEqual(JSON.parse(done("key", "rotate", "--tenant", demo.ready.tenant, "--json")), { tenant: demo.ready.tenant });
  assert.ok(!readFileSync(join(data, "keys", `${demo.ready.tenant}.key`)).equals(before));
  assert.deepEqual(await ok(admin.get("/programs")), programs, "the session goes on");
  await allIsWhole();
  const log = await ok(oper.get("/operations?limit=20"));
  assert.ok(log.items.some((o: any) => o.action === "rotate"));
  await restart();
  await allIsWhole();
  await askBackup(oper);
  await until(async () => (await ok(oper.get("/backups"))).runs.every((r: any) => r.state === "good"));
  await demo.stop();
  done("key", "rotate", "--tenant", demo.ready.tenant);
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  await allIsWhole();
});

test("what the words want", () => {
  assert.equal(spawnSync(binary, ["key", "--help"], { encoding: "utf8" }).status, 0);
  assert.equal(yagura("key").code, 2);
  assert.equal(yagura("key", "frob").code, 2);
  assert.equal(yagura("key", "rotate").code, 2);
  assert.equal(yagura("key", "rewrap", "--tenant", "x").code, 2);
  const nobody = yagura("key", "rotate", "--tenant", "nobody");
  assert.deepEqual([nobody.code, /no such tenant/.test(nobody.err)], [1, true], nobody.err);
  renameSync(copies, `${copies}.away`);
  const away = yagura("key", "rewrap");
  renameSync(`${copies}.away`, copies);
  assert.deepEqual([away.code, /is not there/.test(away.err)], [1, true], away.err);
});

for (const [verb, pause, name] of [
  [["key", "rewrap"], "YAGURA_TEST_REWRAP_MS", "a rewrap"],
  [["key", "rotate", "--tenant", "TENANT"], "YAGURA_TEST_ROTATE_MS", "a rotation"],
] as const)
  test(`${name} killed at random moments again and again costs nothing, and ends`, async () => {
    await demo.stop();
    const all = [...verb.map((w) => (w === "TENANT" ? demo.ready.tenant : w)), "--data_dir", data];
    const old = master();
    let kills = 0;
    process.env[pause] = "4";
    for (; kills < KILLS; kills++) {
      const child = spawn(binary, all, { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, stdio: "ignore" });
      const ended = new Promise((resolve) => child.on("exit", resolve));
      setTimeout(() => child.kill("SIGKILL"), 250 + Math.random() * 500);
      await ended;
      assert.match(yagura("log", "verify", "--tenant", demo.ready.tenant).out, /operation log: whole/);
    }
    delete process.env[pause];
    done(...verb.map((w) => (w === "TENANT" ? demo.ready.tenant : w)));
    if (verb[1] === "rewrap") assert.ok(!master().equals(old));
    assert.ok(!existsSync(join(data, "keys", "MASTER.next")));
    assert.deepEqual(readdirSync(join(data, "keys")).filter((n) => n.startsWith(".")), []);
    assert.deepEqual(readdirSync(join(data, "tenants")).filter((n) => n.startsWith(".")), []);
    demo = await startDemo(join(dir, "demo"));
    oper = await signedInOperator(demo);
    await allIsWhole();
    assert.equal(findings().strays!.state, "good", findings().strays!.text);
  });

test("what belongs to nobody is listed, and turns the row of the trust page", async () => {
  const generation = join(data, "backups", (await ok(oper.get("/backups"))).generations[0]);
  assert.equal(findings().strays!.state, "good", findings().strays!.text);
  assert.equal((await row16()).state, "holds");
  mkdirSync(join(data, "tenants", "gone"));
  mkdirSync(join(copies, "by-hand"));
  const strays = [
    join(data, "keys", "gone.key"),
    join(generation, "gone.key"),
    join(generation, "gone.log.key"),
    join(copies, "2001-01-01.tar"),
    join(data, "notes.txt"),
    join(data, "tenants", demo.ready.tenant, "tenant.db.bak"),
    join(data, "retained", "gone.log.db"),
  ];
  mkdirSync(join(data, "retained"), { recursive: true });
  for (const path of strays) writeFileSync(path, "x");
  const all = [...strays, join(data, "tenants", "gone"), join(copies, "by-hand")];
  const said = findings().strays!;
  assert.equal(said.state, "warning");
  // the next round of copying may have taken those of the generation along
  assert.ok(Number(/^(\d+) files/.exec(said.text)![1]) >= all.length, said.text);
  for (const path of all) assert.ok(said.text.includes(path.replace(`${data}/`, "")), path);
  await until(async () => (await row16()).state === "attention");
  for (const path of all) rmSync(path, { recursive: true });
  await until(() => findings().strays!.state === "good");
  await until(async () => (await row16()).state === "holds");
});

test("a key that is lost is found by a look; its tenant says 503 and why, until the key is back", async () => {
  const key = join(data, "keys", `${demo.ready.tenant}.key`);
  const admin = await signedIn(demo, 0);
  assert.equal(findings().schema!.state, "good");
  renameSync(key, join(dir, "lost.key"));
  assert.equal(findings().schema!.state, "bad", "though the tenant was open");
  const refused = await admin.get("/programs");
  assert.equal(refused.status, 503);
  assert.equal(refused.body.errors[0].rule, "tenant_unavailable");
  assert.match(refused.body.errors[0].message, /鍵/);
  admin.lang = "en";
  assert.match((await admin.get("/programs")).body.errors[0].message, /key .* lost/);
  assert.equal((await oper.get(`/tenants/${demo.ready.tenant}`)).status, 503, "the operator reads the same");
  copyFileSync(join(dir, "lost.key"), key);
  await ok(admin.get("/programs"));
  assert.equal(findings().schema!.state, "good");
});

test("where the server may not write the master key, a rewrap is due and said so, then made up for", async () => {
  const boss = await addKou(demo, oper);
  await addProject(boss, "SAI");
  await ok(oper.post("/tenants/kou/end", { end_on: day(0), delete_on: day(1), name: "kou" }));
  await ok(boss.post("/contract/confirm", { name: "kou" }));
  await demo.stop();
  process.env.CREDENTIALS_DIRECTORY = join(dir, "demo"); // where data.key lies
  moveTo(1);
  demo = await startDemo(join(dir, "demo"));
  const old = master();
  const show = () => {
    const shown = yagura("certificate", "show", "kou");
    return shown.code === 0 && JSON.parse(shown.out);
  };
  const first = await until(show);
  assert.deepEqual(first.master_key, { state: "pending", renewed_at: null });
  oper = await signedInOperator(demo);
  const found = findings().rewrap!;
  assert.equal(found.state, "warning");
  assert.match(found.text, /a rewrap of the keys is due.*key rewrap/);
  assert.equal((await row16()).state, "attention");
  const refused = yagura("key", "rewrap");
  assert.deepEqual([refused.code, /cannot be written.*stop the server/s.test(refused.err)], [1, true], refused.err);
  assert.ok(master().equals(old));
  await demo.stop();
  delete process.env.CREDENTIALS_DIRECTORY;
  done("key", "rewrap");
  const second = show();
  assert.equal(second.revision, 2);
  assert.equal(second.master_key.state, "renewed");
  for (const part of ["method", "media", "remains", "verification"]) assert.ok(second[part].ja && second[part].en, part);
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
  assert.equal(findings().rewrap!.state, "good");
  await until(async () => (await row16()).state === "holds");
});

/** Step by step what www/manual says, in its words' order: openssl alone. */
test("openssl verifies a certificate as it is documented", (t) => {
  if (spawnSync("openssl", ["version"]).status !== 0) return t.skip("no openssl here");
  const file = (name: string) => join(dir, name);
  const text = done("certificate", "show", "kou");
  const verify = (certificate: string) => {
    writeFileSync(file("certificate.json"), certificate);
    const script = `
      cd ${dir}
      sed -n '1s/,"signature":"[0-9a-f]*"}$//p' certificate.json | tr -d '\\n' > signed.txt
      sig=$(sed -n 's/.*"signature":"\\([0-9a-f]*\\)"}$/\\1/p' certificate.json)
      key=$(sed -n 's/.*"public_key":"\\([0-9a-f]*\\)".*/\\1/p' certificate.json)
      printf 'asn1=SEQUENCE:s\\n[s]\\nr=INTEGER:0x%s\\ns=INTEGER:0x%s\\n' "$(echo $sig | cut -c1-64)" "$(echo $sig | cut -c65-128)" > sig.conf
      openssl asn1parse -genconf sig.conf -noout -out sig.der
      printf 'asn1=SEQUENCE:k\\n[k]\\nalg=SEQUENCE:a\\npub=FORMAT:HEX,BITSTRING:%s\\n[a]\\nid=OID:id-ecPublicKey\\ncurve=OID:prime256v1\\n' "$key" > key.conf
      openssl asn1parse -genconf key.conf -noout -out key.der
      openssl dgst -sha256 -verify key.der -keyform DER -signature sig.der signed.txt`;
    return spawnSync("sh", ["-c", script], { encoding: "utf8" });
  };
  const good = verify(text);
  assert.match(good.stdout, /Verified OK/, good.stderr);
  assert.doesNotMatch(verify(text.replace('"kou"', '"kot"')).stdout, /Verified OK/);
  const manual = readFileSync("www/manual/en/contract.md", "utf8");
  for (const line of ["openssl asn1parse -genconf", "openssl dgst -sha256 -verify key.der -keyform DER -signature sig.der signed.txt"]) assert.ok(manual.includes(line), line);
});
