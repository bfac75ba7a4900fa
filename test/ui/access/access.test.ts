// SPDX-License-Identifier: Apache-2.0
// A role is made, a group is given it, and the page says who can see and why.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let page: Page;
let api: Client;
let problems: string[];
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
  api = await signedIn(demo, 0);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
const shot = async (name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
};
const dialog = () => page.locator("dialog[open]");
const kato = () => demo.ready.accounts.find((a) => a.email.startsWith("kato"))!;

test("a role of one's own takes a few ticks", async () => {
  await page.goto(`${demo.ready.url}/access`);
  await page.getByRole("button", { name: "マネージャー", exact: true }).click();
  await dialog().getByText("製品のロールは変えられません").waitFor();
  await shot("role-fixed");
  await dialog().getByText("閉じる", { exact: true }).click();
  await page.getByRole("button", { name: "ロールを追加" }).click();
  await dialog().getByLabel("名前", { exact: true }).fill("外部レビュー担当");
  await dialog().getByLabel("チケットの追加").check();
  await dialog().getByLabel("チケットの参照").uncheck();
  assert.equal(await dialog().getByLabel("チケットの追加").isChecked(), false, "nobody adds what they may not see");
  await dialog().getByLabel("チケットの追加").check();
  assert.equal(await dialog().getByLabel("チケットの参照").isChecked(), true);
  await dialog().getByLabel("コメント").check();
  await shot("role-dialog");
  await dialog().getByRole("button", { name: "保存" }).click();
  await page.getByRole("button", { name: "外部レビュー担当", exact: true }).waitFor();
  await shot("roles");
  const made = (await api.get("/roles")).body.items.find((r: any) => r.ja === "外部レビュー担当");
  assert.deepEqual(made.rights.toSorted(), ["comment", "program_view", "project_view", "ticket_add", "ticket_view"]);
});

test("a review of rights is noted", async () => {
  await page.goto(`${demo.ready.url}/access?tab=access_reviews`);
  await page.getByText("見直しはまだ記録されていません").waitFor();
  await shot("reviews-empty");
  await page.getByLabel("メモ").fill("外部委託先の権限を確認し、3件を外した");
  await page.getByRole("button", { name: "見直しを記録" }).click();
  await page.locator("main li", { hasText: "外部委託先の権限を確認し" }).waitFor();
  assert.match(await page.locator("main li").first().innerText(), /利用者 \d+ 人、権限の付与 \d+ 件/);
  await shot("reviews");
});

test("a group is filled, joins a project, and the page says why", async () => {
  await page.goto(`${demo.ready.url}/access?tab=groups`);
  await page.getByText("グループはまだありません").waitFor();
  await page.getByRole("button", { name: "グループを追加" }).click();
  await dialog().getByLabel("名前", { exact: true }).fill("監査チーム");
  await dialog().getByRole("button", { name: "保存" }).click();
  await dialog().getByText("まだ誰もいません").waitFor();
  await dialog().getByRole("combobox").fill(kato().name);
  await page.getByRole("option", { name: kato().name }).click();
  await dialog().locator("li", { hasText: kato().email }).waitFor();
  await shot("group-people");
  await dialog().getByText("閉じる", { exact: true }).click();
  await page.getByText("1 人・権限 0 件").waitFor();
  await shot("groups");

  await page.goto(`${demo.ready.url}/projects/ERP/settings`);
  await page.getByRole("combobox", { name: "メンバーを追加" }).fill("監査");
  await page.getByRole("option", { name: "監査チーム" }).click();
  await page.getByLabel("ロール", { exact: true }).selectOption({ label: "閲覧者" });
  await page.getByRole("button", { name: "メンバーを追加" }).click();
  await page.locator("li", { hasText: "監査チーム" }).waitFor();
  await shot("members-group");
  await page.getByRole("link", { name: "誰が見られるか" }).click();
  const row = page.locator(".list > li", { hasText: kato().email });
  await row.getByText("グループ「監査チーム」").waitFor();
  await shot("who-can-see");

  await page.goto(`${demo.ready.url}/users`);
  await page.getByRole("button", { name: `その他の操作 ${kato().name}` }).click();
  await page.getByRole("menuitem", { name: "何が見られるか" }).click();
  await page.locator(".list > li", { hasText: "ERP" }).first().waitFor();
  await page.getByText("グループ「監査チーム」").waitFor();
  await shot("can-see-what");
  assert.deepEqual(problems, []);
});

