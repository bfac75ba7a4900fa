// SPDX-License-Identifier: Apache-2.0
// The clock: Japan's time whatever the machine says, steps seen and told, and
// what was due neither lost nor repeated by them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, type Answer, binary, Client, type Demo, signedIn, signedInOperator, startDemo } from "../server.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
let dir: string;
let demo: Demo;
const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS", "YAGURA_TEST_CLOCK_SYNCED", "TZ"];
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-clock-"));
  [join(dir, "offset"), "50", "0", "America/New_York"].forEach((value, i) => (process.env[words[i]!] = value));
  moveTo(0);
  demo = await startDemo(join(dir, "demo"));
});
after(async () => {
  for (const word of words) delete process.env[word];
  await demo.stop();
  rmSync(dir, { recursive: true, force: true });
});
/** The running server's clock, by seconds from the machine's. */
function moveTo(seconds: number) {
  writeFileSync(join(dir, "next"), String(Math.round(seconds)));
  renameSync(join(dir, "next"), join(dir, "offset")); // never half a number
}
/** Seconds to this hour in Japan, n days from today. */
const untilHour = (days: number, hour: number) => {
  const now = Date.now() / 1000 + 9 * HOUR;
  return (Math.floor(now / DAY) + days) * DAY + hour * HOUR - now;
};
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const end = Date.now() + 20_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const clock = async (oper: Client): Promise<any> => (await oper.get("/capacity")).body.clock;
/** Moves, and waits until the operator has been told. */
async function step(seconds: number) {
  const subject = /サーバーの時計が飛びました/;
  const before = (await mailsTo(demo.ready.operator.email, subject)).length;
  moveTo(seconds);
  await until(async () => (await mailsTo(demo.ready.operator.email, subject)).length > before);
}
const mailsTo = async (to: string, subject: RegExp): Promise<any[]> =>
  (await new Client(demo.ready.console).get("/demo/mail")).body.items.filter((m: any) => m.to === to && subject.test(m.subject));

test("Japan's time in every reply, wherever the machine thinks it is", async () => {
  const admin = await signedIn(demo, 0);
  const project = await addProject(admin, "JST");
  const at = (await admin.get("/operations?limit=1")).body.items[0].at as string;
  assert.match(at, /\+09:00$/);
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
  assert.equal(at.slice(0, 10), new Date(Date.now() + 9 * HOUR * 1000).toISOString().slice(0, 10));
  assert.ok(project.id);
});

test("the kernel's state is shown; not synchronised is a warning told once", async () => {
  const oper = await signedInOperator(demo);
  const state = await clock(oper);
  assert.deepEqual([state.is_known, state.is_synchronised, state.steps], [true, false, 0]);
  await until(async () => (await mailsTo(demo.ready.operator.email, /時計が同期していない/)).length === 1);
  const now = (await oper.get("/capacity")).body.measures.find((m: any) => m.name === "unsynced");
  assert.ok(now.value === 1 && now.crossed_at);
});

test("a day back: seen, logged, told once; people sign in again", async () => {
  const admin = await signedIn(demo, 0);
  await step(-DAY);
  const oper = await signedInOperator(demo);
  const state = await clock(oper);
  assert.equal(state.steps, 1);
  assert.ok(Math.abs(state.step_seconds + DAY) < 60, String(state.step_seconds));
  assert.ok(state.held_seconds > 23 * HOUR, "nothing is erased for a day");
  const { items } = (await oper.get("/operations?kind=clock")).body;
  assert.deepEqual([items.length, items[0].action], [1, "step"]);
  assert.ok(Date.parse(items[0].before.at) - Date.parse(items[0].after.at) > 86_000_000);
  // a session from the future is none
  assert.equal((await admin.get("/my/tickets")).status, 401);
  assert.equal((await (await signedIn(demo, 0)).get("/my/tickets")).status, 200);
  await step(0);
  assert.equal((await clock(await signedInOperator(demo))).steps, 2);
});

test("a year forward and back: sessions end, nothing is erased", async () => {
  const admin = await signedIn(demo, 0);
  await addProject(admin, "YEAR");
  const rows = async (client: Client) => (await client.get("/operations?kind=project&limit=200")).body.items.length;
  const before = await rows(admin);
  assert.ok(before > 0);
  await step(YEAR); // all rows are past their three months now
  assert.equal((await admin.get("/my/tickets")).status, 401);
  await step(0);
  const again = await signedIn(demo, 0);
  assert.equal(await rows(again), before, "the operation log is not pruned by a clock that jumped");
  assert.equal((await again.get("/operations/verify")).status, 200);
});

