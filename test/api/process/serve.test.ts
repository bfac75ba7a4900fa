// SPDX-License-Identifier: Apache-2.0
// The service as it is installed: TLS with the certificate it makes, mails
// into a folder, figures for the operator, tenants who do not know each other.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, getCACertificates, setDefaultCACertificates } from "node:tls";
import { addProject, binary, Client, ids, rule } from "../server.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-serve-"));
const spool = join(dir, "spool");
const options = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", spool];
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
const boss = (tenant: string) => `boss@${tenant}.example`;
const password = "Daihyou-26";
let child: ChildProcess;
let log = "";
let port: string;
let operatorPort: string;

/** The service writes where it listens, one line a listener. */
async function start(...more: string[]) {
  log = "";
  child = spawn(
    binary,
    ["serve", ...options, "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0", ...more],
    { stdio: ["ignore", "pipe", "pipe"], env },
  );
  await new Promise<void>((resolve, reject) => {
    const read = (data: Buffer) => {
      log += data;
      const found = [...log.matchAll(/listening .*port=(\d+)/g)].map(([, one]) => one!);
      if (found.length >= 2) {
        [port, operatorPort] = found as [string, string];
        resolve();
      }
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(log)));
  });
}
const stop = () =>
  new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    child.kill("SIGTERM");
  });

