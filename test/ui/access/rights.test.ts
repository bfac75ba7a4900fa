// SPDX-License-Identifier: Apache-2.0
// A move asks about the people it concerns; who does not see a project is made
// a member before being assigned; a new project is where one lands.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { addProject, type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

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
const shot = async (name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
};
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
  await pick("すべて");
  await page.getByLabel("ラベルでまとめる").check();
  const heads = page.locator("td.group");
  await page.waitForFunction(() => document.querySelectorAll("td.group").length === 3);
  assert.deepEqual((await heads.allTextContents()).map((text) => text.replace(/\s+/g, " ").trim()), ["乙札 1 件", "甲札 1 件", "ラベルなし 1 件"]);
  const order = await page.locator("main tbody tr").allTextContents();
  assert.ok(order.findIndex((x) => x.includes("甲札 ") && !x.includes("LABEL-")) < order.findIndex((x) => x.includes("甲の件")));
  await shot("tickets-by-label");
  await page.setViewportSize({ width: 390, height: 800 });
  await page.locator("li.group", { hasText: "ラベルなし" }).waitFor();
  assert.ok(await page.locator("main li", { hasText: "甲の件" }).getByText("LABEL-1").isVisible(), "a label leaves the second line where it is");
  await shot("tickets-by-label-390");
  await page.setViewportSize({ width: 1366, height: 800 });
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
  // the list under headings too, and what the search finds by a label
  await api.post("/programs", { key: "UIL", name: "札の枠", labels: [two.id] });
  await api.post("/programs", { key: "UIN", name: "無印の枠" });
  await page.goto(`${demo.ready.url}/`);
  await page.getByLabel("ラベルでまとめる").check();
  const head = page.locator("tr.group", { hasText: "乙札" });
  await head.waitFor();
  assert.match(await head.innerText(), /2 件/);
  assert.match(await page.locator("tr.group").last().innerText(), /ラベルなし/);
  const rows = await page.locator("main tbody tr").allTextContents();
  const at = rows.findIndex((x) => x.includes("乙札") && x.includes("2 件"));
  assert.ok(rows[at + 1]!.includes("札の枠") && rows[at + 2]!.includes("LABEL"), rows.slice(at, at + 3).join("|"));
  await shot("programs-by-label");
  await page.setViewportSize({ width: 390, height: 800 });
  await shot("programs-by-label-390");
  await page.setViewportSize({ width: 1366, height: 800 });
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /検索/ }).fill("label:乙札");
  await page.getByRole("option", { name: /札の枠/ }).waitFor();
  await page.getByRole("option", { name: /乙の件/ }).waitFor();
  await page.getByRole("option", { name: "案件 LABEL LABEL" }).click();
  await page.waitForURL(/\/projects\/LABEL\/gantt/);
  assert.deepEqual(problems, []);
});

test("moving a program asks whose rights are to stay", async () => {
  const top = (await api.post("/programs", { key: "UIT", name: "上の枠" })).body;
  const child = (await api.post("/programs", { key: "UIC", name: "下の枠", parent: top.id })).body;
  await addProject(api, "DEEP", { program: child.id });
  await api.request("PUT", `/programs/${top.id}/members/${kato.id}`, { role: "member" });
  const begin = async () => {
    await page.goto(`${demo.ready.url}/`);
    await page.locator("tr", { hasText: "下の枠" }).hover();
    await page.getByRole("button", { name: "編集 下の枠" }).click();
    await dialog().getByLabel("上位プログラム").selectOption({ index: 0 });
    await dialog().getByRole("button", { name: "保存" }).click();
    await page.getByText("権限を失う人（1人）").waitFor();
  };
  await begin();
  await page.locator("dialog[open]").last().locator("li", { hasText: kato.name }).waitFor();
  await shot("move-program");
  await page.locator("dialog[open]").last().getByRole("button", { name: "キャンセル" }).click();
  assert.equal((await api.get(`/programs/${child.id}`)).body.parent, top.id, "asked, not moved");
  await begin();
  await page.getByRole("button", { name: "直接のメンバーとして残して移動" }).click();
  await page.getByText("保存しました").first().waitFor();
  assert.equal((await api.get(`/programs/${child.id}`)).body.parent, null);
  const members = (await api.get(`/programs/${child.id}/members`)).body.items;
  assert.ok(members.some((m: any) => m.user?.id === kato.id && !m.inherited), "kept as a direct member");
  assert.deepEqual(problems, []);
});

