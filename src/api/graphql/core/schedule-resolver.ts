import {Arg, Ctx, Field, Mutation, ObjectType, Resolver, UseMiddleware} from 'type-graphql';
import type {CoreContext} from './context.ts';
import {NotFound, answerUnion, failuresAsAnswers} from './failures.ts';
import {Schedule} from './schedule.ts';

@ObjectType()
export class ScheduleChanged {
  @Field(() => Schedule) readonly schedule: Schedule;

  constructor(schedule: Schedule) {
    this.schedule = schedule;
  }
}

const ScheduleResult = answerUnion('ScheduleResult', [ScheduleChanged, NotFound]);

@Resolver()
export class ScheduleResolver {
  @Mutation(() => ScheduleResult, {description: 'A pipeline is no longer run by itself, until it is resumed. Its runs go on.'})
  @UseMiddleware(failuresAsAnswers)
  async pauseSchedule(@Arg('pipeline', () => String) pipeline: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof ScheduleResult> {
    return new ScheduleChanged(new Schedule(await services.schedules.pause(viewer, pipeline)));
  }

  @Mutation(() => ScheduleResult, {description: 'Times that passed meanwhile are not made up for; snapshots that came meanwhile start a run.'})
  @UseMiddleware(failuresAsAnswers)
  async resumeSchedule(@Arg('pipeline', () => String) pipeline: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof ScheduleResult> {
    return new ScheduleChanged(new Schedule(await services.schedules.resume(viewer, pipeline)));
  }
}