before(async () => {
  mkdirSync(spool);
  for (const tenant of ["kou", "otsu"])
    execFileSync(
      binary,
      ["tenant", "create", tenant, "--name", `会社 ${tenant}`, "--admin-email", boss(tenant), "--admin-name", "代表", ...options],
      { env, stdio: "pipe" },
    );
  await start();
  setDefaultCACertificates([...getCACertificates(), readFileSync(join(dir, "data", "tls.crt"), "utf8")]);
});
after(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

const at = (tenant: string) => new Client(`https://localhost:${port}/t/${tenant}`);

/** Texts of the mails written so far to this address, oldest first. */
const mails = (to: string) =>
  readdirSync(spool)
    .filter((name) => name.endsWith(".eml"))
    .map((name) => ({ text: readFileSync(join(spool, name), "utf8"), at: statSync(join(spool, name)).mtimeMs }))
    .filter(({ text }) => text.includes(`To: <${to}>`))
    .sort((a, b) => a.at - b.at)
    .map(({ text }) => Buffer.from(text.slice(text.indexOf("\r\n\r\n")), "base64").toString());
async function mailed(to: string, pattern: RegExp, seen = 0): Promise<string> {
  for (;;) {
    for (const text of mails(to).slice(seen)) {
      const match = text.match(pattern);
      if (match) return match[1]!;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const linkOf = (tenant: string) => mailed(boss(tenant), /\/link#(\S+)/);

async function signIn(tenant: string): Promise<Client> {
  const client = at(tenant);
  const seen = mails(boss(tenant)).length;
  const first = await client.post("/sign-in", { email: boss(tenant), password });
  assert.equal(first.status, 200, JSON.stringify(first.body));
  const code = await mailed(boss(tenant), /\n {4}(\d{8})\n/, seen);
  const reply = await client.post("/sign-in/code", { code });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return client;
}

test("an invitation link is its tenant's alone; it opens the first account", async () => {
  const token = await linkOf("kou");
  const foreign = await at("otsu").post("/links/check", { token });
  assert.equal(foreign.status, 404);
  assert.equal(rule(foreign), "link");
  for (const tenant of ["kou", "otsu"]) {
    const own = { token: await linkOf(tenant), password };
    assert.equal((await at(tenant).post("/links/accept", own)).status, 204);
  }
});

test("over TLS: HSTS, and cookies that only TLS and only this host carry", async () => {
  const reply = await fetch(`https://localhost:${port}/t/kou/api/v1/sign-in`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Req": "1" },
    body: JSON.stringify({ email: boss("kou"), password }),
  });
  assert.match(reply.headers.get("strict-transport-security")!, /max-age=\d{8}/);
  const cookies = reply.headers.getSetCookie();
  assert.ok(cookies.length > 0);
  for (const cookie of cookies) {
    assert.match(cookie, /^__(Host|Secure)-/);
    for (const word of [/; Secure/, /; HttpOnly/, /; SameSite=(Strict|Lax)/]) assert.match(cookie, word);
  }
});

test("TLS 1.2 and 1.3 are spoken, 1.1 is not", async () => {
  const speak = (version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") =>
    new Promise<string | null>((resolve) => {
      const socket = connect({
        port: Number(port),
        host: "localhost",
        minVersion: version,
        maxVersion: version,
        ciphers: "DEFAULT:@SECLEVEL=0",
      });
      socket.on("secureConnect", () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on("error", () => resolve(null));
    });
  assert.deepEqual(await Promise.all([speak("TLSv1.1"), speak("TLSv1.2"), speak("TLSv1.3")]), [null, "TLSv1.2", "TLSv1.3"]);
});

test("one tenant's session and ids say nothing in another", async () => {
  const here = await signIn("kou");
  const there = await signIn("otsu");
  const { id } = await addProject(here, "KOU");
  const added = await here.post(`/projects/${id}/tickets`, { subject: "社外秘", classification: "task" });
  const ticket = added.body;
  const paths = [`/tickets/${ticket.id}`, `/tickets/${ticket.key}`, `/projects/${id}`, `/projects/${id}/plan`];
  for (const path of paths) {
    assert.equal((await here.get(path)).status, 200, path);
    assert.equal((await there.get(path)).status, 404, path);
  }
  assert.deepEqual((await there.get("/programs")).body.projects, []);
  assert.deepEqual((await there.get(`/search?q=${encodeURIComponent("社外秘")}`)).body.items, []);
  assert.equal((await there.get("/users")).body.items.length, 1);
  assert.ok(!JSON.stringify((await there.get("/operations")).body).includes("社外秘"));
  const thief = at("otsu");
  for (const [name, value] of here.cookies)
    for (const as of [name, name.replace("kou", "otsu")]) {
      thief.cookies = new Map([[as, value]]);
      assert.equal((await thief.get("/session")).status, 401, as);
    }
});

test("captured mail is the demo's alone; figures are on the operator's port", async () => {
  assert.equal((await at("kou").get("/demo/mail")).status, 404);
  const own = await fetch(`https://localhost:${port}/metrics`);
  assert.equal(own.status, 404);
  assert.doesNotMatch(await own.text(), /yagura_/);
  const figures = await fetch(`http://127.0.0.1:${operatorPort}/metrics`);
  assert.equal(figures.status, 200);
  assert.match(await figures.text(), /\nyagura_requests_total \d+\n/);
});

test("HSTS is for the hosts below only where the operator says that they are his", async () => {
  const told = async () => (await fetch(`https://localhost:${port}/livez`)).headers.get("strict-transport-security");
  assert.equal(await told(), "max-age=63072000");
  await stop();
  await start("--domain_is_own", "yes");
  assert.equal(await told(), "max-age=63072000; includeSubDomains");
});

test("plain HTTP on the TLS port is no way in", async () => {
  await assert.rejects(fetch(`http://localhost:${port}/livez`));
});

test("a restart keeps sessions and what was written", async () => {
  const client = await signIn("kou");
  const project = await addProject(client, "KEEP");
  await stop();
  await start();
  const again = at("kou");
  again.cookies = client.cookies;
  assert.equal((await again.get(`/projects/${project.id}`)).body.key, "KEEP");
  assert.ok(ids({ items: (await again.get("/programs")).body.projects }).includes(project.id));
});

test("what a password costs is kept, and measured anew when it cannot be this machine's", async () => {
  const path = join(dir, "data", "password.cost");
  const made = readFileSync(path, "utf8");
  assert.match(made, /^argon2id m=\d{5} t=\d+ day=\d+ machine=[0-9a-f]{64}\n$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const before = statSync(path).ino;
  await stop();
  await start();
  assert.equal(statSync(path).ino, before, "the second start took it as it was");
  const bad = [made.replace(/m=\d+/, "m=01024"), made.replace(/machine=.*/, `machine=${"0".repeat(64)}`), "", "argon2id"];
  for (const text of bad) {
    await stop();
    writeFileSync(path, text);
    await start();
    assert.match(readFileSync(path, "utf8"), /^argon2id m=(19456|[2-6]\d{4}) t=\d+ day=/);
    assert.notEqual(readFileSync(path, "utf8"), text);
  }
});

test("a word that serve does not know is named", () => {
  const ended = spawnSync(binary, ["serve", ...options, "--mail-dir", spool], { env, encoding: "utf8" });
  assert.equal(ended.status, 2);
  assert.match(ended.stderr, /does not know --mail-dir/);
  const frob = spawnSync(binary, ["frob"], { env, encoding: "utf8" });
  assert.deepEqual([frob.status, frob.stderr.split("\n")[0]], [2, "yagura: there is no command frob"]);
});

test("what stops the server, or would send passwords in the clear, config check names", () => {
  const check = (...words: string[]) => spawnSync(binary, ["config", "check", "--mail_spool", "/tmp", ...words], { env, encoding: "utf8" });
  const wrong: [string[], RegExp][] = [
    [["--listen", "nonsense"], /listen: nonsense is no address and port/],
    [["--listen", "[::]:99999"], /listen: \[::\]:99999 is no address/],
    [["--tenant_listen", "acme=nonsense"], /tenant_listen: acme=nonsense/],
    [["--tenant_listen", "0.0.0.0:9443"], /is not TENANT=ADDRESS:PORT/],
    [["--operator_listen", "0.0.0.0:9464"], /operator_listen: 0\.0\.0\.0:9464 is plain HTTP.*operator_host/],
    [["--operator_listen", "127.0.0.1:1,127.0.0.1:2"], /takes one/],
    [["--listen_plain", "10.0.0.5:80"], /listen_plain: 10\.0\.0\.5:80 is plain HTTP.*trusted_proxies/],
    [["--domain_is_own", "perhaps"], /domain_is_own is yes or no/],
    [["--threads", "-1"], /threads is 1 to 4096/],
    [["--trusted_proxies", "10.0.0.0/99"], /trusted_proxies: 10\.0\.0\.0\/99/],
    [["--smtp_host", "mail.example.jp", "--smtp_from", "a@example.jp", "--smtp_security", "plain"], /smtp_security plain is for a relay on this machine/],
    [["--backup_s3_bucket", "copies"], /needs backup_s3_endpoint/],
    [["--backup_s3_endpoint", "https://s3.example.jp", "--backup_region", "jp"], /needs backup_s3_bucket/],
    [["--data_dir", "/nonexistent/data", "--backup_region", "us-east"], /backup_region: us-east is not among the regions/],
  ];
  for (const [words, told] of wrong) {
    const ended = check(...words);
    assert.equal(ended.status, 1, words.join(" "));
    assert.match(ended.stderr, told);
  }
  const good = check("--listen", "0.0.0.0:8443 [::]:8443", "--listen_plain", "10.0.0.5:80", "--trusted_proxies", "10.0.0.0/24", "--operator_listen", "[::1]:9464", "--tenant_listen", "acme=0.0.0.0:9443");
  assert.equal(good.status, 0, good.stderr);
});

test("a backup_region outside the stated place starts no server that has its data, and config check refuses it", async () => {
  const check = (region: string) => spawnSync(binary, ["config", "check", ...options, "--backup_region", region], { env, encoding: "utf8" });
  await stop(); // its control.db is there, with the statement it began with
  const told = /backup_region: .*us-east/;
  const refused = spawnSync(binary, ["serve", ...options, "--listen", "127.0.0.1:0", "--backup_region", "us-east"], { env, encoding: "utf8", timeout: 60_000 });
  assert.notEqual(refused.status, 0);
  assert.notEqual(refused.status, null, "it must not serve");
  assert.match(refused.stderr, told);
  assert.doesNotMatch(refused.stdout + refused.stderr, /listening /);
  assert.equal(check("us-east").status, 1);
  assert.match(check("us-east").stderr, told);
  assert.deepEqual([check("jp-osaka").status, check("jp-osaka").stderr], [0, ""]);
  await start("--backup_region", "jp-osaka");
  // while a server holds the data it is compared by the next start, and that is said
  assert.match(check("us-east").stderr, /backup_region is compared with the stated place when the server starts/);
});
