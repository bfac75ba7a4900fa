// SPDX-License-Identifier: Apache-2.0
// Pictures in details and comments as a person puts them there: pasted,
// dropped, chosen; and what becomes of one that cannot be sent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Locator, Page } from "playwright-core";
import { addProject, type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let page: Page;
let admin: Client;
let problems: string[];
let ticket: any;
let other: any;
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  admin = await signedIn(demo, 0);
  const project = await addProject(admin, "PIC");
  ticket = (await admin.post(`/projects/${project.id}/tickets`, { classification: "task", subject: "画面の確認", details: "はじめの文" })).body;
  other = (await admin.post(`/projects/${project.id}/tickets`, { classification: "task", subject: "別の件" })).body;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/tickets/${ticket.key}`);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

/** And nothing hidden makes the frame itself scroll. */
async function look(name: string) {
  await lookAt(page, name);
  assert.ok(await page.evaluate("document.scrollingElement.scrollHeight <= innerHeight"), `${name}: the frame itself scrolls`);
}
const files = async (t = ticket) => (await admin.get(`/tickets/${t.id}/files`)).body.items as any[];

/** A picture as the clipboard or the mouse brings it, drawn by the browser itself. */
const carried = (names: string[], type = "image/png", text = "") =>
  page.evaluateHandle(
    async ({ names, type, text }) => {
      const canvas = document.createElement("canvas");
      canvas.width = 640;
      canvas.height = 240;
      const g = canvas.getContext("2d")!;
      for (let i = 0; i < 8; i++) {
        g.fillStyle = `hsl(${i * 40} 60% 60%)`;
        g.fillRect(i * 80, 0, 80, 240);
      }
      const blob = await new Promise<Blob>((done) => canvas.toBlob((b) => done(b!), type));
      const carrier = new DataTransfer();
      for (const name of names) carrier.items.add(new File([blob], name, { type }));
      if (text) carrier.setData("text/plain", text);
      return carrier;
    },
    { names, type, text },
  );
async function paste(area: Locator, names: string[], type?: string, text?: string) {
  const carrier = await carried(names, type, text);
  const event = await page.evaluateHandle((clipboardData) => new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }), carrier);
  await area.evaluate((el, e) => el.dispatchEvent(e as Event), event);
}
const details = () => page.getByRole("textbox", { name: "詳細" });
const comment = () => page.getByRole("textbox", { name: "コメントする" });
const shownWidth = (img: Locator) => img.evaluate((el: HTMLImageElement) => el.decode().then(() => el.naturalWidth));

test("a picture pasted into the details stands where the caret was, and is shown", async () => {
  await page.getByRole("button", { name: "編集" }).first().click();
  await details().fill("前の文\n後の文");
  await details().evaluate((el: HTMLTextAreaElement) => el.setSelectionRange(3, 3));
  await paste(details(), ["image.png"]);
  await page.waitForFunction(() => /file:\d+/.test(document.querySelector<HTMLTextAreaElement>('textarea[rows="8"]')!.value));
  const [file] = await files();
  assert.match(file.name, /^画像-\d{8}-\d{6}\.png$/);
  assert.equal(await details().inputValue(), `前の文\n![${file.name}](file:${file.id})\n後の文`);
  // the caret is behind it, in the text that was typed before
  await details().pressSequentially("、続き");
  assert.equal(await details().inputValue(), `前の文\n![${file.name}](file:${file.id})、続き\n後の文`);
  await look("picture-write");
  await page.getByRole("tab", { name: "プレビュー" }).click();
  assert.equal(await shownWidth(page.getByRole("img", { name: file.name })), 640);
  await page.getByRole("button", { name: "保存", exact: true }).click();
  await page.getByRole("tab", { name: "プレビュー" }).waitFor({ state: "detached" });
  assert.equal(await shownWidth(page.getByRole("img", { name: file.name })), 640);
  await page.getByRole("button", { name: `ダウンロード: ${file.name}` }).waitFor();
  await look("picture-details");
});

test("dropped and chosen ones go into a comment, several at once, each with its name", async () => {
  await comment().fill("二枚: ");
  await comment().dispatchEvent("drop", { dataTransfer: await carried(["左 [1].png", "右.webp"], "image/webp") });
  await page.getByRole("list", { name: "送信中のファイル" }).getByRole("alert").getByText("（.png）の形式ではありません").waitFor();
  await page.waitForFunction(() => /右\.webp\]\(file:\d+/.test(document.querySelector<HTMLTextAreaElement>('textarea[rows="2"]')!.value));
  const webp = (await files()).find((f) => f.name === "右.webp");
  // the refused one left no mark, and nothing typed is lost
  assert.equal(await comment().inputValue(), `二枚: \n![右.webp](file:${webp.id})`);
  await page.getByRole("button", { name: "閉じる: 左 [1].png" }).click();
  const choose = page.locator("form").getByLabel("画像を挿入");
  await choose.focus();
  await choose.setInputFiles([{ name: "印.gif", mimeType: "image/gif", buffer: Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64") }]);
  await page.waitForFunction(() => /印\.gif\]\(file:\d+/.test(document.querySelector<HTMLTextAreaElement>('textarea[rows="2"]')!.value));
  await comment().press("Control+Enter");
  const said = page.locator("article article").filter({ hasText: "二枚" });
  assert.equal(await shownWidth(said.getByRole("img", { name: "右.webp" })), 640);
  assert.equal(await shownWidth(said.getByRole("img", { name: "印.gif" })), 1);
  await look("picture-comment");
});

test("text beside a picture in the clipboard is pasted as text", async () => {
  const before = (await files()).length;
  await comment().fill("");
  await paste(comment(), ["image.png"], "image/png", "A\tB");
  assert.equal(await page.getByRole("list", { name: "送信中のファイル" }).count(), 0);
  assert.equal((await files()).length, before);
  // but a copied file that brings its name along is meant itself
  await paste(comment(), ["名つき.png"], "image/png", "名つき.png");
  await page.waitForFunction(() => /^!\[名つき\.png\]\(file:\d+\)$/.test(document.querySelector<HTMLTextAreaElement>('textarea[rows="2"]')!.value));
});

test("while one goes up the figure grows and the text can go on; cancelling takes its mark away", async () => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 });
  const before = (await files()).length;
  await comment().fill("重い: ");
  const big = Buffer.concat([Buffer.from("GIF89a"), Buffer.alloc(6 << 20, 7)]);
  const form = page.locator("form");
  await form.getByLabel("画像を挿入").setInputFiles([{ name: "大.gif", mimeType: "image/gif", buffer: big }, { name: "次.gif", mimeType: "image/gif", buffer: big }]);
  const list = form.getByRole("list", { name: "送信中のファイル" });
  await list.getByText(/^[1-9]\d?%$/).waitFor();
  await list.getByText("待機中").waitFor();
  assert.ok(await form.getByRole("button", { name: "コメントする" }).isDisabled());
  await comment().press("End");
  await comment().pressSequentially("続き");
  await list.scrollIntoViewIfNeeded();
  await look("picture-sending");
  await page.setViewportSize({ width: 390, height: 800 });
  await list.scrollIntoViewIfNeeded();
  await look("picture-sending-390");
  await page.setViewportSize({ width: 1280, height: 900 });
  await list.getByRole("button", { name: "キャンセル: 次.gif" }).click();
  await list.getByRole("button", { name: "キャンセル: 大.gif" }).press("Enter");
  await list.waitFor({ state: "detached" });
  await page.waitForFunction(() => !document.querySelector<HTMLTextAreaElement>('textarea[rows="2"]')!.value.includes("uploading"));
  assert.equal(await comment().inputValue(), "重い: \n続き");
  assert.equal((await files()).length, before);
  await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
});

test("without a line the reason is said and the words stay", async () => {
  await page.route("**/files?name=*", (route) => route.abort());
  await comment().fill("切れる ");
  await paste(comment(), ["線.png"]);
  await page.getByRole("alert").getByText("接続が切れたため添付できませんでした").waitFor();
  assert.equal(await comment().inputValue(), "切れる ");
  await look("picture-failed");
  await page.unroute("**/files?name=*");
  await page.getByRole("button", { name: "閉じる: 線.png" }).click();
  await comment().fill("");
});

test("a number of another ticket, of nothing, or of no picture shows the name alone", async () => {
  const own = (await files())[0];
  const text = (await admin.post(`/tickets/${ticket.id}/files?name=a.txt`, new TextEncoder().encode("x"))).body;
  const now = (await admin.get(`/tickets/${other.id}`)).body;
  await admin.patch(`/tickets/${other.id}`, { details: `![よその図](file:${own.id}) ![無い図](file:99999) ![文書](file:${text.id})` }, now.version);
  await page.goto(`${demo.ready.url}/tickets/${other.key}`);
  for (const name of ["よその図", "無い図", "文書"]) await page.locator(".markdown .none", { hasText: name }).waitFor();
  assert.equal(await page.locator(".markdown img").count(), 0);
  await look("picture-none");
});

test("pictures of a new ticket wait for it, and stand in its details then", async () => {
  await page.goto(`${demo.ready.url}/projects/PIC/tickets`);
  await page.getByRole("button", { name: "チケットを追加" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("画像は、チケットを作成した後に送信します").waitFor();
  await dialog.getByRole("textbox", { name: "件名" }).fill("図つきの件");
  const area = dialog.getByRole("textbox", { name: "詳細" });
  await area.fill("図: ");
  await paste(area, ["一.png"]);
  await paste(area, ["二.png"]);
  await dialog.getByText("待機中").nth(1).waitFor();
  await look("picture-new");
  await dialog.getByRole("button", { name: "キャンセル: 一.png" }).click();
  await page.waitForFunction(() => !document.querySelector<HTMLTextAreaElement>("dialog textarea")!.value.includes("一.png"));
  await area.press("Control+Enter");
  await dialog.waitFor({ state: "detached" });
  let made: any;
  do made = (await admin.get("/tickets/PIC-3")).body;
  while (!/file:/.test(made.details ?? ""));
  const [file, ...rest] = await files(made);
  assert.equal(rest.length, 0);
  assert.equal(made.details, `図: \n![二.png](file:${file.id})`);
});

test("a file dropped beside a text does not take the page away", async () => {
  const transfer = await carried(["脇.png"]);
  const stopped = await page.evaluate((dataTransfer) => ["dragover", "drop"].map((kind) => !document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }))), transfer);
  assert.deepEqual(stopped, [true, true]);
});

test("in English, narrow, dark", async () => {
  await page.goto(`${demo.ready.url}/tickets/${ticket.key}`);
  await page.getByRole("button", { name: "言語" }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.locator(".markdown img").first().waitFor();
  await page.getByRole("heading", { name: "Files" }).waitFor();
  await page.getByRole("button", { name: "Edit" }).first().click();
  await look("picture-en");
  const list = page.getByRole("group", { name: "Files" });
  await list.locator("input[type=file]").setInputFiles([{ name: "fake.png", mimeType: "image/png", buffer: Buffer.from("<html>") }, { name: "good.txt", mimeType: "text/plain", buffer: Buffer.from("x") }]);
  await list.getByRole("alert").getByText("The file is not what the end of its name (.png) says").waitFor();
  await list.getByRole("button", { name: "Download: good.txt" }).waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await list.scrollIntoViewIfNeeded();
  await look("picture-en-dark");
  await page.setViewportSize({ width: 390, height: 800 });
  await page.getByText("Attach files").scrollIntoViewIfNeeded();
  await look("picture-en-390-dark");
  assert.deepEqual(problems.filter((p) => !/ERR_FAILED|ERR_ABORTED/.test(p)), []);
});
