// SPDX-License-Identifier: Apache-2.0
// The Gantt as a project manager uses it, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let page: Page;
let problems: string[];
let project: string;

before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const admin = await signedIn(demo, 0);
  const made = await admin.post("/projects", { key: "PLAN", name: "引越し計画", approach: "waterfall" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  project = made.body.id;
  const context = await browser.newContext({ viewport: { width: 1600, height: 800 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

const admin = () => signedIn(demo, 0);
const rowsOf = async () => {
  const plan = (await (await api()).get(`/projects/${project}/plan`)).body;
  return plan.rows.map((cells: unknown[]) => Object.fromEntries(plan.columns.map((c: string, i: number) => [c, cells[i]])));
};
let client: Awaited<ReturnType<typeof admin>> | undefined;
const api = async () => (client ??= await admin());
/** Waits until the plan on the server is as wanted. */
async function until(check: (rows: any[]) => boolean, what: string) {
  for (let i = 0; i < 200; i++) {
    if (check(await rowsOf())) return;
    await page.waitForTimeout(25);
  }
  assert.fail(`${what}: ${JSON.stringify(await rowsOf())}`);
}
const row = (subject: string) => page.locator(".line", { hasText: subject });
/** Where a row's bar can be taken, found as a hand finds it: by the cursor. */
async function findBar(subject: string, cursor: string): Promise<{ x: number; y: number }> {
  const line = (await row(subject).boundingBox())!;
  const canvas = (await page.locator("canvas").boundingBox())!;
  const y = line.y + line.height / 2;
  for (let x = canvas.x + 4; x < canvas.x + canvas.width; x += 3) {
    await page.mouse.move(x, y);
    if ((await page.locator("canvas").evaluate((c) => (c as HTMLCanvasElement).style.cursor)) === cursor) return { x, y };
  }
  assert.fail(`no ${cursor} on ${subject}`);
}

test("an empty plan offers its first step; rows are typed in like in a spreadsheet", async () => {
  await page.goto(`${demo.ready.url}/projects/PLAN/gantt?zoom=day`);
  await page.getByText("まだ計画がありません").waitFor();
  await page.getByRole("button", { name: "最初の行を追加" }).click();
  await page.locator(".cell input").fill("物件を探す");
  await page.keyboard.press("Enter");
  await until((rows) => rows.length === 1 && rows[0].subject === "物件を探す", "first row");
  for (const subject of ["契約する", "荷造り"]) {
    await page.keyboard.press("Insert");
    await page.locator(".cell input").fill(subject);
    await page.keyboard.press("Enter");
    await row(subject).waitFor();
  }
  await until((rows) => rows.map((r) => r.subject).join() === "物件を探す,契約する,荷造り", "three rows");
});

test("dates are typed as people write them; Tab goes on to the next cell", async () => {
  await row("物件を探す").locator(".start").dblclick();
  await page.locator(".cell input").fill("2026/12/01");
  await page.keyboard.press("Tab");
  await page.locator(".cell input").fill("12/4");
  await page.keyboard.press("Enter");
  await until((rows) => rows[0].planned_start === "2026-12-01" && rows[0].planned_end === "2026-12-04", "dates");
  const other = await api();
  const rows = await rowsOf();
  const edits = rows.slice(1).map((r: any) => ({ op: "update", id: r.id, version: r.version, planned_start: "2026-12-01", planned_end: "2026-12-02" }));
  assert.equal((await other.post(`/projects/${project}/edits`, { edits })).status, 200);
});

test("Enter that ends kana conversion does not close the cell", async () => {
  await row("荷造り").locator(".name").dblclick();
  const input = page.locator(".cell input");
  await input.evaluate((node) => node.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true })));
  assert.equal(await input.count(), 1);
  await page.keyboard.press("Escape");
  assert.equal(await input.count(), 0);
});

test("what is refused stays in its cell as typed", async () => {
  await row("物件を探す").locator(".end").dblclick();
  const input = page.locator(".cell input");
  const typed = "2020/1/1";
  await input.fill(typed);
  await page.keyboard.press("Enter");
  await page.getByText("終了日は開始日以降にしてください").waitFor();
  assert.deepEqual([await input.inputValue(), await input.getAttribute("aria-invalid")], [typed, "true"]);
  await input.blur();
  assert.equal(await input.inputValue(), typed);
  await input.focus();
  await page.keyboard.press("Escape");
  assert.equal(await input.count(), 0);
  await row("物件を探す").locator(".end").dblclick();
  assert.equal(await input.getAttribute("aria-invalid"), "false");
  await page.keyboard.press("Escape");
});

test("a bar is dragged to other days, and Ctrl+Z brings it back", async () => {
  await page.reload();
  await row("荷造り").waitFor();
  const at = await findBar("荷造り", "grab");
  await page.mouse.move(at.x + 6, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x + 6 + 28 * 7, at.y, { steps: 6 });
  await page.mouse.up();
  await until((rows) => rows[2].planned_start === "2026-12-08" && rows[2].planned_end === "2026-12-09", "moved a week");
  await page.keyboard.press("Control+z");
  await until((rows) => rows[2].planned_start === "2026-12-01" && rows[2].planned_end === "2026-12-02", "undone");
  await page.keyboard.press("Control+y");
  await until((rows) => rows[2].planned_start === "2026-12-08", "redone");
  await page.keyboard.press("Control+z");
  await until((rows) => rows[2].planned_start === "2026-12-01", "undone again");
});

test("a link drawn from bar to bar pushes the successor by working days", async () => {
  const from = await findBar("物件を探す", "ew-resize");
  let end = from.x;
  for (let x = from.x; x < from.x + 200; x += 2) {
    await page.mouse.move(x, from.y);
    const cursor = await page.locator("canvas").evaluate((c) => (c as HTMLCanvasElement).style.cursor);
    if (cursor === "crosshair") {
      end = x + 3;
      break;
    }
  }
  const to = await findBar("契約する", "grab");
  await page.mouse.move(end, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x + 2, to.y, { steps: 5 });
  await page.mouse.up();
  // 12/4 is a Friday: the successor begins on Monday
  await until((rows) => rows[1].planned_start === "2026-12-07" && rows[1].planned_end === "2026-12-08", "pushed");
});

test("a dependency that makes a cycle is refused and its path named", async () => {
  await row("物件を探す").click();
  await page.keyboard.press("l");
  const dialog = page.locator("dialog");
  await dialog.locator("select").first().selectOption({ label: "2 契約する" });
  await dialog.getByRole("button", { name: "保存" }).click();
  const alert = page.locator(".toast, [role=alert]", { hasText: "PLAN-1" });
  await alert.first().waitFor();
  assert.match((await alert.first().textContent())!, /PLAN-1.*→.*PLAN-2|PLAN-2.*→.*PLAN-1/);
  await dialog.getByRole("button", { name: "キャンセル" }).click();
});

test("Alt+Shift+→ indents; the parent takes its dates from the child", async () => {
  await row("荷造り").click();
  await page.keyboard.press("Alt+Shift+ArrowRight");
  await until((rows) => {
    const child = rows.find((r) => r.subject === "荷造り");
    const parent = rows.find((r) => r.id === child.parent);
    return parent !== undefined && parent.planned_start === child.planned_start;
  }, "indented");
  await page.keyboard.press("Control+z");
  await until((rows) => rows.find((r) => r.subject === "荷造り").parent === null, "outdented by undo");
});

test("a stale edit shows both values and asks", async () => {
  await page.reload();
  await row("荷造り").waitFor();
  await row("荷造り").locator(".name").dblclick();
  const other = await api();
  const theirs = (await rowsOf()).find((r: any) => r.subject === "荷造り");
  const reply = await other.post(`/projects/${project}/edits`, {
    edits: [{ op: "update", id: theirs.id, version: theirs.version, subject: "荷造りと掃除" }],
  });
  assert.equal(reply.status, 200);
  await page.locator(".cell input").fill("荷造りと片付け");
  await page.keyboard.press("Enter");
  const dialog = page.locator("dialog");
  await dialog.getByText("荷造りと掃除").first().waitFor();
  await dialog.getByText("荷造りと片付け").first().waitFor();
  await dialog.getByRole("button", { name: "自分の変更で上書き" }).click();
  await until((rows) => rows.some((r) => r.subject === "荷造りと片付け"), "mine kept");
});

test("what another person does appears without a reload", async () => {
  const other = await api();
  const reply = await other.post(`/projects/${project}/edits`, {
    edits: [{ op: "create", ref: "x", subject: "鍵の受け取り", classification: "milestone" }],
  });
  assert.equal(reply.status, 200);
  await row("鍵の受け取り").waitFor({ timeout: 15000 });
});

test("what could not be sent stays as typed, and is sent when the server answers again", async () => {
  const fail = (route: any) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"title":"混み合っています","status":503,"errors":[]}' });
  await page.route("**/edits*", fail);
  await row("荷造り").locator(".name").dblclick();
  await page.locator(".cell input").fill("荷造りと掃除");
  await page.keyboard.press("Enter");
  await page.getByText("未保存 1 件").waitFor();
  assert.ok(await row("荷造りと掃除").isVisible(), "what was typed is still there");
  assert.ok((await rowsOf()).every((r: any) => r.subject !== "荷造りと掃除"));
  await page.unroute("**/edits*", fail);
  await page.getByRole("button", { name: "再試行" }).click();
  await until((rows) => rows.some((r) => r.subject === "荷造りと掃除"), "sent again");
  await page.getByText("未保存").waitFor({ state: "detached" });

  await page.route("**/edits*", (route) => route.abort());
  await row("荷造りと掃除").locator(".name").dblclick();
  await page.locator(".cell input").fill("やめた変更");
  await page.keyboard.press("Enter");
  await page.getByText("未保存 1 件").waitFor();
  await page.getByRole("button", { name: "破棄" }).click();
  await row("荷造りと掃除").waitFor();
  await page.unroute("**/edits*");
  for (const told of problems.splice(0)) assert.match(told, /503|ERR_FAILED/, "what this test provoked");
});

test("nothing broke the content security policy", () => {
  assert.deepEqual(problems, []);
});
