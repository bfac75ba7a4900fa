// SPDX-License-Identifier: Apache-2.0
// Days are civil day numbers (since 1970-01-01) inside, "2026-11-22" outside.
export const DAY_MS = 86_400_000;

export function parseDay(text: string | null | undefined): number | null {
  if (!text) return null;
  return Math.round(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
}
export const isoDay = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
export const weekday = (day: number) => (((day + 4) % 7) + 7) % 7;

const weekNames = {
  ja: ["日", "月", "火", "水", "木", "金", "土"],
  en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
};
export const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
export const weekdayName = (n: number, lang: "ja" | "en") => weekNames[lang][n]!;

/** 2026/11/22 (日) or Sun 22 Nov 2026 */
export function formatDay(text: string | null | undefined, lang: "ja" | "en"): string {
  if (!text) return "";
  const [y, m, d] = text.split("-");
  const name = weekNames[lang][weekday(parseDay(text)!)];
  return lang === "ja" ? `${y}/${m}/${d} (${name})` : `${name} ${Number(d)} ${monthNames[Number(m) - 1]} ${y}`;
}

/** 11/22 or 22 Nov; with the year when it is not this one. */
export function shortDay(text: string | null | undefined, lang: "ja" | "en", thisYear: string): string {
  if (!text) return "";
  const [y, m, d] = text.split("-");
  const same = y === thisYear;
  return lang === "ja"
    ? `${same ? "" : `${y!.slice(2)}/`}${m}/${d}`
    : `${Number(d)} ${monthNames[Number(m) - 1]}${same ? "" : ` ${y!.slice(2)}`}`;
}

/** "2026-11-22T09:30:00+09:00" as Japan reads it. */
export function formatMoment(text: string | null | undefined, lang: "ja" | "en", seconds = false): string {
  if (!text) return "";
  return `${formatDay(text.slice(0, 10), lang)} ${text.slice(11, seconds ? 19 : 16)}`;
}

/** What a person types for a day: 2026-11-22, 2026/11/22, 11/22, 22, +3, 今日. */
export function typedDay(text: string, today: number, from: number | null): number | null | undefined {
  const s = text.normalize("NFKC").trim();
  if (!s) return null;
  if (/^(今日|today)$/i.test(s)) return today;
  if (/^[+-]\d{1,4}d?$/.test(s)) return (from ?? today) + parseInt(s, 10);
  const parts = s.replace(/[年月.]/g, "/").replace(/[日]$/, "").split(/[/-]/).map(Number);
  if (parts.some((n) => !Number.isInteger(n))) return undefined;
  const [y, m] = isoDay(from ?? today).split("-").map(Number);
  const full = parts.length === 3 ? parts : parts.length === 2 ? [y!, ...parts] : parts.length === 1 ? [y!, m!, ...parts] : [];
  if (full.length !== 3) return undefined;
  const date = new Date(Date.UTC(full[0]! < 100 ? 2000 + full[0]! : full[0]!, full[1]! - 1, full[2]!));
  return date.getUTCMonth() === full[1]! - 1 && date.getUTCDate() === full[2]! ? date.getTime() / DAY_MS : undefined;
}

export const hours = (minutes: number | null | undefined) =>
  minutes === null || minutes === undefined ? "" : String(Math.round(minutes / 6) / 10);
export function typedMinutes(text: string): number | null | undefined {
  const s = text.normalize("NFKC").trim().replace(/(h|時間)$/, "");
  if (!s) return null;
  const n = Number(s);
  return Number.isFinite(n) && n >= 0 ? Math.round(n * 60) : undefined;
}

/** Today in Japan, as "2026-11-22". */
/** "2026-11-22T09:30" in Japan. */
export const nowJst = () => new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 16);
export const todayJst = () => new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 10);

/** "3 minutes ago" in words of the language; the absolute moment goes in the title. */
export function relative(text: string, lang: "ja" | "en", now = Date.now()): string {
  const seconds = Math.round((Date.parse(text) - now) / 1000);
  const format = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  const past = Math.abs(seconds);
  if (past < 60) return format.format(0, "minute");
  if (past < 3600) return format.format(Math.trunc(seconds / 60), "minute");
  if (past < 86_400) return format.format(Math.trunc(seconds / 3600), "hour");
  if (past < 30 * 86_400) return format.format(Math.trunc(seconds / 86_400), "day");
  return formatDay(text.slice(0, 10), lang);
}

/** "12 KB", "3.4 MB". */
export const sizeText = (bytes: number) => (bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`);
