// SPDX-License-Identifier: Apache-2.0
// Shapes of replies.  What the binary prints (build/types.ts) comes from the
// request forms; replies with nested objects are written here.
export type Lang = "ja" | "en";
export type Priority = "urgent" | "high" | "medium" | "low";
export type Category = "todo" | "doing" | "done";
export type LinkKind = "FS" | "SS" | "FF" | "SF";
export const priorities: Priority[] = ["urgent", "high", "medium", "low"];
export const categories: Category[] = ["todo", "doing", "done"];
export const linkKinds: LinkKind[] = ["FS", "SS", "FF", "SF"];

export interface Person {
  id: string;
  name: string;
}
/** A tenant as its operator sees it. */
/** How a tenant stands, in one word; ended: after its last day, not deleted yet. */
export type Standing = "making" | "open" | "suspended" | "ending" | "ended" | "deleted";
export interface Customer {
  id: string;
  name: string;
  host: string | null;
  state: "making" | "open" | "deleted";
  standing: Standing;
  is_suspended?: boolean;
  end_on?: string | null;
  delete_on?: string | null;
  created_at: string;
  quota_bytes?: number; // 0: no limit
  quota_users?: number;
  users?: number;
  admins?: number;
  invited?: number;
  suspended?: number;
  projects?: number;
  tickets?: number;
  size_bytes?: number;
  used_bytes?: number;
  signed_in_at?: string | null;
  terms_no?: number;
  terms_at?: string | null;
}
/** Support access that is open now. */
export interface SupportOpen {
  id: string;
  operator: string;
  may_write: boolean;
  expires_at: string;
}
export interface Support extends Omit<SupportOpen, "expires_at"> {
  operator_id: string;
  reason: string;
  hours: number;
  state: "asked" | "granted" | "refused" | "ended";
  asked_at: string;
  decided_at: string | null;
  decided_by: string | null;
  expires_at: string | null;
  ended_at: string | null;
  ended_by: string | null;
  version: number;
}
export interface TermsState {
  terms: { no: number; ja: string; en: string; valid_from: string; is_material: boolean } | null;
  versions: { no: number; valid_from: string; is_material: boolean }[];
  is_whole_owed: boolean;
  is_own_owed: boolean;
  everyone: boolean;
  accepted_no: number;
  accepted_at: string | null;
}
export interface Consent {
  no: number;
  user: Person;
  for_tenant: boolean;
  at: string;
  ip: string;
}
/** As the operator writes them. */
export interface TermsVersion {
  id: string;
  no: number | null;
  ja?: string;
  en?: string;
  valid_from: string;
  is_material: boolean;
  published_at: string | null;
  published_by: string | null;
  version: number;
}
export interface Operator {
  id: string;
  name: string;
  email: string;
  lang: Lang;
  role: "operator" | "auditor";
  state: "invited" | "active" | "suspended" | "deleted";
  signed_in_at: string | null;
  version: number;
  mail_refused_at: string | null;
  mail_refused: string | null;
}
export interface Session {
  user: { id: string; name: string; email: string; lang: Lang; is_admin: boolean; rights: string[] };
  tenant: { id: string; name: string };
  expires_at: string;
  idle_minutes: number;
  is_demo: boolean;
  is_support: boolean;
  support?: SupportOpen[];
  terms_owed?: boolean;
  ending?: { end_on: string; delete_on: string; is_closed: boolean } | null;
  password_expired: boolean;
  password_expires_at: string | null;
}
export interface Project {
  id: string;
  key: string;
  name: string;
  program: string | null;
  approach: "waterfall" | "agile";
  manager: Person | null;
  start: string | null;
  end: string | null;
  state: string;
  version: number;
  rights: string[];
  tickets: number;
  done: number;
  late: number;
  progress: number;
  labels: string[];
}
export interface ProjectDetail extends Project {
  calendar_id: string | null;
  labels: string[];
  teams: string[];
  details: string;
  auto_dates: boolean;
  auto_parent: boolean;
  members: number;
  calendar: Calendar | null;
}
export interface Program {
  id: string;
  key: string;
  name: string;
  details: string;
  parent: string | null;
  manager: Person | null;
  start: string | null;
  end: string | null;
  state: string;
  version: number;
  rights: string[];
  labels: string[];
}
export interface Status {
  id: string;
  ja: string;
  en: string;
  color: string;
  category: Category;
  is_hidden: boolean;
}
export interface Classification {
  id: string;
  key: string;
  family: "wbs" | "management" | "agile";
  ja: string;
  en: string;
  color: string;
  is_hidden: boolean;
  version: number;
  statuses: Status[];
}
export interface Role {
  id: string;
  key: string;
  ja: string;
  en: string;
  rights: string[];
}
export interface RoleDetail extends Role {
  details: string;
  is_system: boolean;
  uses: number;
  version: number;
}
export interface GroupUse {
  program_id: string | null;
  project_id: string | null; // neither: the whole tenant
  place: string;
  role: string;
}
export interface Group {
  id: string;
  name: string;
  details: string;
  members: number;
  grants: number;
  version: number;
}
export interface Reason {
  via: "master" | "tenant" | "program" | "direct";
  program: Person | null;
  group: Person | null;
  role: { key: string; ja: string; en: string } | null;
}
export interface Reach {
  user?: { id: string; name: string; email: string; state: string };
  kind?: "program" | "project";
  id?: string;
  key?: string;
  name?: string;
  reasons: Reason[];
  rights: string[];
}
export type FieldType = "text" | "lines" | "integer" | "decimal" | "day" | "choice" | "choices" | "user" | "check" | "url";
export interface CustomField {
  id: string;
  classification: string;
  type: FieldType;
  ja: string;
  en: string;
  help: string;
  initial: string | null;
  is_required: boolean;
  is_hidden: boolean;
  column: number;
  choices: { id: string; ja: string; en: string; is_hidden: boolean }[];
}
export interface StandardField {
  classification: string;
  name: string;
  help: string;
  is_hidden: boolean;
}
export interface Label {
  id: string;
  kind: "project" | "phase" | "team" | "free";
  name: string;
  color: string;
  is_archived: boolean;
  version: number;
  tickets?: number;
  projects?: number;
  programs?: number;
}
export interface TeamName {
  id: string;
  name: string;
  color: string;
  is_archived: boolean;
}
export interface Team extends TeamName {
  version: number;
  tickets: number;
  projects: number;
  members: Person[];
}
export interface TicketItem {
  id: string;
  key: string;
  no: number;
  subject: string;
  classification: string;
  status: string;
  category: Category;
  priority: Priority;
  assignees: Person[];
  parent: string | null;
  planned_start: string | null;
  planned_end: string | null;
  progress: number;
  updated_at: string;
  version: number;
  labels: string[];
  project?: { id: string; key: string; name: string };
}
export interface TicketRef {
  id: string;
  key: string;
  subject: string;
  status?: string;
  progress?: number;
}
export interface TicketLink extends TicketRef {
  link: string;
  kind: LinkKind;
  lag: number;
}
export interface Ticket extends TicketItem {
  details: string;
  assignee: string | null;
  actual_start: string | null;
  actual_end: string | null;
  due: string | null;
  estimate: number | null;
  actual: number | null;
  manual: boolean;
  team: string | null;
  fields: { field: string; value: string; name?: string }[];
  reporter: Person | null;
  predecessors: TicketLink[];
  successors: TicketLink[];
  children: TicketRef[];
  path: TicketRef[];
  project: { id: string; key: string; name: string };
  rights: string[];
  created_at: string;
}
/** A deleted project or ticket. */
export interface BinItem {
  id: string;
  key: string;
  name: string;
  deleted_at: string;
  erased_at: string;
  tickets: number;
}
export interface Change {
  id: string;
  at: string;
  user: Person | null;
  cause: string;
  field: string;
  before: string | null;
  after: string | null;
}
export interface Comment {
  id: string;
  body: string;
  user: Person | null;
  created_at: string;
  updated_at: string;
  version: number;
}
export interface SearchHit {
  kind: "ticket" | "project" | "program";
  id: string;
  key: string;
  subject: string;
  project: { id: string; key: string; name: string } | null;
}
export interface CalendarDay {
  day: string;
  is_working: boolean;
  name?: string | null;
}
export interface Calendar {
  weekdays: number; // bit 0: Sunday
  holidays: boolean;
  days: CalendarDay[];
  version: number;
}
export interface NamedCalendar {
  id: string;
  name: string;
  is_default: boolean;
  projects: number;
  calendar: Calendar;
}
export interface Tenant {
  id: string;
  name: string;
  lang: Lang;
  first_weekday: number;
  fiscal_month: number;
  calendar: Calendar;
  version: number;
}
export interface Member {
  user: { id: string; name: string; email: string | null } | null; // or a group
  group: { id: string; name: string; members: number } | null;
  role: { id: string; key: string };
  inherited: { id: string | null; name: string | null } | null; // id null: not for one's eyes, or the tenant
}
/** Whose rights a move under another program changes. */
export interface Move {
  loses: { user: Person; rights: string[] }[];
  loses_total: number;
  gains: { user: Person; rights: string[] }[];
  gains_total: number;
}
/** What a change of grants would do: on how many projects, and how many of those are no longer seen. */
export interface Effect {
  loses: { user: Person; rights: string[]; projects: number; unseen: number }[];
  loses_total: number;
  gains: { user: Person; rights: string[]; projects: number; unseen: number }[];
  gains_total: number;
  projects_total: number;
}
export interface User {
  id: string;
  name: string;
  email: string;
  lang: Lang;
  state: "invited" | "active" | "suspended" | "deleted";
  is_admin: boolean;
  signed_in_at: string | null;
  version: number;
  mail_refused_at: string | null;
  mail_refused: string | null;
}
export interface PeopleReport {
  added: number;
  changed: number;
  deleted: number;
  kept: number;
  errors: { line: number; column: number; column_name: string; rule: string; message: string }[];
}
export interface Job {
  id: string;
  kind: "people_import" | "archive";
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  done: number;
  total: number;
  result: (PeopleReport & { message?: string }) | null;
  created_at: string;
  ended_at: string | null;
}
export interface Archive {
  id: string;
  user_name: string;
  made_at: string;
  expires_at: string;
  removed_at: string | null;
  bytes: number;
  sha256: string;
}
export interface Operation {
  id?: string;
  seq: number;
  at: string;
  user: Person | null;
  ip: string;
  request_id: string;
  action: string;
  kind: string;
  object_id: string | null;
  object_name: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  hash: string;
}
export interface BackupView {
  generations: string[];
  gone: string[];
  kept: { date: string; tenants: string[] }[];
  runs: { id: string; date: string; state: "asked" | "running" | "good" | "failed"; asked_by: string | null; asked_at: string; ended_at: string | null; tenants: number; total: number; bytes: number; reason: string | null }[];
  tenants: { id: string; name: string; date: string | null; at: string | null; bytes: number; rows: number; is_there: boolean; is_damaged: boolean; reason: string | null }[];
  drills: { at: string; date: string; tenant: string; us: number; rows: number; reason: string | null }[];
  checks: { id: string; date: string; state: "asked" | "running" | "good" | "failed"; asked_by: string | null; asked_at: string; ended_at: string | null; done: number; total: number; reason: string | null }[];
  copies: { place: "dir" | "s3"; name: string; tried_at: string | null; good_at: string | null; reason: string | null; generations: { date: string; files: number; bytes: number; at: string }[] }[];
}
export type TrustState = "holds" | "attention" | "not_applicable";
export interface TrustItem {
  no: number;
  clause: string;
  title: string;
  statement: string;
  state: TrustState;
  reason: string | null;
  reason_ja?: string | null;
  reason_en?: string | null;
  is_public: boolean;
  version: number;
  evidence: { holds: boolean; text: string; at: string }[];
  history: { at: string; state: TrustState }[];
}
export interface TrustPage {
  reader: "anyone" | "tenant" | "operator";
  version: string;
  at: string;
  operator: string | null;
  contact: string;
  items: TrustItem[];
  editions: { no: number; version: string; at: string; changed: string }[]; // newest first
}
export interface Access {
  id?: string;
  seq: number;
  at: string;
  user: { id: string; name: string } | null;
  ip: string;
  method: string;
  route: string;
  status: number;
  request_id: string;
  agent: string;
}
export interface ImportReport {
  dry: boolean;
  rows: number;
  added: number;
  changed: number;
  deleted: number;
  links: number;
  errors_total: number;
  errors: { line: number; column: number; column_name: string; rule: string; message: string }[];
  lost: { what: string; count: number; detail: string }[];
}
export interface Policy {
  profile: string;
  min: number;
  max: number;
  classes: number;
  symbols: string;
  expiry_days: number;
  history: number;
}
export interface Factors {
  items: { id: string; kind: "totp" | "passkey"; name: string; created_at: string; used_at: string | null }[];
  totp: boolean;
  passkey: boolean;
  profile: "whitepaper" | "modern";
  recovery_left: number;
}
export interface Token {
  id: string;
  name: string;
  write: boolean;
  is_limited: boolean;
  projects: { id: string; key: string; name: string }[];
  is_over: boolean;
  created_at: string;
  expires_at: string;
  used_at: string | null;
  used_ip: string;
}
export interface AccessReview {
  id: string;
  at: string;
  user: string;
  people: number;
  grants: number;
  note: string;
}
export interface AllowedAddress {
  id: string;
  cidr: string;
  note: string;
  created_at: string;
}
export interface FactorOwner {
  id: string;
  name: string;
  email: string;
  totp: number;
  passkeys: number;
}
export interface PasswordRules {
  profile: "whitepaper" | "modern";
  min: number;
  max: number;
  classes: number;
  days: number;
}
export interface Security {
  password: PasswordRules;
  floor: { whitepaper?: PasswordRules; modern: PasswordRules };
  totp: boolean;
  passkey: boolean;
  fresh_code: boolean;
  tokens: boolean;
  version: number;
}
