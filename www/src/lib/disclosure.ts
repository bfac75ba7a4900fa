// SPDX-License-Identifier: Apache-2.0
/** What the law demanded, as the customer may know it. */
export interface Disclosure {
  id: string;
  authority: string;
  basis: string;
  what: string;
  asked_on: string;
  disclosed_on: string | null;
  told_at: string | null;
}
/** The same as the operator recorded it. */
export interface DisclosureRecord extends Disclosure {
  tenant: string;
  tenant_name: string;
  may_tell: boolean;
  recorded_by: string;
  recorded_at: string;
  version: number;
}
