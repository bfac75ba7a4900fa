// SPDX-License-Identifier: Apache-2.0
// A plan as Microsoft Project saves it as XML: namespaced, in its order of
// elements, empty elements, ISO durations, lag in tenths of a minute.

interface Task {
  uid: number;
  level: number;
  name: string;
  outline: string;
  start: string;
  finish: string;
  hours: number;
  percent?: number;
  isSummary?: boolean;
  isMilestone?: boolean;
  /** predecessor, type (0 FF, 1 FS, 2 SF, 3 SS), days of lag */
  links?: [number, number, number][];
}

const bit = (value: boolean | undefined) => (value ? 1 : 0);
const link = ([uid, type, days]: [number, number, number]) => `
      <PredecessorLink>
        <PredecessorUID>${uid}</PredecessorUID>
        <Type>${type}</Type>
        <CrossProject>0</CrossProject>
        <LinkLag>${days * 4800}</LinkLag>
        <LagFormat>7</LagFormat>
      </PredecessorLink>`;

const task = (one: Task) => `
    <Task>
      <UID>${one.uid}</UID>
      <ID>${one.uid}</ID>
      ${one.name ? `<Name>${one.name}</Name>` : ""}
      <Active>1</Active>
      <Manual>0</Manual>
      <Type>${one.isSummary ? 1 : 0}</Type>
      <IsNull>0</IsNull>
      <CreateDate>2026-11-20T10:11:00</CreateDate>
      <WBS>${one.outline}</WBS>
      <OutlineNumber>${one.outline}</OutlineNumber>
      <OutlineLevel>${one.level}</OutlineLevel>
      <Priority>500</Priority>
      <Start>${one.start}T08:00:00</Start>
      <Finish>${one.finish}T${one.isMilestone ? "08" : "17"}:00:00</Finish>
      <Duration>PT${one.hours}H0M0S</Duration>
      <ManualStart>${one.start}T08:00:00</ManualStart>
      <ManualFinish>${one.finish}T17:00:00</ManualFinish>
      <ManualDuration>PT${one.hours}H0M0S</ManualDuration>
      <DurationFormat>7</DurationFormat>
      <Work>PT${one.hours}H0M0S</Work>
      <ResumeValid>0</ResumeValid>
      <EffortDriven>0</EffortDriven>
      <Recurring>0</Recurring>
      <Estimated>0</Estimated>
      <Milestone>${bit(one.isMilestone)}</Milestone>
      <Summary>${bit(one.isSummary)}</Summary>
      <Critical>1</Critical>
      <IsSubproject>0</IsSubproject>
      <FreeSlack>0</FreeSlack>
      <TotalSlack>0</TotalSlack>
      <FixedCost>0</FixedCost>
      <FixedCostAccrual>3</FixedCostAccrual>
      <PercentComplete>${one.percent ?? 0}</PercentComplete>
      <PercentWorkComplete>${one.percent ?? 0}</PercentWorkComplete>
      <Cost>0</Cost>
      <CalendarUID>-1</CalendarUID>
      <ConstraintType>0</ConstraintType>
      <LevelAssignments>1</LevelAssignments>
      <HyperlinkAddress></HyperlinkAddress>
      <Notes/>${(one.links ?? []).map(link).join("")}
    </Task>`;

const weekDay = (type: number, isWorking: boolean) => `
        <WeekDay>
          <DayType>${type}</DayType>
          <DayWorking>${bit(isWorking)}</DayWorking>${
            isWorking
              ? `
          <WorkingTimes>
            <WorkingTime>
              <FromTime>08:00:00</FromTime>
              <ToTime>12:00:00</ToTime>
            </WorkingTime>
            <WorkingTime>
              <FromTime>13:00:00</FromTime>
              <ToTime>17:00:00</ToTime>
            </WorkingTime>
          </WorkingTimes>`
              : ""
          }
        </WeekDay>`;

const exception = (from: string, to: string, days: number, name: string) => `
        <Exception>
          <EnteredByOccurrences>0</EnteredByOccurrences>
          <TimePeriod>
            <FromDate>${from}T00:00:00</FromDate>
            <ToDate>${to}T23:59:00</ToDate>
          </TimePeriod>
          <Occurrences>${days}</Occurrences>
          <Name>${name}</Name>
          <Type>1</Type>
          <DayWorking>0</DayWorking>
        </Exception>`;

const resource = (uid: number, name: string, mail: string) => `
    <Resource>
      <UID>${uid}</UID>
      <ID>${uid}</ID>
      <Name>${name}</Name>
      <Type>1</Type>
      <IsNull>0</IsNull>
      <Initials>${name.slice(0, 1)}</Initials>
      ${mail ? `<EmailAddress>${mail}</EmailAddress>` : ""}
      <MaxUnits>1.00</MaxUnits>
      <CalendarUID>${uid + 2}</CalendarUID>
    </Resource>`;

const assignment = (uid: number, taskUid: number, resourceUid: number) => `
    <Assignment>
      <UID>${uid}</UID>
      <TaskUID>${taskUid}</TaskUID>
      <ResourceUID>${resourceUid}</ResourceUID>
      <PercentWorkComplete>0</PercentWorkComplete>
      <Units>1</Units>
      <Work>PT32H0M0S</Work>
      <TimephasedData>
        <Type>1</Type>
        <UID>${uid}</UID>
        <Start>2026-12-01T08:00:00</Start>
        <Finish>2026-12-02T08:00:00</Finish>
        <Unit>2</Unit>
        <Value>PT8H0M0S</Value>
      </TimephasedData>
    </Assignment>`;