test("morning mails: once a day through a day back, not lost after a year ahead", async () => {
  const admin = await signedIn(demo, 0);
  const member = await signedIn(demo, 3);
  const { user } = (await member.get("/session")).body;
  const project = await addProject(admin, "MORN");
  await admin.request("PUT", `/projects/${project.id}/members/${user.id}`, { role: "member" });
  const day = new Date(Date.now() + 9 * HOUR * 1000).toISOString().slice(0, 10);
  const made = await admin.post(`/projects/${project.id}/tickets`, { subject: "朝", classification: "task", planned_start: day, planned_end: day, assignees: [user.id] });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const count = async () => (await mailsTo(user.email, /期限の近いチケット/)).length;
  await step(untilHour(1, 3)); // before seven
  await (await signedIn(demo, 3)).request("PATCH", "/me/notifications", { due: true });
  assert.equal(await count(), 0);
  await step(untilHour(1, 8));
  await until(async () => (await count()) === 1);
  await step(untilHour(0, 8)); // the day before: the mail of the day after has been sent
  await step(untilHour(1, 9));
  await step(untilHour(366, 8));
  await until(async () => (await count()) === 2);
  await step(untilHour(2, 8));
  await until(async () => (await count()) === 3);
  await step(0);
});

test("a clock set back while the server was down is seen at the start", async () => {
  await demo.stop();
  moveTo(-2 * DAY);
  demo = await startDemo(demo.dir);
  const oper = await signedInOperator(demo);
  const state = await until(async () => ((await clock(oper)).steps ? clock(oper) : undefined));
  assert.ok(state.step_seconds < -DAY, String(state.step_seconds));
  await demo.stop();
  moveTo(0);
  demo = await startDemo(demo.dir);
  const back = await signedInOperator(demo);
  assert.ok((await until(async () => ((await clock(back)).held_seconds ? clock(back) : undefined))).held_seconds > 0, "a restart does not end the wait");
});

test("a start a year ahead: nothing is erased until the kernel says that the clock is right", async () => {
  await demo.stop();
  moveTo(0);
  demo = await startDemo(join(dir, "ahead"));
  await addProject(await signedIn(demo, 0), "AHEAD");
  const rows = async () => (await (await signedIn(demo, 0)).get("/operations?kind=project&limit=200")).body.items.length;
  const before = await rows();
  const start = async (seconds: number, said: RegExp) => {
    await demo.stop();
    moveTo(seconds);
    demo = await startDemo(demo.dir);
    await until(() => said.test(demo.said()));
  };
  await start(YEAR, /nothing is erased today/);
  assert.equal((await mailsTo(demo.ready.operator.email, /サーバーの時計を確認してください/)).length, 1);
  assert.doesNotMatch(demo.said(), /pruned|backup removed/);
  await start(0, /the clock moved seconds=-/);
  assert.equal(await rows(), before);
  demo = await demo.stop().then(() => startDemo(join(dir, "night")));
  process.env.YAGURA_TEST_CLOCK_SYNCED = "1"; // a year off, and the kernel is sure of it
  await start(YEAR, /operation log pruned tenant=kaku/);
  assert.equal((await mailsTo(demo.ready.operator.email, /サーバーの時計を確認してください/)).length, 0);
  process.env.YAGURA_TEST_CLOCK_SYNCED = "0";
  moveTo(0);
});

test("a mail put off goes out after the clock was set back", async () => {
  const place = mkdtempSync(join(dir, "serve-"));
  const spool = join(place, "spool");
  moveTo(0);
  mkdirSync(spool); // the server may write where it could at its start, and away it goes
  const child = spawn(
    binary,
    ["serve", "--data_dir", join(place, "data"), "--master_key", join(place, "master.key"), "--mail_spool", spool, "--listen", "127.0.0.1:0", "--operator_listen", "127.0.0.1:0"],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } },
  );
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  child.stderr.on("data", (data) => (text += data));
  const ended = new Promise((resolve) => child.on("exit", resolve));
  try {
    const port = await until(() => [...text.matchAll(/listening .*port=(\d+)/g)][1]?.[1]);
    const token = await until(() => text.match(/^ {2}([\w-]{43})$/m)?.[1]);
    renameSync(spool, `${spool}.away`);
    const oper = new Client(`http://127.0.0.1:${port}/operator`);
    const me = { email: "ops@example.jp", name: "運用 一郎", password: "Unyou-2026" };
    const done = async (reply: Promise<Answer>) => assert.ok((await reply).status < 300, JSON.stringify((await reply).body));
    await done(oper.post("/setup", { ...me, token }));
    await done(oper.post("/sign-in", { email: me.email, password: me.password }));
    const waiting = () => [...text.matchAll(/mail put off id=(\S+)/g)].map(([, id]) => `${id}.eml`);
    await until(() => waiting().length);
    renameSync(`${spool}.away`, spool);
    const first = waiting()[0]!;
    moveTo(-DAY);
    await done(oper.post("/sign-in", { email: me.email, password: me.password }));
    await until(() => existsSync(join(spool, first)));
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
});
