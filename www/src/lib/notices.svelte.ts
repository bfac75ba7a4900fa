// SPDX-License-Identifier: Apache-2.0
// What the frame knows of the operator's notices: banners of the moment and
// how many one has not read.
import { get } from "./api";
import type { NoticeNow } from "./notice";

export const notices = $state<NoticeNow>({ unread: 0, banners: [] });

export async function loadNotices() {
  Object.assign(notices, await get<NoticeNow>("/notices/now"));
}