const tasks: Task[] = [
  { uid: 0, level: 0, name: "基幹刷新", outline: "0", start: "2026-12-01", finish: "2027-02-26", hours: 400, isSummary: true },
  { uid: 1, level: 1, name: "要件定義", outline: "1", start: "2026-12-01", finish: "2026-12-11", hours: 72, isSummary: true },
  { uid: 2, level: 2, name: "現行調査", outline: "1.1", start: "2026-12-01", finish: "2026-12-04", hours: 32, percent: 50 },
  { uid: 3, level: 2, name: "要件書作成", outline: "1.2", start: "2026-12-07", finish: "2026-12-11", hours: 40, links: [[2, 1, 0]] },
  { uid: 4, level: 2, name: "要件承認", outline: "1.3", start: "2026-12-11", finish: "2026-12-11", hours: 0, isMilestone: true, links: [[3, 1, 0]] },
  { uid: 5, level: 1, name: "設計", outline: "2", start: "2026-12-17", finish: "2027-01-29", hours: 200, isSummary: true },
  { uid: 6, level: 2, name: "基本設計", outline: "2.1", start: "2026-12-17", finish: "2026-12-25", hours: 56, links: [[4, 1, 3]] },
  { uid: 7, level: 2, name: "詳細設計", outline: "2.2", start: "2027-01-12", finish: "2027-01-15", hours: 32, links: [[6, 3, 2]] },
  { uid: 8, level: 2, name: "画面設計", outline: "2.3", start: "2027-01-12", finish: "2027-01-15", hours: 32, links: [[6, 0, 1]] },
  { uid: 9, level: 2, name: "帳票設計", outline: "2.4", start: "2027-01-12", finish: "2027-01-15", hours: 32, links: [[6, 2, -1]] },
];

const constrained = task(tasks[7]!)
  .replace("<ConstraintType>0<", "<ConstraintType>4<")
  .replace("<LevelAssignments>", `<ConstraintDate>2027-01-12T08:00:00</ConstraintDate>\n      <LevelAssignments>`)
  .replace("<Cost>0<", "<Cost>120000<");

export const mspdi = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Project xmlns="http://schemas.microsoft.com/project">
  <SaveVersion>14</SaveVersion>
  <BuildNumber>16.0.17328.20000</BuildNumber>
  <Name>基幹刷新.xml</Name>
  <GUID>7D0A62AC-1A3C-EF11-8B8F-00155D0C2B01</GUID>
  <Title>基幹刷新</Title>
  <Author></Author>
  <CreationDate>2026-11-20T10:10:00</CreationDate>
  <LastSaved>2026-11-22T18:00:00</LastSaved>
  <ScheduleFromStart>1</ScheduleFromStart>
  <StartDate>2026-12-01T08:00:00</StartDate>
  <FinishDate>2027-02-26T17:00:00</FinishDate>
  <FYStartDate>1</FYStartDate>
  <CurrencySymbol>¥</CurrencySymbol>
  <CalendarUID>1</CalendarUID>
  <DefaultStartTime>08:00:00</DefaultStartTime>
  <DefaultFinishTime>17:00:00</DefaultFinishTime>
  <MinutesPerDay>480</MinutesPerDay>
  <MinutesPerWeek>2400</MinutesPerWeek>
  <DaysPerMonth>20</DaysPerMonth>
  <OutlineCodes/>
  <WBSMasks/>
  <ExtendedAttributes/>
  <Calendars>
    <Calendar>
      <UID>1</UID>
      <GUID>7E0A62AC-1A3C-EF11-8B8F-00155D0C2B01</GUID>
      <Name>標準</Name>
      <IsBaseCalendar>1</IsBaseCalendar>
      <IsBaselineCalendar>0</IsBaselineCalendar>
      <BaseCalendarUID>-1</BaseCalendarUID>
      <WeekDays>${[1, 2, 3, 4, 5, 6, 7].map((day) => weekDay(day, day > 1 && day < 7)).join("")}
      </WeekDays>
      <Exceptions>${exception("2026-12-29", "2026-12-30", 2, "年末休業")}${exception("2027-01-04", "2027-01-04", 1, "年始休業")}
      </Exceptions>
    </Calendar>
    <Calendar>
      <UID>3</UID>
      <Name>伊藤 大輔</Name>
      <IsBaseCalendar>0</IsBaseCalendar>
      <BaseCalendarUID>1</BaseCalendarUID>
    </Calendar>
  </Calendars>
  <Tasks>${tasks.map((one, i) => (i === 7 ? constrained : task(one))).join("")}
  </Tasks>
  <Resources>${resource(1, "伊藤 大輔", "ito@kaku.example")}${resource(2, "外部 花子", "")}
  </Resources>
  <Assignments>${assignment(1, 2, 1)}${assignment(2, 3, 2)}${assignment(3, 6, -65535)}
  </Assignments>
</Project>
`;
