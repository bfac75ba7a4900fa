// SPDX-License-Identifier: Apache-2.0
import { operator } from "./words/operator.ja.ts";
import { tenant } from "./words/tenant.ja.ts";
import { work } from "./words/work.ja.ts";

export const ja = { ...work, ...tenant, ...operator };
export type Key = keyof typeof ja;
