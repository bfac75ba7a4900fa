// SPDX-License-Identifier: Apache-2.0
// Two people make random changes to one plan, each in a browser, while the
// network is slow, breaks, and the server restarts.  After each 50 and at the
// end both screens are what the server has; at the end the history proves that
// every text either was stored or its writer let it go, and that nobody wrote
// over what he had not seen without being asked.  EDITS: how many each.
import assert from "node:assert/strict";
import { createServer, connect, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { binary, Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { openBrowser, signInAt } from "../browser.ts";

const EDITS = Number(process.env.EDITS ?? 60);
const ROUND = 50;
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
let state = SEED || 1;
const random = (n: number) => (state = (state * 48271) % 2147483647) % n;
const pick = <T>(list: T[]): T => list[random(list.length)]!;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What stands between the browsers and the server. */
const net = { port: 0, latency: 0, broken: false, open: new Set<Socket>() };
let proxy: Server;
function passOn(from: Socket, to: Socket) {
  from.on("data", (data) => setTimeout(() => to.writable && to.write(data), net.latency));
  from.on("close", () => setTimeout(() => to.destroy(), net.latency));
  from.on("error", () => to.destroy());
}
function openProxy(): Promise<number> {
  proxy = createServer((client) => {
    if (net.broken) return client.destroy();
    const server = connect(net.port, "127.0.0.1");
    for (const s of [client, server]) {
      net.open.add(s);
      s.on("close", () => net.open.delete(s));
    }
    passOn(client, server);
    passOn(server, client);
  });
  return new Promise((resolve) => proxy.listen(0, "127.0.0.1", () => resolve((proxy.address() as { port: number }).port)));
}
function cut() {
  net.broken = true;
  for (const s of net.open) s.destroy();
}

interface Op {
  kind: "subject" | "details" | "comment";
  seen: string;
  typed: string;
  left?: string; // of details: the whole text, as it was typed
}
interface Person {
  name: string;
  page: Page;
  typed: number;
  ops: Op[];
  /** Texts of questions answered by "overwrite", and of those let go. */
  overwrote: string[];
  dropped: string[];
  undos: number;
  /** What was done, in order: a text, or an undo. */
  log: string[];
  /** Comments that the server said it has. */
  stored: Set<string>;
  /** Comments whose box was empty though no answer came and no draft is kept. */
  unanswered: string[];
}
let demo: Demo;
let browser: Browser;
let admin: Client;
let url: string;
let project: { id: string; key: string };
const people: Person[] = [];

before(async () => {
  demo = await startDemo();
  net.port = Number(new URL(demo.ready.url).port);
  const through = new URL(demo.ready.url);
  through.port = String(await openProxy());
  url = through.href.replace(/\/$/, "");
  browser = await openBrowser();
  admin = await signedIn(demo, 0);
  const made = await admin.post("/projects", { key: "RND", name: "二人の計画", approach: "waterfall" });
  project = { id: made.body.id, key: "RND" };
  const other = await signedIn(demo, 1);
  const person = (await other.get("/session")).body.user.id;
  assert.equal((await admin.request("PUT", `/projects/${project.id}/members/${person}`, { role: "manager" })).status, 200);
  const edits = Array.from({ length: 12 }, (_, i) => ({
    op: "create", ref: `r${i}`, subject: `はじめ${i}`, classification: "task", details: "一\n二\n三\n四\n五\n六",
    ...(i % 4 ? { parent: `r${i - (i % 4)}` } : {}),
  }));
  assert.equal((await admin.post(`/projects/${project.id}/edits`, { edits })).status, 200);
  for (const n of [0, 1]) {
    const context = await browser.newContext({ viewport: { width: 1500, height: 1600 }, locale: "ja-JP" });
    const page = await context.newPage();
    await signInAt(page, url, demo.ready.accounts[n]!);
    await page.goto(`${url}/projects/RND/gantt`);
    await page.locator(".table .line").first().waitFor({ timeout: 30_000 });
    // every question that was put, however it was answered
    await page.evaluate(() => {
      const asked: string[] = ((window as any).asked = []);
      new MutationObserver(() => {
        for (const d of document.querySelectorAll("dialog[open]")) {
          const text = [d.textContent, ...[...d.querySelectorAll("textarea")].map((x) => x.value)].join("\n");
          if (asked.at(-1) !== text) asked.push(text);
        }
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    page.setDefaultTimeout(2500); // of a person's step, who then looks again
    people.push({ name: demo.ready.accounts[n]!.name, page, typed: 0, ops: [], overwrote: [], dropped: [], undos: 0, log: [], stored: new Set(), unanswered: [] });
    const one = people.at(-1)!;
    page.on("response", (reply) => {
      if (reply.status() === 201 && /\/comments$/.test(reply.url())) one.stored.add(reply.request().postDataJSON().body);
    });
  }
});
after(async () => {
  await browser?.close();
  proxy?.close();
  cut();
  await demo?.stop();
  if (demo) removeDir(demo);
});

/** Answers whatever is asked, by chance, and notes what that meant. */
async function answer(p: Person) {
  for (let i = 0; i < 20; i++) {
    const dialog = p.page.locator("dialog[open]").last();
    if (!(await dialog.count())) return;
    const text = await dialog.evaluate((d) => [d.textContent, ...[...d.querySelectorAll("textarea")].map((x) => x.value)].join("\n")).catch(() => "");
    const buttons = await dialog.locator(".foot button, .row button").all();
    const labels = await Promise.all(buttons.map((b) => b.innerText().catch(() => "")));
    const known = labels.flatMap((label, n) => (/上書き|それでも|残す|削除|元に戻|やめる|編集に戻る|キャンセル/.test(label) ? [n] : []));
    if (!known.length) return;
    const n = pick(known);
    (/上書き|それでも|^削除$/.test(labels[n]!) ? p.overwrote : p.dropped).push(text);
    await buttons[n]!.click({ timeout: 1500 }).catch(() => undefined);
    await sleep(60);
  }
}

const lines = (p: Person) => p.page.locator(".table .line");
async function someLine(p: Person) {
  const n = await lines(p).count();
  return n ? lines(p).nth(random(n)) : null;
}
function word(p: Person) {
  const text = `${p === people[0] ? "A" : "B"}${++p.typed}の${pick(["設計", "試験", "移行", "調査"])}`;
  p.log.push(text);
  return text;
}

async function typeCell(p: Person, text: string) {
  const input = p.page.locator(".cell input");
  await input.fill(text);
  if (random(3) === 0) await sleep(random(1500)); // thinks
  await p.page.keyboard.press("Enter");
}
async function rename(p: Person) {
  const line = await someLine(p);
  if (!line) return;
  await line.locator(".name").dblclick();
  const seen = await p.page.locator(".cell input").inputValue();
  const typed = word(p);
  await typeCell(p, typed);
  p.ops.push({ kind: "subject", seen, typed });
}
async function progress(p: Person) {
  const line = await someLine(p);
  await line?.locator(".progress").dblclick();
  if (await p.page.locator(".cell input").count()) await typeCell(p, String(random(101)));
}
async function add(p: Person) {
  if ((await lines(p).count()) > 24) return remove(p);
  await (await someLine(p))?.locator(".wbs").click();
  await p.page.keyboard.press(random(2) ? "Insert" : "Control+Enter");
  const typed = word(p);
  await typeCell(p, typed);
  p.ops.push({ kind: "subject", seen: "新しいタスク", typed });
}
async function indent(p: Person) {
  await (await someLine(p))?.locator(".wbs").click();
  await p.page.keyboard.press(random(2) ? "Alt+Shift+ArrowRight" : "Alt+Shift+ArrowLeft");
}
async function remove(p: Person) {
  if ((await lines(p).count()) < 6) return;
  await (await someLine(p))?.locator(".wbs").click();
  await p.page.keyboard.press("Delete");
  await sleep(50);
}
async function undo(p: Person) {
  p.undos++;
  p.log.push("undo");
  await p.page.keyboard.press(random(4) ? "Control+z" : "Control+y");
}
const opened = (p: Person) => new URL(p.page.url()).searchParams.get("ticket");
async function panel(p: Person, work: () => Promise<void>) {
  if (opened(p)) await p.page.keyboard.press("Escape");
  await (await someLine(p))?.locator(".wbs").click();
  await p.page.keyboard.press("o");
  const key = opened(p);
  if (!key) return; // a new row that the server does not have yet
  await p.page.locator("header .key").getByText(key, { exact: true }).waitFor();
  await p.page.locator("textarea.subject").waitFor();
  await work();
  await p.page.keyboard.press("Escape");
}
/** What he has typed and not sent, of all tickets. */
const draftsOf = (p: Person): Promise<string> =>
  p.page.evaluate(() => Object.entries(localStorage).flatMap(([name, text]) => (name.includes(":draft:") ? [text] : [])).join("\n"));
const details = (p: Person) =>
  panel(p, async () => {
    const box = p.page.getByRole("textbox", { name: "詳細" });
    if (!(await box.count())) await p.page.locator("section", { has: p.page.getByRole("heading", { name: "詳細" }) }).getByRole("button", { name: "編集" }).click();
    const seen = await box.inputValue();
    const text = seen.split("\n");
    const typed = word(p);
    if (random(3)) text[random(text.length)] = typed;
    else text.splice(random(text.length + 1), 0, typed);
    await box.fill(text.join("\n"));
    if (random(3) === 0) await sleep(random(1200));
    p.ops.push({ kind: "details", seen, typed, left: text.join("\n") });
    await box.press("Control+Enter");
    await sleep(150);
    await answer(p);
  });
const comment = (p: Person) =>
  panel(p, async () => {
    const box = p.page.getByRole("textbox", { name: "コメントを書く" }).or(p.page.getByRole("textbox", { name: "コメント" })).first();
    const typed = word(p);
    const key = opened(p);
    await box.fill(typed);
    await box.press("Control+Enter");
    for (let i = 0; i < 60 && (await box.inputValue()) !== ""; i++) {
      await sleep(100);
      if (i % 20 === 19) await box.press("Control+Enter"); // once more: the answer may be lost
    }
    // away from the box: the server has it, or it is a draft still
    const isDraft = (await draftsOf(p)).includes(typed);
    // what the server has said it has; another panel's empty box says nothing
    if ((await box.inputValue()) === "" && !p.stored.has(typed) && !isDraft) p.unanswered.push(typed);
    if (p.stored.has(typed) && opened(p) === key && !isDraft) p.ops.push({ kind: "comment", seen: "", typed });
    else await box.fill("");
  });
const moves = [rename, rename, rename, progress, progress, add, add, indent, indent, remove, undo, undo, details, details, comment];

let trouble = 0;
async function act(p: Person) {
  await answer(p);
  try {
    await pick(moves)(p);
  } catch (error) {
    // a question came between, or the row went: as a person, look again
    trouble++;
    if (process.env.LOUD) console.error(p.name, String(error).split("\n")[0]);
    await answer(p);
    await p.page.keyboard.press("Escape").catch(() => undefined);
  }
}

let restarts = 0;
async function restart() {
  restarts++;
  await demo.stop();
  demo = await startDemo(demo.dir, binary);
  net.port = Number(new URL(demo.ready.url).port);
  // the same session: each sign-in more would end an older one, the browser's
  const { cookies } = admin;
  admin = Object.assign(new Client(demo.ready.url), { cookies });
}
/** Until told to stop: slow, then broken, then fine. */
async function weather(until: { over: boolean }, withRestart: boolean) {
  if (withRestart) {
    await sleep(3000 + random(4000));
    await restart();
  }
  while (!until.over) {
    net.latency = random(400);
    await sleep(2000 + random(3000));
    if (until.over) break;
    cut();
    await sleep(300 + random(1500));
    net.broken = false;
  }
  net.latency = 0;
  net.broken = false;
}

const shownBy = (p: Person) =>
  p.page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>(".table .line")]
      .sort((x, y) => x.offsetTop - y.offsetTop)
      .map((line) => ["wbs", "name", "progress"].map((c) => line.querySelector(`.cell.${c} .text`)?.textContent?.trim() ?? "?").join(" ")),
  );
async function stored(): Promise<string[]> {
  const { body } = await admin.get(`/projects/${project.id}/plan`);
  const rows = body.rows.map((cells: unknown[]) => Object.fromEntries(body.columns.map((c: string, i: number) => [c, cells[i]])));
  const out: string[] = [];
  const walk = (parent: string | null, prefix: string) =>
    rows.filter((r: any) => r.parent === parent).sort((x: any, y: any) => x.rank - y.rank || x.no - y.no).forEach((r: any, i: number) => {
      out.push(`${prefix}${i + 1} ${r.subject} ${r.progress}%`);
      walk(r.id, `${prefix}${i + 1}.`);
    });
  walk(null, "");
  return out;
}
async function compare(what: string) {
  for (const end = Date.now() + 60_000; ; await sleep(250)) {
    for (const p of people) await answer(p);
    const quiet = await Promise.all(people.map((p) => p.page.locator(".saved", { hasText: "保存済み" }).count()));
    const editing = await Promise.all(people.map((p) => p.page.locator(".cell input").count()));
    for (const [i, p] of people.entries()) if (editing[i]) await p.page.keyboard.press("Escape");
    const [a, b, server] = [await shownBy(people[0]!), await shownBy(people[1]!), await stored()];
    if (quiet.every(Boolean) && a.join("\n") === server.join("\n") && b.join("\n") === server.join("\n")) return;
    if (Date.now() > end) assert.deepEqual({ quiet, a, b }, { quiet: [1, 1], a: server, b: server }, `${what}, seed ${SEED}`);
  }
}

test(`two people, ${EDITS} random edits each: the screens are what the server has`, { timeout: 3_600_000 }, async () => {
  for (let done = 0; done < EDITS; done += ROUND) {
    const n = Math.min(ROUND, EDITS - done);
    const until = { over: false };
    const outside = weather(until, done % (4 * ROUND) === 0);
    await Promise.all(people.map(async (p) => {
      for (let i = 0; i < n; i++) await act(p);
    }));
    until.over = true;
    await outside;
    await compare(`after ${done + n}`);
  }
  console.log(`# seed ${SEED}: ${people.map((p) => `${p.ops.length} texts, ${p.undos} undos, ${p.overwrote.length} overwritten, ${p.dropped.length} let go, boxes emptied without an answer: ${p.unanswered.join() || "none"}`).join("; ")}; ${restarts} restarts, ${trouble} looked again`);
});

test("every text was stored, or its writer let it go; every overwrite was asked", async () => {
  // what lies in the bin comes back, so that its history can be read
  for (let after = ""; ; ) {
    const { items } = (await admin.get(`/projects/${project.id}/bin?limit=200${after}`)).body;
    if (!items.length) break;
    for (const x of items) await admin.post(`/projects/${project.id}/edits`, { edits: [{ op: "restore", id: x.id }] });
    after = "";
  }
  const { body } = await admin.get(`/projects/${project.id}/plan`);
  const written = new Map<string, string>(); // text -> by whom
  const said: string[] = [];
  const changes: any[] = [];
  for (const cells of body.rows) {
    const id = cells[0];
    for (let next: string | null = "0"; next; ) {
      const page: any = (await admin.get(`/tickets/${id}/history?limit=200${next === "0" ? "" : `&after=${next}`}`)).body;
      changes.push(...page.items.map((x: any) => ({ ...x, ticket: id })));
      next = page.next;
    }
    said.push(...(await admin.get(`/tickets/${id}/comments?limit=200`)).body.items.map((c: any) => c.body));
  }
  changes.sort((x, y) => Number(x.id) - Number(y.id));
  const stored = new Set<string>();
  const overwritten: string[] = [];
  for (const x of changes) {
    const p = people.find((one) => one.name === x.user?.name);
    const [was, is] = [x.before ?? "", x.after ?? ""];
    const texts = (text: string) => text.match(/[AB]\d+の(設計|試験|移行|調査)/g) ?? [];
    for (const text of texts(`${is} ${x.field === "created" ? is : ""}`)) stored.add(text);
    if (x.field === "created") for (const text of texts(JSON.stringify(x))) stored.add(text);
    if (!p || !["subject", "details"].includes(x.field)) continue;
    for (const lost of texts(was)) {
      if (is.includes(lost) || written.get(`${x.ticket} ${lost}`) === p.name) continue;
      const ops = p.ops.filter((op) => op.kind === x.field && is.includes(op.typed));
      const known = ops.some((op) => op.seen.includes(lost)) || p.overwrote.some((text) => text.includes(lost));
      // one's own undo of a change that was made knowing it
      const again = p.ops.some((op) => op.seen.includes(lost));
      if (!known && !again) overwritten.push(`${p.name}: ${was} -> ${is} (${x.field} of ${x.ticket})`);
    }
    for (const text of texts(is)) if (!was.includes(text)) written.set(`${x.ticket} ${text}`, p.name);
  }
  assert.deepEqual(overwritten, [], `overwritten unasked, seed ${SEED}`);
  for (const p of people) {
    const asked = ((await p.page.evaluate("asked")) as string[]).join("\n");
    // Ctrl+Z takes a change back that could not be sent yet
    const isTakenBack = (text: string) => p.log.slice(p.log.indexOf(text) + 1, p.log.indexOf(text) + 7).includes("undo");
    // what was not sent is there again when the ticket is opened: it waits, or
    // he has put another line in its place
    const drafts = await draftsOf(p);
    const isReplaced = (text: string) => p.ops.some((op) => op.kind === "details" && op.seen.includes(text) && !op.left!.includes(text));
    const lost = p.ops.filter(
      (op) => op.kind !== "comment" && !stored.has(op.typed) && !asked.includes(op.typed) && !isTakenBack(op.typed) && !drafts.includes(op.typed) && !(op.kind === "details" && isReplaced(op.typed)),
    );
    assert.deepEqual(lost, [], `${p.name} lost what he typed, seed ${SEED}`);
    for (const op of p.ops.filter((one) => one.kind === "comment")) assert.equal(said.filter((text) => text === op.typed).length, 1, `comment ${op.typed}, ${p.stored.has(op.typed) ? "" : "not "}acknowledged, seed ${SEED}`);
    for (const text of p.stored) assert.equal(said.filter((one) => one === text).length, 1, `comment ${text} was acknowledged, seed ${SEED}`);
  }
  const subjects = body.rows.map((cells: any[]) => cells[body.columns.indexOf("subject")]).filter((s: string) => /^[AB]\d+の/.test(s));
  assert.equal(new Set(subjects).size, subjects.length, `a row stands twice, seed ${SEED}`);
});
