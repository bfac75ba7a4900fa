// SPDX-License-Identifier: Apache-2.0
// Guessing: whoever knows how the throttle works, and chooses addresses and
// names, frees nothing that is shut; the owner's own browser still gets in.
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, Client, rule, type Answer } from "../server.ts";

const dir = mkdtempSync(join(tmpdir(), "yagura-throttle-"));
const spool = join(dir, "spool");
const clockFile = join(dir, "clock");
const options = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key"), "--mail_spool", spool];
const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0", YAGURA_TEST_CLOCK_FILE: clockFile };
let child: ChildProcess;
let url: string;

async function serve() {
  child = spawn(binary, ["serve", ...options, "--listen", "127.0.0.1:0", "--listen_plain", "127.0.0.1:0", "--base_url", "http://localhost", "--trusted_proxies", "127.0.0.1/32"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  url = await new Promise<string>((resolve, reject) => {
    let log = "";
    const read = (data: Buffer) => {
      log += data;
      const found = [...log.matchAll(/listening .*port=(\d+).*/g)];
      if (found.length >= 2) resolve(`http://127.0.0.1:${found[1]![1]}/t/kou`);
    };
    child.stdout!.on("data", read);
    child.stderr!.on("data", read);
    child.on("exit", () => reject(new Error(log)));
  });
  child.stdout!.removeAllListeners("data").resume();
  child.stderr!.removeAllListeners("data").resume();
}
async function stop() {
  const gone = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/** The wall clock of the server, by hours from the machine's. */
function moveClock(hours: number) {
  writeFileSync(`${clockFile}.next`, String(hours * 3600));
  renameSync(`${clockFile}.next`, clockFile); // never half a number
}

const person = (email: string) => ({ email, password: "Himitsu-2026" });
const boss = person("boss@kou.example");
const mari = person("mari@kou.example");
const ken = person("ken@kou.example");

let last = 0;
/** Another address each time, in another network of its own. */
const anywhere = () => ({ "X-Forwarded-For": `2001:${(0x1000 + (++last % 0xeffe)).toString(16)}:${last.toString(16)}::${last.toString(16)}` });
const stranger = () => new Client(url);

/** What of the mails in the spool to this address matches. */
function mails(to: string, pattern: RegExp, seen: Set<string> = new Set()): RegExpMatchArray[] {
  return readdirSync(spool)
    .filter((name) => name.endsWith(".eml") && !seen.has(name))
    .map((name) => readFileSync(join(spool, name), "utf8"))
    .filter((raw) => raw.includes(`\r\nTo: <${to}>\r\n`) || raw.includes(`\r\nTo: ${to}\r\n`))
    .map((raw) => Buffer.from(raw.slice(raw.indexOf("\r\n\r\n")), "base64").toString().match(pattern))
    .filter((match) => match !== null);
}
async function mailed(to: string, pattern: RegExp, seen: Set<string> = new Set()): Promise<string> {
  for (;;) {
    const [match] = mails(to, pattern, seen);
    if (match) return match[1]!;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const code = /\n {4}(\d{8})\n/;
async function signIn(client: Client, who: { email: string; password: string }, from = {}): Promise<Answer> {
  const seen = new Set(readdirSync(spool));
  const first = await client.post("/sign-in", who, from);
  if (first.status !== 200) return first;
  for (const tried = new Set<string>(); ; ) {
    const [next] = mails(who.email, code, seen).filter((match) => !tried.has(match[1]!));
    if (!next) await new Promise((resolve) => setTimeout(resolve, 20));
    else {
      tried.add(next[1]!); // or that of an earlier sign-in, late on its way
      const reply = await client.post("/sign-in/code", { code: next[1] }, from);
      if (reply.status !== 401 || rule(reply) !== "code") return reply;
    }
  }
}
/** So many at once. */
async function flood(count: number, at_once: number, each: (i: number) => Promise<unknown>) {
  let next = 0;
  await Promise.all(
    Array.from({ length: at_once }, async () => {
      while (next < count) {
        const i = next++;
        // a kept connection may end as a request enters it
        await each(i).catch((e) => (e instanceof TypeError ? each(i) : Promise.reject(e)));
      }
    }),
  );
}
const wrong = (email: string, from = anywhere()) => stranger().post("/sign-in", { email, password: "Wrong-Pass-1" }, from);

let maris: Client, kens: Client;
before(async () => {
  mkdirSync(spool);
  moveClock(0);
  execFileSync(binary, ["tenant", "create", "kou", "--name", "甲", "--admin-email", boss.email, "--admin-name", "代表", ...options], { env, stdio: "pipe" });
  await serve();
  const admin = stranger();
  assert.equal((await admin.post("/links/accept", { token: await mailed(boss.email, /\/link#(\S+)/), password: boss.password })).status, 204);
  assert.equal((await signIn(admin, boss)).status, 200);
  const clients: Client[] = [];
  for (const who of [mari, ken]) {
    assert.equal((await admin.post("/users", { email: who.email, name: "花子" })).status, 201);
    const client = stranger();
    assert.equal((await client.post("/links/accept", { token: await mailed(who.email, /\/link#(\S+)/), password: who.password })).status, 204);
    assert.equal((await signIn(client, who)).status, 200);
    assert.equal((await client.delete("/session")).status, 204);
    clients.push(client);
  }
  [maris, kens] = clients as [Client, Client];
});
after(async () => {
  child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

test("of 200 wrong passwords at once, each from another network, some five are looked at", async () => {
  const statuses: number[] = [];
  await flood(200, 40, async () => statuses.push((await wrong(mari.email)).status));
  const looked = statuses.filter((s) => s === 401).length;
  assert.ok(looked >= 5 && looked <= 9, `${looked}: then a second, two, four between them`);
  assert.equal(statuses.filter((s) => s === 429).length, 200 - looked);
});

test("an address that nobody has answers the same, wherever it is asked from", async () => {
  const statuses: number[] = [];
  await flood(60, 20, async () => statuses.push((await wrong("nobody@kou.example")).status));
  const looked = statuses.filter((s) => s === 401).length;
  assert.ok(looked >= 5 && looked <= 9, `${looked}`);
});

test("wrong codes are counted over all sign-ins of whoever has the password", async () => {
  let tried = 0, told = 0;
  for (let round = 0; round < 30 && !told; round++) {
    const client = stranger();
    const first = await client.post("/sign-in", ken, anywhere());
    assert.equal(first.status, 200);
    for (let i = 0; i < 5 && !told; i++) {
      const reply = await client.post("/sign-in/code", { code: "00000000" }, anywhere());
      if (reply.status === 429) told++;
      else tried++;
    }
    await stranger().post("/password-reset", { email: `x${round}@kou.example` }, anywhere());
  }
  assert.equal(told, 1);
  assert.equal(tried, 10);
});

test("ten wishes for a new password become three mails", async () => {
  for (let i = 0; i < 10; i++) {
    assert.equal((await stranger().post("/password-reset", { email: boss.email }, anywhere())).status, 202);
    await flood(20, 20, () => stranger().post("/password-reset", { email: `flood${i}-${last}@kou.example` }, anywhere()));
  }
  const reply = await stranger().post("/password-reset", { email: "unknown@kou.example" }, anywhere());
  assert.equal(reply.status, 202, "no other answer for who is not known");
  // wishes are answered in their order: this one is the last
  const seen = new Set(readdirSync(spool));
  assert.equal((await stranger().post("/password-reset", { email: ken.email }, anywhere())).status, 202);
  await mailed(ken.email, /\/link#(\S+)/, seen);
  assert.equal(mails(boss.email, /\/link#\S+/).length, 4, "the invitation, and three");
});

/** Asks for a code with the right password, and gives a wrong one. */
async function wrongCode(): Promise<Answer> {
  const client = stranger();
  const first = await client.post("/sign-in", ken, anywhere());
  assert.equal(first.status, 200, JSON.stringify(first.body));
  return client.post("/sign-in/code", { code: "00000000" }, anywhere());
}
let hours = 0;
test("who goes on hour after hour has to wait for a quarter of one", async () => {
  for (let i = 0; i < 12; i++) {
    moveClock(++hours);
    assert.equal((await wrong(mari.email)).status, 401);
    assert.equal((await wrongCode()).status, 401);
    assert.equal((await stranger().post("/password-reset", { email: boss.email }, anywhere())).status, 202);
  }
  const shut = await wrong(mari.email);
  assert.ok(Number(shut.headers.get("retry-after")) > 800, JSON.stringify(shut.body));
  assert.ok(Number((await wrongCode()).headers.get("retry-after")) > 800);
});

const total = Math.min(2000 * Number(process.env.N ?? 5), 10_000);
test(`${total} requests with chosen names and addresses free nothing`, async () => {
  const kinds = new Map<string, number>();
  const note = (kind: string, reply: Answer) => kinds.set(`${kind} ${reply.status}`, (kinds.get(`${kind} ${reply.status}`) ?? 0) + 1);
  await flood(total, 24, async (i) => {
    const client = stranger();
    if (i % 40 === 0) note("sign-in", await wrong(`guess${i}@kou.example`));
    else if (i % 3 === 0) note("reset", await client.post("/password-reset", { email: `guess${i}@kou.example` }, anywhere()));
    else if (i % 3 === 1) note("token", await client.get("/programs", { Authorization: `Bearer ygr_${"A".repeat(43)}`, ...anywhere() }));
    else note("link", await client.post("/links/check", { token: `guess${i}` }, anywhere()));
  });
  assert.ok((kinds.get("sign-in 401") ?? 0) > total / 200 && (kinds.get("link 404") ?? 0) > total / 10, JSON.stringify([...kinds]));
  // 503: no place in the queue for argon2
  assert.deepEqual([...kinds.keys()].filter((k) => / 5\d\d$/.test(k) && k !== "sign-in 503"), [], JSON.stringify([...kinds]));
});

test("what was shut before is shut still: account, code, reset", async () => {
  assert.equal((await stranger().post("/sign-in", mari, anywhere())).status, 429, "the right password");
  assert.equal((await wrongCode()).status, 429);
  const seen = new Set(readdirSync(spool));
  await stranger().post("/password-reset", { email: boss.email }, anywhere());
  assert.equal((await kens.post("/password-reset", { email: ken.email }, anywhere())).status, 202, "a known device asks past them");
  await mailed(ken.email, /\/link#(\S+)/, seen);
  assert.equal(mails(boss.email, /\/link#(\S+)/, seen).length, 0);
});

test("the owner with a known device gets in while strangers are shut out", async () => {
  assert.equal((await signIn(maris, mari, anywhere())).status, 200);
  assert.equal((await signIn(kens, ken, anywhere())).status, 200);
  assert.equal((await stranger().post("/sign-in", mari, anywhere())).status, 429, "which frees nothing for strangers");
});

test("a restart frees nothing either", async () => {
  await wrong(mari.email);
  await stop();
  await serve();
  [maris, kens] = [maris, kens].map((c) => Object.assign(new Client(url), { cookies: c.cookies })) as [Client, Client];
  assert.equal((await stranger().post("/sign-in", mari, anywhere())).status, 429);
  await maris.delete("/session");
  assert.equal((await signIn(maris, mari)).status, 200);
});

test("a program with an old token does not shut out its neighbours, and is told to wait", async () => {
  const home = { "X-Forwarded-For": "198.51.100.7" };
  const admin = stranger();
  assert.equal((await signIn(admin, boss)).status, 200);
  const { version } = (await admin.get("/security")).body;
  assert.equal((await admin.request("PATCH", "/security", { tokens: true }, { "If-Match": `"${version}"` })).status, 200);
  const made = await admin.post("/me/tokens", { name: "集計", days: 30 });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const good = { Authorization: `Bearer ${made.body.token}` };
  assert.equal((await stranger().get("/programs", { ...good, ...home })).status, 200);
  let told = 0;
  for (let i = 0; i < 130 && !told; i++) {
    const reply = await stranger().get("/programs", { Authorization: `Bearer ygr_${"B".repeat(43)}`, ...home });
    if (reply.status === 429) told = i;
    else assert.equal(reply.status, 401);
  }
  assert.ok(told >= 100, `${told}`);
  assert.equal((await stranger().get("/programs", { ...good, ...home })).status, 200);
});

test("after a hundred in a row a password is not looked at any more, known or not; a mailed link ends that", async () => {
  const ghost = "ghost@kou.example";
  for (const email of [mari.email, ghost]) {
    let looked = 0;
    for (; looked < 130; ) {
      moveClock(++hours);
      const reply = await wrong(email);
      if (reply.status !== 401) break;
      looked++;
    }
    assert.ok(looked >= 75 && looked <= 100, `${email} ${looked}`);
    moveClock(++hours + 24 * 300);
    const reply = await wrong(email);
    assert.deepEqual([reply.status, rule(reply), reply.headers.get("retry-after")], [429, "stopped", null]);
    hours += 24 * 300;
  }
  const right = await stranger().post("/sign-in", mari, anywhere());
  assert.equal(rule(right), "stopped");
  const seen = new Set(readdirSync(spool));
  assert.equal((await stranger().post("/password-reset", { email: mari.email }, anywhere())).status, 202);
  const token = await mailed(mari.email, /\/link#(\S+)/, seen);
  const fresh = { ...mari, password: "Atarashii-2027" };
  assert.equal((await stranger().post("/links/accept", { token, password: fresh.password })).status, 204);
  assert.equal((await signIn(stranger(), fresh, anywhere())).status, 200);
});
