// SPDX-License-Identifier: Apache-2.0
// Working days in the browser, for snapping and for showing lengths.  The
// schedule itself is only ever calculated by the server.
import { isoDay, parseDay, weekday } from "../lib/format.ts";

export interface PlanCalendar {
  weekdays: number;
  holidays: [string, string, string][];
  days: [string, boolean, string][];
}

export class Workdays {
  private readonly weekdays: number;
  private readonly free = new Map<number, { ja: string; en: string }>();
  private readonly exceptions = new Map<number, { works: boolean; name: string }>();

  constructor(calendar: PlanCalendar) {
    this.weekdays = calendar.weekdays;
    for (const [day, ja, en] of calendar.holidays) this.free.set(parseDay(day)!, { ja, en });
    for (const [day, works, name] of calendar.days) this.exceptions.set(parseDay(day)!, { works, name });
  }
  works(day: number): boolean {
    const exception = this.exceptions.get(day);
    if (exception) return exception.works;
    return ((this.weekdays >> weekday(day)) & 1) === 1 && !this.free.has(day);
  }
  name(day: number, lang: "ja" | "en"): string {
    return this.exceptions.get(day)?.name || this.free.get(day)?.[lang] || "";
  }
  next(day: number): number {
    for (let i = 0; i < 400 && !this.works(day); i++) day++;
    return day;
  }
  previous(day: number): number {
    for (let i = 0; i < 400 && !this.works(day); i++) day--;
    return day;
  }
  /** Working days from start to end, both inclusive. */
  count(start: number, end: number): number {
    let n = 0;
    for (let day = start; day <= end; day++) if (this.works(day)) n++;
    return n;
  }
  /** The end of a bar of n working days that starts here. */
  end(start: number, n: number): number {
    let day = this.next(start);
    for (let left = Math.max(1, n) - 1; left > 0; left--) day = this.next(day + 1);
    return day;
  }
}

export { isoDay, parseDay };
