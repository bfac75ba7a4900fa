// SPDX-License-Identifier: Apache-2.0
// Notices of the service dashboard and incidents: shapes of replies, and the
// words for their states.
import { formatMoment } from "./format.ts";
import type { Key } from "./i18n.svelte";
import type { Lang } from "./model";

export const noticeKinds = ["change", "maintenance", "vulnerability", "incident", "recovery"] as const;
export type NoticeKind = (typeof noticeKinds)[number];
export const noticeStates = ["draft", "scheduled", "published", "withdrawn"] as const;
export type NoticeState = (typeof noticeStates)[number];
export const mailTos = ["nobody", "admins", "everybody"] as const;
export const severities = ["low", "medium", "high", "critical"] as const;
export const meansList = ["phone", "mail", "visit", "other"] as const;
export const kindKey = (k: NoticeKind): Key => `notice_${k}`;
export const isPlanned = (k: NoticeKind): k is "change" | "maintenance" => k === "change" || k === "maintenance";
/** What a notice is called: planned work that cannot wait is named so. */
export const kindOf = (n: Pick<Facts, "kind" | "is_emergency">): Key => (n.is_emergency && isPlanned(n.kind) ? `notice_emergency_${n.kind}` : kindKey(n.kind));
export const colorOf = (n: Pick<Facts, "kind" | "is_emergency">) => (n.is_emergency && isPlanned(n.kind) ? "red" : kindColor[n.kind]);
export const stateKey = (s: NoticeState): Key => `notice_state_${s}`;
export const kindColor: Record<NoticeKind, string> = { change: "blue", maintenance: "amber", vulnerability: "violet", incident: "red", recovery: "green" };
export const stateColor: Record<NoticeState, string> = { draft: "gray", scheduled: "blue", published: "green", withdrawn: "red" };
export const severityColor: Record<(typeof severities)[number], string> = { low: "gray", medium: "blue", high: "amber", critical: "red" };

interface Facts {
  id: string;
  kind: NoticeKind;
  state: NoticeState;
  title_ja: string;
  title_en: string;
  starts_at: string | null;
  ends_at: string | null;
  published_at: string | null;
  corrected_at: string | null;
  withdrawn_at: string | null;
  is_emergency: boolean;
  incident: string | null;
  follows: string | null;
}
interface Texts {
  body_ja: string;
  body_en: string;
  reason_ja: string | null;
  reason_en: string | null;
}
/** As the tenant's people see it. */
export interface Notice extends Facts {
  is_read: boolean;
  is_current: boolean;
}
export interface NoticeView extends Notice, Texts {
  contact_ja?: string;
  contact_en?: string;
  readers?: number;
  related: Notice[];
}
export interface NoticeNow {
  unread: number;
  banners: Notice[];
}
/** How long before it begins planned work is announced at least. */
export interface NoticePeriod {
  change_hours: number;
  maintenance_hours: number;
  version: number;
}
/** As its operator does. */
export interface ServiceNotice extends Facts, Partial<Texts> {
  is_for_all: boolean;
  mail_to: (typeof mailTos)[number];
  publish_at: string | null;
  written_by: string;
  published_by: string | null;
  tenants: number;
  owed: number;
  told: number;
  skipped: number;
  mails: number;
  /** Of its mails: not yet taken by the relay; given up. */
  waiting: number;
  failed: number;
  readers: number;
  version: number;
  direct_contacts?: DirectContact[];
}
export interface NoticeTarget {
  id: string; // the tenant's, for lists
  tenant: string;
  name: string;
  is_owed: boolean;
  told_at: string | null;
  skipped: "no" | "gone" | "closed";
  mails: number;
  waiting: number;
  failed: number;
  readers: number;
}
export interface Contact {
  id: string;
  name: string;
  role: string;
  email: string;
  phone: string;
  version: number;
}
export interface DirectContact {
  id: string;
  tenant: string;
  tenant_name: string;
  person: string;
  means: (typeof meansList)[number];
  at: string;
  answer: string;
  recorded_by: string;
  recorded_at: string;
}
export interface Incident {
  id: string;
  title: string;
  what: string;
  severity: (typeof severities)[number];
  detected_at: string;
  due_at: string | null;
  seconds_left: number | null;
  is_overdue: boolean;
  first_report_at: string | null;
  recovered_at: string | null;
  closed_at: string | null;
  cause: string | null;
  measure: string | null;
  /** Closed without tenants: why it concerns no customer. */
  nobody_reason: string | null;
  recorded_by: string;
  recorded_at: string;
  closed_by: string | null;
  tenant_count: number;
  unreported: number;
  /** Tenants whose deletion began before they were told. */
  gone: number;
  version: number;
  tenants?: { tenant: string; name: string; since: string; reported_at: string | null; gone_at: string | null }[];
  direct_contacts?: DirectContact[];
}

export const titleOf = (n: Pick<Facts, "title_ja" | "title_en">, lang: Lang) => (lang === "ja" ? n.title_ja : n.title_en);
export const bodyOf = (n: Partial<Texts>, lang: Lang) => (lang === "ja" ? n.body_ja : n.body_en) ?? "";
export const reasonOf = (n: Partial<Texts>, lang: Lang) => (lang === "ja" ? n.reason_ja : n.reason_en) ?? "";
/** "2026/11/22 (日) 22:00 – 2026/11/23 (月) 02:00"; "" when nothing is known. */
export function periodOf(n: Pick<Facts, "starts_at" | "ends_at">, lang: Lang) {
  if (!n.starts_at) return n.ends_at ? `– ${formatMoment(n.ends_at, lang)}` : "";
  const end = n.ends_at?.slice(0, 10) === n.starts_at.slice(0, 10) ? n.ends_at.slice(11, 16) : formatMoment(n.ends_at, lang);
  return `${formatMoment(n.starts_at, lang)} – ${end}`.trim();
}
/** 90000 -> "25:00", -60 -> "-0:01"; of seconds. */
export function countdown(seconds: number) {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  return `${seconds < 0 ? "-" : ""}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}
/** Hours (rounded up) that planned work said at this moment falls short of its
 * notice period; 0: said in time, or not planned.  starts_at: in Japan, with or
 * without its zone. */
export function shortBy(n: Pick<Facts, "kind" | "starts_at">, period: NoticePeriod, at: number) {
  if (!isPlanned(n.kind) || !n.starts_at) return 0;
  const lead = Date.parse(`${n.starts_at.slice(0, 16)}+09:00`) - at;
  return Math.max(0, Math.ceil(period[`${n.kind}_hours`] - lead / 3_600_000));
}
/** Whether it will have begun by then: said afterwards, whatever it is called. */
export const isBegunAt = (n: Pick<Facts, "kind" | "starts_at">, at: number) => isPlanned(n.kind) && n.starts_at !== null && Date.parse(`${n.starts_at.slice(0, 16)}+09:00`) <= at;
