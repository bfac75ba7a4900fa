// SPDX-License-Identifier: Apache-2.0
/** An audit report as it was released to a tenant. */
export interface AuditReport {
  id: string;
  title: string;
  issued_on: string;
  file: string;
  size: number;
  sha256: string;
  released_at: string | null;
}
/** The same in the console. */
export interface AuditFiled extends AuditReport {
  filed_by: string;
  filed_at: string;
  version: number;
  releases: { tenant: string; tenant_name: string; released_by: string; released_at: string; downloads: number; downloaded_at: string | null }[];
}
