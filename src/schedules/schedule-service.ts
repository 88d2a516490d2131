import type {Catalog, Stores} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import type {Viewer} from '../core/viewer.ts';
import {waitingFor} from './due.ts';
import {timesOf} from './keep-schedule.ts';
import type {ScheduleRecord, ScheduleView, Schedules} from './schedule.ts';

const view = (schedule: ScheduleRecord): ScheduleView => ({...schedule, waitingFor: waitingFor(schedule)});

export class ScheduleService implements Schedules {
  constructor(private readonly catalog: Catalog) {}

  async ofPipelines(_viewer: Viewer, names: readonly string[]): Promise<Map<string, ScheduleView>> {
    const schedules = await this.catalog.read(stores => stores.schedules.ofPipelines(names));
    return new Map(schedules.map(schedule => [schedule.pipeline, view(schedule)]));
  }

  pause(_viewer: Viewer, pipeline: string): Promise<ScheduleView> {
    return this.change(pipeline, async (stores, {pipelineId}) => stores.schedules.note(pipelineId, {paused: true}));
  }

  resume(_viewer: Viewer, pipeline: string): Promise<ScheduleView> {
    return this.change(pipeline, async (stores, {pipelineId, rule: {schedule}, paused}) => {
      if (!paused) return;
      await stores.schedules.note(pipelineId, {paused: false, nextAt: schedule ? timesOf(schedule).next(await stores.schedules.now()) : null});
    });
  }

  private change(pipeline: string, work: (stores: Stores, schedule: ScheduleRecord) => Promise<void>): Promise<ScheduleView> {
    return this.catalog.transaction(async stores => {
      const [found] = await stores.schedules.ofPipelines([pipeline]);
      const schedule = found && (await stores.schedules.lock(found.pipelineId));
      if (!schedule) throw new MillraceError('SCHEDULE_NOT_FOUND', {pipeline});
      await work(stores, schedule);
      return view((await stores.schedules.lock(schedule.pipelineId))!);
    });
  }
}