test("whoever would lose rights is named before a grant, a group's member or a role's right is taken", async () => {
  const program = (await api.post("/programs", { key: "UIE", name: "効き目" })).body;
  await addProject(api, "EFA", { program: program.id });
  await addProject(api, "EFB", { program: program.id });
  const role = (await api.post("/roles", { ja: "効く役", rights: ["program_view", "project_view", "ticket_view", "comment"] })).body;
  const group = (await api.post("/groups", { name: "効く組" })).body;
  await api.post(`/groups/${group.id}/members`, { users: [kato.id] });
  await api.request("PUT", `/programs/${program.id}/groups/${group.id}`, { role: role.key });
  const line = page.locator("dialog[open] li", { hasText: kato.name });
  const holds = async () => (await api.get(`/users/${kato.id}/reach?limit=200`)).body.items.some((x: any) => x.key === "EFA");

  // out of the group
  await page.goto(`${demo.ready.url}/access?tab=groups`);
  await page.getByRole("button", { name: "効く組", exact: true }).click();
  await page.getByRole("button", { name: `外す ${kato.name}` }).click();
  await page.getByText("1人が、あわせて2件のプロジェクトで権限を失います").waitFor();
  assert.match(await line.last().innerText(), /2件が見えなくなります/);
  await shot("effect-group");
  await page.setViewportSize({ width: 390, height: 800 });
  await shot("effect-group-390");
  await page.setViewportSize({ width: 1366, height: 800 });
  await page.locator("dialog[open]").last().getByRole("button", { name: "キャンセル" }).click();
  assert.ok(await holds(), "asked, not done");

  // less rights in the role: said and then saved
  await page.goto(`${demo.ready.url}/access`);
  await page.getByRole("button", { name: "効く役", exact: true }).click();
  await dialog().getByLabel("コメント").uncheck();
  await dialog().getByRole("button", { name: "保存" }).click();
  assert.match(await line.innerText(), /2件でできることが減ります/);
  await shot("effect-role");
  await page.locator("dialog[open]").last().getByRole("button", { name: "保存" }).click();
  await page.getByText("保存しました").first().waitFor();
  assert.ok(!(await api.get("/roles")).body.items.find((r: any) => r.id === role.id).rights.includes("comment"));

  // on everything: a weaker role, and none
  await api.request("PUT", `/tenant/members/${kato.id}`, { role: "manager" });
  await page.goto(`${demo.ready.url}/access?tab=everywhere`);
  const select = page.getByLabel(`ロール ${kato.name}`);
  await select.selectOption({ label: "閲覧者" });
  await line.waitFor();
  await shot("effect-tenant");
  await page.locator("dialog[open]").getByRole("button", { name: "キャンセル" }).click();
  assert.equal(await select.inputValue(), "manager", "the list shows what is so");
  await page.getByRole("button", { name: `外す ${kato.name}` }).click();
  await line.waitFor();
  await page.locator("dialog[open]").getByRole("button", { name: "外す" }).click();
  await page.getByText("保存しました").first().waitFor();
  assert.ok(!(await api.get("/tenant/members")).body.items.some((m: any) => m.user?.id === kato.id));

  // the group itself
  await page.goto(`${demo.ready.url}/access?tab=groups`);
  await page.getByRole("button", { name: "その他の操作 効く組" }).click();
  await page.getByRole("menuitem", { name: "削除" }).click();
  await dialog().getByRole("button", { name: "削除", exact: true }).click();
  await line.waitFor();
  await shot("effect-delete-group");
  await dialog().getByRole("button", { name: "権限ごと削除" }).click();
  await page.getByText("保存しました").first().waitFor();
  assert.ok(!(await holds()));
  assert.deepEqual(problems, []);
});
