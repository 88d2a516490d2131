import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {time} from '../units.ts';

interface Schedule {
  readonly cron: string | null;
  readonly timeZone: string;
  readonly catchUp: string;
  readonly datasets: readonly string[];
  readonly mode: string;
  readonly nextAt: string | null;
  readonly lastAt: string | null;
  readonly lastRun: {readonly id: string; readonly status: string} | null;
  readonly paused: boolean;
  readonly waitingFor: string | null;
  readonly skipped: number;
  readonly error: {readonly code: string; readonly message: string} | null;
}

const scheduleFields = 'cron timeZone catchUp datasets mode nextAt lastAt lastRun { id status } paused waitingFor skipped error { code message }';

export const document = `query Schedules { pipelines { name schedule { ${scheduleFields} } } }`;
export const pauseDocument = `mutation PauseSchedule($pipeline: String!) { answer: pauseSchedule(pipeline: $pipeline) { ${failureFields} ... on ScheduleChanged { schedule { ${scheduleFields} } } } }`;
export const resumeDocument = `mutation ResumeSchedule($pipeline: String!) { answer: resumeSchedule(pipeline: $pipeline) { ${failureFields} ... on ScheduleChanged { schedule { ${scheduleFields} } } } }`;

export const schedulesCommand: CliCommand = {
  name: 'schedules',
  summary: 'list when pipelines are run by themselves; pause and resume',
  examples: ['millrace schedules', 'millrace schedules pause flights_daily'],
  async run({out, graph}) {
    const {pipelines} = await ask<{pipelines: readonly {name: string; schedule: Schedule | null}[]}>(await graph(), document);
    const rows = pipelines.flatMap(({name, schedule}) => (schedule ? [{pipeline: name, ...schedule}] : []));
    out.rows(rows, [
      {title: 'PIPELINE', value: ({pipeline}) => pipeline},
      {title: 'RUNS', value: whenOf},
      {title: 'NEXT', value: ({paused, nextAt}) => (paused ? 'paused' : nextAt === null ? '' : time(nextAt))},
      {title: 'LAST', value: ({lastAt}) => (lastAt === null ? '' : time(lastAt))},
      {title: 'LAST RUN', value: ({lastRun}) => lastRun?.status.toLowerCase()},
      {title: 'SKIPPED', value: ({skipped}) => skipped},
      {title: '', value: ({paused, waitingFor, error}) => error?.code ?? (paused || waitingFor === null ? '' : `waits for ${waitingFor}`)},
    ], 'No pipeline has a schedule. Give a definition a `schedule` or a `when`.');
  },
  commands: [
    {
      name: 'pause',
      args: '<pipeline>',
      summary: 'make no more runs until it is resumed',
      async run({out, graph}, [pipeline]) {
        const {answer} = await ask<{answer: {schedule: Schedule}}>(await graph(), pauseDocument, {pipeline});
        if (out.json) out.document(answer.schedule);
        else out.write(`${pipeline} is paused.\n`);
      },
    },
    {
      name: 'resume',
      args: '<pipeline>',
      summary: 'go on; times that passed are not made up for',
      async run({out, graph}, [pipeline]) {
        const {answer: {schedule}} = await ask<{answer: {schedule: Schedule}}>(await graph(), resumeDocument, {pipeline});
        if (out.json) return out.document(schedule);
        out.write(`${pipeline} goes on${schedule.nextAt === null ? '' : ` at ${time(schedule.nextAt)}`}${schedule.waitingFor === null ? '' : `; it waits for ${schedule.waitingFor}`}.\n`);
      },
    },
  ],
};

/** `15 6 * * 1-5 (Europe/Berlin)`, `with flights and airports`. */
function whenOf({cron, timeZone, datasets, mode}: Schedule): string {
  const parts = [
    ...(cron === null ? [] : [`${cron} (${timeZone})`]),
    ...(datasets.length === 0 ? [] : [`with ${datasets.join(mode === 'ANY' ? ' or ' : ' and ')}`]),
  ];
  return parts.join(', ');
}
