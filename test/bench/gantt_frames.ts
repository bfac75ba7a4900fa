// SPDX-License-Identifier: Apache-2.0
// 10,000 rows in a real browser: time from the click to the painted chart,
// frames a second while scrolling and while dragging, time to save one bar.
import { removeDir, signedIn, startDemo } from "../api/server.ts";
import { openBrowser, signInPage } from "../ui/browser.ts";

const row = (what: string, figure: string, goal = "") => console.log(`${what.padEnd(50)} ${"-".padStart(10)} ${figure.padStart(10)} ${"".padStart(8)}   ${goal}`);
const ROWS = Number(process.env.ROWS ?? 10_000);
const demo = await startDemo();
const admin = await signedIn(demo, 0);
const project = (await admin.post("/projects", { key: "BIG", name: "大規模計画", approach: "waterfall" })).body.id;
const lines = ["WBS番号,件名,予定開始日,予定終了日,進捗率,見積工数"];
for (let i = 0; i < ROWS; i++) {
  const phase = Math.floor(i / 100) + 1;
  const start = new Date(Date.UTC(2026, 0, 5 + (i % 700))).toISOString().slice(0, 10);
  const end = new Date(Date.UTC(2026, 0, 8 + (i % 700) + (i % 9))).toISOString().slice(0, 10);
  lines.push(i % 100 === 0 ? `${phase},フェーズ ${phase},,,,` : `${phase}.${i % 100},作業 ${i} の実施と確認,${start},${end},${i % 101},${8 + (i % 40)}`);
}
const begin = performance.now();
const report = await admin.post(`/projects/${project}/imports?format=csv`, new TextEncoder().encode(lines.join("\r\n")));
if (report.status !== 200) throw new Error(JSON.stringify(report.body));
row(`import of ${ROWS} rows of CSV`, `${Math.round(performance.now() - begin)} ms`);

const browser = await openBrowser();
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
await signInPage(page, demo.ready, 0);
await page.goto(`${demo.ready.url}/projects/BIG`);
const link = page.locator('nav a[href$="/projects/BIG/gantt"]');
await link.waitFor();
const paint = await link.evaluate(
  (a) =>
    new Promise<number>((resolve) => {
      const start = performance.now();
      (a as HTMLElement).click();
      const look = () => {
        const canvas = document.querySelector("canvas");
        const drawn = canvas && canvas.width > 300 && document.querySelectorAll(".line").length > 5;
        if (drawn) requestAnimationFrame(() => resolve(performance.now() - start));
        else requestAnimationFrame(look);
      };
      look();
    }),
);
row(`Gantt, ${ROWS} rows: click to chart`, `${Math.round(paint)} ms`, "1,000 ms");

const frames = (work: string) =>
  page.evaluate(
    ([how]) =>
      new Promise<{ fps: number; worst: number }>((resolve) => {
        const scroller = document.querySelector(".scroller")!;
        const times: number[] = [];
        const step = (now: number) => {
          times.push(now);
          if (how === "down") scroller.scrollTop += 60;
          else scroller.scrollLeft += 25;
          if (times.length < 181) return requestAnimationFrame(step);
          const gaps = times.slice(1).map((t, i) => t - times[i]!);
          resolve({ fps: (1000 * gaps.length) / (times.at(-1)! - times[0]!), worst: Math.max(...gaps) });
        };
        requestAnimationFrame(step);
      }),
    [work],
  );
for (const how of ["down", "right"]) {
  const { fps, worst } = await frames(how);
  row(`  scrolling ${how}, frames`, `${fps.toFixed(1)}/s`, "50/s");
  row("    the longest frame", `${worst.toFixed(0)} ms`);
}
await page.locator(".line .name").nth(5).dblclick();
await page.locator(".cell input").fill("変更した作業");
const saved = page.waitForResponse((r) => r.url().endsWith("/edits"));
const pressed = performance.now();
await page.keyboard.press("Enter");
const reply = await saved;
row("  one row saved", `${Math.round(performance.now() - pressed)} ms`);
row("    its reply", `${(await reply.body()).length} B`);
await browser.close();
await demo.stop();
removeDir(demo);