test("a group in use is not deleted before it is said what it is used for", async () => {
  await page.goto(`${demo.ready.url}/access?tab=groups`);
  await page.getByRole("button", { name: "その他の操作 監査チーム" }).click();
  await page.getByRole("menuitem", { name: "削除" }).click();
  await dialog().getByRole("button", { name: "削除", exact: true }).click();
  await dialog().getByText("このグループは次の権限に使われています").waitFor();
  const place = dialog().locator("li", { hasText: "ERP" });
  assert.match(await place.innerText(), /閲覧者/);
  await shot("group-in-use");
  await dialog().getByRole("button", { name: "権限ごと削除" }).click();
  await page.getByText("グループはまだありません").waitFor();
  assert.deepEqual(problems.splice(0).filter((p) => !p.includes("409")), []);
});

test("a role on everything opens an area of administration, and only that", async () => {
  const role = (await api.post("/roles", { ja: "ログ担当", rights: ["admin_log"] })).body;
  await page.goto(`${demo.ready.url}/access?tab=everywhere`);
  await page.getByRole("combobox", { name: "メンバーを追加" }).fill(kato().name);
  await page.getByRole("option", { name: kato().name }).click();
  await page.getByLabel("ロール", { exact: true }).selectOption(role.key);
  await page.getByRole("button", { name: "メンバーを追加" }).click();
  await page.locator("li", { hasText: kato().email }).waitFor();
  await shot("everywhere");
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "ja-JP" });
  const theirs = await context.newPage();
  await signInPage(theirs, demo.ready, demo.ready.accounts.indexOf(kato()));
  await theirs.goto(`${demo.ready.url}/log`);
  await theirs.getByRole("heading", { name: "操作ログ" }).waitFor();
  await theirs.goto(`${demo.ready.url}/access`);
  await theirs.getByText("ページが見つかりません").waitFor();
  await context.close();
});

test("settings are no page of who may change none of them; who gives roles changes only those", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP" });
  const theirs = await context.newPage();
  const theirProblems = watch(theirs);
  await signInPage(theirs, demo.ready, 8);
  for (const place of ["settings", "access"]) {
    await theirs.goto(`${demo.ready.url}/projects/ERP/${place}`);
    await theirs.getByRole("heading", { name: "ページが見つかりません" }).waitFor();
  }
  const { body } = await api.get("/programs");
  const erp = body.projects.find((p: any) => p.key === "ERP");
  const person = (await api.get(`/users?q=${encodeURIComponent(demo.ready.accounts[8]!.email)}`)).body.items[0];
  assert.equal((await api.post("/session/fresh", { password: demo.ready.accounts[0]!.password })).status, 204);
  const role = (await api.post("/roles", { ja: "人の世話", rights: ["project_view", "member_edit"] })).body;
  assert.equal((await api.request("PUT", `/projects/${erp.id}/members/${person.id}`, { role: role.key })).status, 200);
  await theirs.goto(`${demo.ready.url}/projects/ERP`);
  await theirs.locator("nav").getByRole("link", { name: "設定", exact: true }).click();
  const name = theirs.getByLabel("名前", { exact: true });
  await name.waitFor();
  assert.ok(await name.isDisabled());
  assert.ok(await theirs.getByLabel("責任者").isDisabled());
  assert.equal(await theirs.getByRole("button", { name: "アーカイブする" }).count(), 0);
  await theirs.getByRole("link", { name: "誰が見られるか" }).first().waitFor();
  if (process.env.SHOTS) await theirs.screenshot({ path: `${process.env.SHOTS}/settings-roles-only.png`, fullPage: true });
  assert.deepEqual(theirProblems, []);
  await context.close();
});
