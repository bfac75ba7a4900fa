// SPDX-License-Identifier: Apache-2.0
import type { Key } from "./ja.ts";
import { operator } from "./words/operator.en.ts";
import { tenant } from "./words/tenant.en.ts";
import { work } from "./words/work.en.ts";

export const en: Record<Key, string> = { ...work, ...tenant, ...operator };
