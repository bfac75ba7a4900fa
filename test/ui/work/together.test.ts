// SPDX-License-Identifier: Apache-2.0
// Two people on one plan, a network that breaks, a server that is full: what
// somebody wrote is saved, or he is asked, or it is still there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInPage } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let admin: Client;
let api: Client; // as B, without a screen
let a: Page;
let b: Page;
let names: string[];
let project = { id: "", key: "" };
let count = 0;

before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  admin = await signedIn(demo, 0);
  api = await signedIn(demo, 1);
  names = demo.ready.accounts.map((x) => x.name);
  const open = async (n: number) => {
    const context = await browser.newContext({ viewport: { width: 1600, height: 800 }, locale: "ja-JP" });
    const page = await context.newPage();
    page.setDefaultTimeout(8_000);
    await signInPage(page, demo.ready, n);
    return page;
  };
  a = await open(0);
  b = await open(1);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

/** A project of its own for a test, with these rows ("  x" hangs below), open
 * before both. */
async function plan(...rows: string[]) {
  const key = `TG${++count}`;
  const made = await admin.post("/projects", { key, name: key, approach: "waterfall" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const person = (await api.get("/session")).body.user.id;
  const joined = await admin.request("PUT", `/projects/${made.body.id}/members/${person}`, { role: "manager" });
  assert.equal(joined.status, 200, JSON.stringify(joined.body));
  project = { id: made.body.id, key };
  const edits = rows.map((name, i) => ({
    op: "create", ref: `r${i}`, subject: name.trim(), classification: "task",
    ...(name.startsWith(" ") ? { parent: `r${rows.findLastIndex((x, n) => n < i && !x.startsWith(" "))}` } : {}),
  }));
  assert.equal((await admin.post(`/projects/${project.id}/edits`, { edits })).status, 200);
  for (const page of [a, b]) await gantt(page);
}
const gantt = async (page: Page) => {
  await page.goto(`${demo.ready.url}/projects/${project.key}/gantt`);
  await page.locator(".line").first().waitFor();
};
const rowsOf = async (): Promise<any[]> => {
  const { body } = await api.get(`/projects/${project.id}/plan`);
  return body.rows.map((cells: unknown[]) => Object.fromEntries(body.columns.map((c: string, i: number) => [c, cells[i]])));
};
const subjects = async () => (await rowsOf()).map((r) => r.subject);
async function until(check: (rows: any[]) => boolean, what: string) {
  for (const end = Date.now() + 10_000; Date.now() < end; await a.waitForTimeout(40)) if (check(await rowsOf())) return;
  assert.fail(`${what}: ${JSON.stringify(await subjects())}`);
}
/** What B does by another program. */
async function edit(subject: string, change: object) {
  const row = (await rowsOf()).find((r) => r.subject === subject);
  const reply = await api.post(`/projects/${project.id}/edits`, { edits: [{ op: "update", id: row.id, version: row.version, ...change }] });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
}
const line = (page: Page, subject: string) => page.locator(".line", { has: page.getByText(subject, { exact: true }) });
const cell = (page: Page) => page.locator(".cell input");
async function type(page: Page, subject: string, text: string, column = "name") {
  await line(page, subject).locator(`.${column}`).dblclick();
  await cell(page).fill(text);
}
async function rename(page: Page, subject: string, text: string) {
  await type(page, subject, text);
  await page.keyboard.press("Enter");
}
const dialog = (page: Page) => page.locator("dialog[open]");
const press = (page: Page, name: string) => dialog(page).getByRole("button", { name, exact: true }).click();
const settled = (page: Page) => page.locator(".saved", { hasText: "保存済み" }).waitFor();

test("one's own save brings along what the other has done meanwhile", async () => {
  await plan("甲", "乙");
  await b.route("**/plan?since=*", (route) => route.abort()); // nothing by the poll
  await rename(a, "甲", "甲（A）");
  await until((rows) => rows[0].subject === "甲（A）", "A's");
  await a.keyboard.press("Insert");
  await until((rows) => rows.length === 3, "A's new row");
  await a.keyboard.press("Escape");
  await rename(b, "乙", "乙（B）");
  await line(b, "甲（A）").waitFor();
  await line(b, "新しいタスク").waitFor();
  await b.unroute("**/plan?since=*");
});

test("what one types in a cell is not replaced; its commit asks and names the other", async () => {
  await plan("甲", "乙");
  await type(a, "甲", "甲、Aの案");
  await edit("甲", { subject: "甲、Bの案" });
  await edit("乙", { subject: "印" });
  await line(a, "印").waitFor(); // the poll has come
  assert.equal(await cell(a).inputValue(), "甲、Aの案");
  await a.keyboard.press("Enter");
  await dialog(a).getByText("甲、Bの案").first().waitFor();
  const text = await dialog(a).innerText();
  assert.ok(text.includes("甲、Aの案") && text.includes(names[1]!), text);
  await look(a, "together-ask");
  await press(a, "相手の変更を残す");
  await line(a, "甲、Bの案").waitFor();
  assert.deepEqual(await subjects(), ["甲、Bの案", "印"]);
});

test("another field of the same row is merged, not asked", async () => {
  await plan("甲", "乙");
  await type(a, "甲", "40", "progress");
  await edit("甲", { subject: "甲（B）" });
  await a.keyboard.press("Enter");
  await until((rows) => rows[0].progress === 40 && rows[0].subject === "甲（B）", "both");
  assert.equal(await dialog(a).count(), 0);
});

test("what one types in the ticket's subject is not replaced; its commit asks", async () => {
  await plan("甲");
  await a.goto(`${demo.ready.url}/tickets/${project.key}-1`);
  const subject = a.locator("textarea.subject");
  await subject.fill("Aの件名");
  await edit("甲", { subject: "Bの件名", priority: "low" });
  await a.waitForFunction(() => (document.querySelector("#f-priority") as HTMLSelectElement).value === "low");
  assert.equal(await subject.inputValue(), "Aの件名");
  await subject.press("Enter");
  await dialog(a).getByText("Bの件名").first().waitFor();
  await press(a, "相手の変更を残す");
  await a.waitForFunction(() => (document.querySelector("textarea.subject") as HTMLTextAreaElement).value === "Bの件名");
  assert.deepEqual(await subjects(), ["Bの件名"]);
});

test("details: other lines are put together, the same line is asked", async () => {
  await plan("甲");
  const details = async () => (await api.get(`/tickets/${project.key}-1`)).body;
  const write = async (text: string) => {
    const now = await details();
    assert.equal((await api.patch(`/tickets/${now.id}`, { details: text }, now.version)).status, 200);
  };
  await write("一\n二\n三");
  await a.goto(`${demo.ready.url}/tickets/${project.key}-1`);
  const open = async (text: string) => {
    await a.locator("section", { has: a.getByRole("heading", { name: "詳細" }) }).getByRole("button", { name: "編集" }).click();
    await a.getByRole("textbox", { name: "詳細" }).fill(text);
  };
  await open("一、A\n二\n三");
  await write("一\n二\n三、B");
  await a.waitForTimeout(3000); // the poll takes the new version along
  await a.keyboard.press("Control+Enter");
  await a.getByText("の変更とあわせて保存しました").waitFor();
  assert.equal((await details()).details, "一、A\n二\n三、B");

  await open("一、A\n二、A\n三、B");
  await write("一、A\n二、B\n三、B");
  await a.keyboard.press("Control+Enter");
  await dialog(a).getByText("二、B").first().waitFor();
  await press(a, "編集に戻る");
  assert.equal(await a.getByRole("textbox", { name: "詳細" }).inputValue(), "一、A\n二、A\n三、B");
  assert.equal((await details()).details, "一、A\n二、B\n三、B");
  await a.getByRole("textbox", { name: "詳細" }).fill("一、A\n二、AとB\n三、B");
  await a.keyboard.press("Control+Enter");
  await a.getByText("二、AとB").first().waitFor();
  assert.equal((await details()).details, "一、A\n二、AとB\n三、B");
});

test("undo asks when another has changed it since, and leaves what he added below", async () => {
  await plan("甲", "乙");
  await rename(a, "甲", "甲（A）");
  await settled(a);
  await edit("甲（A）", { subject: "甲（B）" });
  await a.keyboard.press("Control+z");
  await dialog(a).getByText("甲（B）").first().waitFor();
  assert.ok((await dialog(a).innerText()).includes(names[1]!));
  await press(a, "ほかの部分だけ元に戻す");
  await settled(a);
  assert.deepEqual(await subjects(), ["甲（B）", "乙"]);

  await line(a, "乙").click();
  await a.keyboard.press("Insert");
  await cell(a).fill("丙");
  await a.keyboard.press("Enter");
  await until((rows) => rows.some((r) => r.subject === "丙"), "new row");
  const parent = (await rowsOf()).find((r) => r.subject === "丙").id;
  await api.post(`/projects/${project.id}/edits`, { edits: [{ op: "create", ref: "x", subject: "Bの子", classification: "task", parent }] });
  await a.keyboard.press("Control+z"); // the name
  await line(a, "新しいタスク").waitFor();
  await a.keyboard.press("Control+z"); // the row
  await dialog(a).getByText("Bの子").first().waitFor();
  await press(a, "削除しない");
  assert.ok((await subjects()).includes("Bの子"));
});

test("an undo that waits takes nothing back that was typed after it", async () => {
  await plan("甲", "乙");
  for (const [way, left] of [["abort", "甲1,乙1"], ["continue", "甲1,乙2"]] as const) {
    const n = way === "abort" ? 1 : 2;
    const [was1, was2] = await subjects();
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const sent = a.waitForRequest("**/edits*");
    await a.route("**/edits*", async (route) => {
      await held;
      await route[way]().catch(() => undefined); // unrouted meanwhile
    });
    await rename(a, was1, `甲${n}`);
    await sent;
    await a.keyboard.press("Control+z"); // of 甲, which is on its way
    await rename(a, was2, `乙${n}`);
    await line(a, `乙${n}`).waitFor();
    release();
    if (way === "abort") await a.getByText("未保存 2 件").waitFor();
    await a.unroute("**/edits*");
    await until((rows) => rows.map((r) => r.subject).join() === left, left);
    await settled(a);
    assert.equal((await subjects()).join(), left);
  }
});

test("a plan that could not be read comes by itself", async () => {
  await plan("甲");
  await a.route("**/projects/*/plan", (route) => route.abort());
  await a.reload();
  await a.getByRole("alert").filter({ hasText: "サーバー" }).waitFor();
  await a.unroute("**/projects/*/plan");
  await line(a, "甲").waitFor();
});

test("unsent edits outlive leaving the page and a reload, and are sent then", async () => {
  await plan("甲", "乙");
  await a.route("**/edits*", (route) => route.abort());
  await rename(a, "甲", "甲、未送信");
  await a.getByText("未保存 1 件").waitFor();
  await rename(a, "乙", "乙、未送信");
  await a.getByText("未保存 2 件").waitFor();
  await a.getByRole("link", { name: "リスト" }).or(a.getByRole("link", { name: "チケット" })).first().click();
  await a.goBack();
  await line(a, "甲、未送信").waitFor();
  await a.reload();
  await line(a, "乙、未送信").waitFor();
  assert.deepEqual(await subjects(), ["甲", "乙"]);
  await a.unroute("**/edits*");
  await a.goto(`${demo.ready.url}/my`); // any page of the product sends them
  await until((rows) => rows.map((r) => r.subject).join() === "甲、未送信,乙、未送信", "sent after a reload");
});

test("a field of the panel that could not be saved is sent after a reload", async () => {
  await plan("甲");
  await a.goto(`${demo.ready.url}/tickets/${project.key}-1`);
  await a.route("**/api/v1/tickets/*", (route) => (route.request().method() === "PATCH" ? route.abort() : route.continue()));
  await a.locator("#f-progress").fill("35");
  await a.locator("#f-progress").press("Enter");
  await a.getByText("未保存").first().waitFor();
  await a.unroute("**/api/v1/tickets/*");
  await a.goto(`${demo.ready.url}/my`);
  await until((rows) => rows[0].progress === 35, "sent");
});

test("what one goes on typing while a save is under way stays", async () => {
  await plan("甲");
  await a.goto(`${demo.ready.url}/tickets/${project.key}-1`);
  const slow: (() => void)[] = [];
  let isSlow = true;
  const hold = () => new Promise<void>((resolve) => slow.push(resolve));
  await a.route("**/api/v1/tickets/**", async (route) => {
    if (isSlow && route.request().method() !== "GET") await hold();
    await route.continue();
  });
  await a.locator("section", { has: a.getByRole("heading", { name: "詳細" }) }).getByRole("button", { name: "編集" }).click();
  const details = a.getByRole("textbox", { name: "詳細" });
  await details.fill("一行目");
  await details.press("Control+Enter");
  await details.fill("一行目\n二行目");
  const comment = a.getByRole("textbox", { name: "コメントを書く" }).or(a.getByRole("textbox", { name: "コメント" })).first();
  await comment.fill("最初のコメント");
  await comment.press("Control+Enter");
  await comment.fill("最初のコメントの続き");
  while (slow.length < 2) await a.waitForTimeout(20);
  isSlow = false;
  for (const go of slow) go();
  await a.locator("article article", { hasText: "最初のコメント" }).waitFor();
  assert.equal(await comment.inputValue(), "最初のコメントの続き");
  assert.equal(await details.inputValue(), "一行目\n二行目");
  await details.press("Control+Enter");
  await details.waitFor({ state: "detached" });
  await a.unroute("**/api/v1/tickets/**");
  const [row] = await rowsOf();
  assert.equal((await api.get(`/tickets/${row.id}`)).body.details, "一行目\n二行目");
});

test("an older try that is still under way does not take the place of what was saved after it", async () => {
  await plan("甲");
  await a.goto(`${demo.ready.url}/tickets/${project.key}-1`);
  const tries: string[] = [];
  await a.route("**/api/v1/tickets/*", async (route) => {
    if (route.request().method() !== "PATCH") return route.continue();
    tries.push(route.request().postDataJSON().details);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await route.abort();
  });
  const until = async (check: () => boolean) => {
    for (const end = Date.now() + 15_000; !check() && Date.now() < end; ) await a.waitForTimeout(10);
    assert.ok(check(), JSON.stringify(tries));
  };
  await a.locator("section", { has: a.getByRole("heading", { name: "詳細" }) }).getByRole("button", { name: "編集" }).click();
  const details = a.getByRole("textbox", { name: "詳細" });
  await details.fill("一行目");
  await details.press("Control+Enter");
  await a.getByRole("button", { name: "未保存" }).first().waitFor();
  const before = tries.length;
  await until(() => tries.length > before); // tried again, and under way
  await details.fill("一行目\n二行目");
  await details.press("Control+Enter");
  await a.getByRole("button", { name: "未保存" }).first().click(); // and once more
  await until(() => tries.includes("一行目\n二行目"));
  await a.waitForTimeout(1500);
  await a.unroute("**/api/v1/tickets/*");
  const [row] = await rowsOf();
  for (const end = Date.now() + 10_000; ; await a.waitForTimeout(100)) {
    const stored = (await api.get(`/tickets/${row.id}`)).body.details;
    if (stored === "一行目\n二行目") break;
    if (Date.now() > end) assert.fail(`${JSON.stringify(stored)} after ${JSON.stringify(tries)}`);
  }
});

test("a field that could not be saved, of a ticket deleted since: it comes back and is asked for what it says then", async () => {
  await plan("甲");
  await a.goto(`${demo.ready.url}/tickets/${project.key}-1`);
  await a.route("**/api/v1/tickets/*", (route) => (route.request().method() === "PATCH" ? route.abort() : route.continue()));
  await a.locator("textarea.subject").fill("甲、Aの件名");
  await a.locator("textarea.subject").press("Enter");
  await a.getByText("未保存").first().waitFor();
  await edit("甲", { subject: "甲、Bの件名" });
  await edit("甲、Bの件名", { op: "delete" });
  let refused = 1; // the first reading fails: it is tried again
  await a.route("**/api/v1/tickets/*", (route) => (refused-- > 0 ? route.abort() : route.continue()));
  await a.goto(`${demo.ready.url}/my`);
  await dialog(a).waitFor();
  assert.ok((await dialog(a).innerText()).includes(names[1]!));
  assert.match(await dialog(a).getByRole("textbox").inputValue(), /甲、Aの件名/);
  await press(a, "行を元に戻して保存");
  await dialog(a).getByText("甲、Bの件名").first().waitFor();
  await press(a, "自分の変更で上書き");
  await until((rows) => rows[0]?.subject === "甲、Aの件名", "restored and saved");
  await a.unroute("**/api/v1/tickets/*");
});

test("a row renamed and deleted while one types: brought back, it is asked for the name", async () => {
  await plan("甲", "乙");
  await type(a, "甲", "甲、Aの名前");
  await edit("甲", { subject: "甲、Bの名前" });
  await edit("甲、Bの名前", { op: "delete" });
  await dialog(a).waitFor();
  await press(a, "行を元に戻して保存");
  await dialog(a).getByText("甲、Bの名前").first().waitFor();
  assert.ok((await subjects()).includes("甲、Bの名前"), "it is back as B left it");
  await press(a, "相手の変更を残す");
  await line(a, "甲、Bの名前").waitFor();
  assert.deepEqual((await subjects()).toSorted(), ["乙", "甲、Bの名前"].toSorted());
});

test("a row deleted while one types: who, the text, and the way to restore it", async () => {
  await plan("甲", "乙");
  await type(a, "甲", "甲、Aの長い名前");
  const row = (await rowsOf())[0];
  await api.post(`/projects/${project.id}/edits`, { edits: [{ op: "delete", id: row.id, version: row.version }] });
  await dialog(a).waitFor();
  assert.ok((await dialog(a).innerText()).includes(names[1]!));
  assert.equal(await dialog(a).getByRole("textbox").inputValue(), "甲、Aの長い名前");
  await press(a, "行を元に戻して保存");
  await until((rows) => rows.some((r) => r.subject === "甲、Aの長い名前"), "restored and saved");
});

test("an import is one step of undo", async () => {
  await plan("甲");
  await a.goto(`${demo.ready.url}/projects/${project.key}/import`);
  const rows = Array.from({ length: 22 }, (_, i) => `行${i + 1}`);
  await a.locator('input[type="file"]').setInputFiles({ name: "plan.csv", mimeType: "text/csv", buffer: Buffer.from(`件名,チケット分類\r\n${rows.map((r) => `${r},タスク`).join("\r\n")}\r\n`) });
  await a.getByRole("button", { name: "取り込む" }).click();
  await until((now) => now.length === 23, "imported");
  await a.getByRole("link", { name: "ガント" }).last().click();
  await line(a, "行22").waitFor();
  await a.getByRole("button", { name: "元に戻す" }).click();
  await until((now) => now.length === 1, "undone");
  await a.keyboard.press("Control+y");
  await until((now) => now.length === 23, "redone");
});

test("a new row is there at once and made once, whatever the network does", async () => {
  await plan("甲");
  await a.route("**/edits*", (route) => route.abort());
  await line(a, "甲").click();
  await a.keyboard.press("Insert");
  await cell(a).fill("オフラインの行");
  await a.keyboard.press("Enter");
  await line(a, "オフラインの行").waitFor();
  await a.unroute("**/edits*");
  await until((rows) => rows.length === 2 && rows[1].subject === "オフラインの行", "made when the network is back");
  // done, and the answer lost
  let lost = 0;
  await a.route("**/edits*", async (route) => {
    if (lost++) return route.continue();
    await route.fetch();
    await route.abort();
  });
  await a.keyboard.press("Insert");
  await cell(a).fill("一度だけ");
  await a.keyboard.press("Enter");
  await until((rows) => rows.some((r) => r.subject === "一度だけ"), "named");
  await settled(a);
  await a.unroute("**/edits*");
  assert.deepEqual(await subjects(), ["甲", "オフラインの行", "一度だけ"]);
});

test("a full server: one message that says what to do, and deleting goes on", async () => {
  await plan("甲", "乙");
  const full = (route: any) =>
    /"op":"(?!delete)/.test(route.request().postData() ?? "")
      ? route.fulfill({ status: 507, contentType: "application/problem+json", body: '{"title":"空き容量がありません","status":507,"errors":[]}' })
      : route.continue();
  await a.route("**/edits*", full);
  await rename(a, "甲", "甲、満杯");
  await a.getByRole("alert").filter({ hasText: "管理者に容量の追加を依頼" }).waitFor();
  await a.waitForTimeout(4000);
  assert.equal(await a.locator(".toast.bad").count(), 0);
  await line(a, "乙").click();
  await a.keyboard.press("Delete");
  await until((rows) => rows.length === 1, "deleted although full");
  await a.getByRole("alert").filter({ hasText: "管理者に容量の追加を依頼" }).waitFor(); // tried at once, still full
  await a.unroute("**/edits*");
  await a.getByRole("button", { name: "再試行" }).click();
  await until((rows) => rows[0].subject === "甲、満杯", "saved once there is room");
});

test("the offline banner follows the server, not the browser's network flag", async () => {
  await plan("甲");
  await a.goto(`${demo.ready.url}/my`);
  const banner = a.locator(".offline");
  await a.context().setOffline(false);
  await a.evaluate(() => {
    Object.defineProperty(navigator, "onLine", { value: false, configurable: true });
    dispatchEvent(new Event("offline"));
  });
  await a.waitForTimeout(500);
  assert.equal(await banner.count(), 0);
  await a.route("**/*", (route) => route.abort());
  await banner.waitFor({ timeout: 40_000 });
  await a.unroute("**/*");
  await banner.waitFor({ state: "detached" });
});

test("deleting says what goes along, and offers the way back", async () => {
  await plan("甲", " 甲の一", " 甲の二", "乙");
  await line(a, "甲").click();
  await a.keyboard.press("Delete");
  await dialog(a).getByText("その下の 2 行").first().waitFor();
  await press(a, "削除");
  await until((rows) => rows.length === 1, "deleted");
  const toast = a.locator(".toast", { hasText: "3 行を削除しました" });
  await toast.getByRole("button", { name: "元に戻す" }).click();
  await until((rows) => rows.length === 4, "restored");
});

test("Enter that ends kana conversion with keyCode 229 alone does not close the cell", async () => {
  await plan("甲");
  await line(a, "甲").locator(".name").dblclick();
  await cell(a).evaluate((node) => node.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true })));
  assert.equal(await cell(a).count(), 1);
  await a.keyboard.press("Escape");
});

test("Ctrl+Z takes the newest change back, wherever it was made", async () => {
  await plan("甲", "乙");
  await rename(a, "甲", "甲、改");
  await settled(a);
  await line(a, "乙").click();
  await a.keyboard.press("o");
  await a.locator("#f-priority").selectOption("low");
  await until((rows) => rows[1].priority === "low", "by the panel");
  await a.locator(".line").first().click();
  await a.keyboard.press("Control+z");
  await until((rows) => rows[1].priority === "medium" && rows[0].subject === "甲、改", "the panel's first");
  await a.keyboard.press("Control+z");
  await until((rows) => rows[0].subject === "甲", "then the cell's");
});

test("a refusal wears no tick", async () => {
  await plan("甲", " 甲の一");
  await line(a, "甲").locator(".end").dblclick();
  const toast = a.locator(".toast", { hasText: "子から計算される" });
  await toast.waitFor();
  assert.equal(await toast.getAttribute("role"), "alert");
});
