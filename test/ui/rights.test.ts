// SPDX-License-Identifier: Apache-2.0
// A move asks about the people it concerns; who does not see a project is made
// a member before being assigned; a new project is where one lands.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { addProject, type Client, type Demo, removeDir, signedIn, startDemo } from "../api/server.ts";
import { openBrowser, signInPage, watch } from "./browser.ts";

let demo: Demo;
let browser: Browser;
let page: Page;
let api: Client;
let problems: string[];
let kato: { id: string; name: string };
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const context = await browser.newContext({ viewport: { width: 1366, height: 800 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
  api = await signedIn(demo, 0);
  kato = (await api.get("/users?q=kato@kaku.example")).body.items[0];
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
const dialog = () => page.locator("dialog[open]");

test("after adding a project one is in it", async () => {
  await page.goto(demo.ready.url);
  await page.locator("button.primary", { hasText: "プロジェクトを追加" }).click();
  await dialog().getByLabel("名前", { exact: true }).fill("着地");
  await dialog().getByLabel("KEY").fill("LAND");
  await dialog().getByRole("button", { name: "追加", exact: true }).click();
  await page.waitForURL(/\/projects\/LAND\/gantt/);
  assert.equal(await dialog().count(), 0);
});

test("moving a project lists who loses and who gains, and keeps them", async () => {
  const from = (await api.post("/programs", { key: "UIA", name: "移動元" })).body;
  const to = (await api.post("/programs", { key: "UIB", name: "移動先" })).body;
  await api.request("PUT", `/programs/${from.id}/members/${kato.id}`, { role: "member" });
  const { id } = await addProject(api, "MOVE", { program: from.id });
  await page.goto(`${demo.ready.url}/projects/MOVE/settings`);
  await page.getByLabel("プログラム", { exact: true }).selectOption({ label: "移動先" });
  await dialog().getByText("権限を失う人（1人）").waitFor();
  await dialog().getByText(kato.name).waitFor();
  await dialog().getByRole("button", { name: "キャンセル" }).click();
  assert.equal((await api.get(`/projects/${id}`)).body.program, from.id, "asked, not moved");
  await page.getByLabel("プログラム", { exact: true }).selectOption({ label: "移動先" });
  await dialog().getByRole("button", { name: "直接のメンバーとして残して移動" }).click();
  await page.getByText("保存しました").first().waitFor();
  assert.equal((await api.get(`/projects/${id}`)).body.program, to.id);
  const members = (await api.get(`/projects/${id}/members`)).body.items;
  assert.ok(members.some((m: any) => m.user?.id === kato.id && !m.inherited));
  // three levels, one line
  await api.request("PUT", `/programs/${to.id}/members/${kato.id}`, { role: "viewer" });
  await page.reload();
  await page.locator("li", { hasText: kato.name }).filter({ hasText: "移動先" }).waitFor();
  assert.equal(await page.locator("li", { hasText: kato.name }).count(), 1);
});

test("on the Gantt, who is no member is offered as one, and assigned then", async () => {
  const { id } = await addProject(api, "PICK");
  await api.post(`/projects/${id}/tickets`, { subject: "割当", classification: "task" });
  await page.goto(`${demo.ready.url}/projects/PICK/gantt`);
  await page.locator(".cell.assignee").first().dblclick();
  const box = page.getByRole("combobox", { name: "担当者" });
  await box.fill(kato.name.slice(0, 2));
  await page.getByRole("option", { name: new RegExp(kato.name) }).getByText("メンバーではありません").click();
  await dialog().getByText("メンバーに追加してから設定します").waitFor();
  await dialog().getByRole("button", { name: "追加して設定" }).click();
  await page.locator(".cell.assignee", { hasText: kato.name }).waitFor();
  assert.ok((await api.get(`/projects/${id}/people?limit=200`)).body.items.some((p: any) => p.id === kato.id));
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  // and from the ticket's panel, who sees it already
  await page.goto(`${demo.ready.url}/tickets/PICK-1`);
  await page.getByRole("button", { name: `外す ${kato.name}` }).waitFor();
});

test("labels filter by several and by none, on the list, the Gantt and the programs", async () => {
  const { id } = await addProject(api, "LABEL");
  const [one, two] = [(await api.post("/labels", { kind: "free", name: "甲札", color: "red" })).body, (await api.post("/labels", { kind: "free", name: "乙札", color: "blue" })).body];
  for (const [subject, labels] of [["甲の件", [one.id]], ["乙の件", [two.id]], ["無印の件", []]] as const)
    await api.post(`/projects/${id}/tickets`, { subject, classification: "task", labels });
  const pick = async (name: string) => {
    await page.waitForTimeout(350); // the button takes no press right after its menu closed
    await page.getByRole("button", { name: /^ラベル: / }).click();
    await page.getByRole("menu").getByText(name, { exact: true }).click();
  };
  await page.goto(`${demo.ready.url}/projects/LABEL/tickets`);
  await page.getByRole("link", { name: "無印の件" }).waitFor();
  const chip = await page.locator(".labels .tag", { hasText: "甲札" }).boundingBox();
  assert.ok(chip && chip.width >= 30, `a chip is read at 1366 px: ${chip?.width}`);
  await pick("甲札");
  await page.getByText("乙の件").waitFor({ state: "detached" });
  await pick("乙札");
  await page.getByRole("link", { name: "乙の件" }).waitFor();
  assert.equal(await page.getByText("無印の件").count(), 0);
  await pick("ラベルなし");
  await page.getByRole("link", { name: "無印の件" }).waitFor();
  await page.getByText("甲の件").waitFor({ state: "detached" });
  await page.getByLabel("ラベルでまとめる").check();
  await page.locator(".groups").getByText("ラベルなし").waitFor();
  await page.goto(`${demo.ready.url}/projects/LABEL/gantt`);
  await page.locator(".cell.name", { hasText: "無印の件" }).waitFor();
  await pick("甲札");
  await page.locator(".cell.name", { hasText: "無印の件" }).waitFor({ state: "detached" });
  assert.equal(await page.locator(".cell.name", { hasText: "甲の件" }).count(), 1);
  const project = (await api.get(`/projects/${id}`)).body;
  await api.patch(`/projects/${id}`, { labels: [two.id] }, project.version);
  await page.goto(`${demo.ready.url}/?label=${two.id}`);
  await page.locator("tr", { hasText: "LABEL" }).getByText("乙札").waitFor();
  assert.equal(await page.locator("tr", { hasText: "ERP" }).count(), 0);
  assert.deepEqual(problems, []);
});
