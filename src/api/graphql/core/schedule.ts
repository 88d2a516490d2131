/** Schedules: when pipelines are run by themselves. */
import {Field, Int, ObjectType} from 'type-graphql';
import type {CatchUp, DatasetRule, ScheduleView} from '../../../schedules/schedule.ts';
import {CatchUpEnum, TriggerModeEnum} from './enums.ts';
import {RunError, runError} from './pipeline.ts';
import {DateTimeScalar} from './scalars.ts';

@ObjectType({description: 'When a pipeline is run by itself: at times, and for new snapshots. Each time, and each set of new snapshots, starts one run.'})
export class Schedule {
  constructor(readonly view: ScheduleView) {}

  @Field(() => String, {nullable: true, description: 'Minute, hour, day of the month, month, day of the week; null: it follows no clock.'}) get cron(): string | null {
    return this.view.rule.schedule?.cron ?? null;
  }

  @Field(() => String, {description: "The time zone of `cron`, by IANA's name."}) get timeZone(): string {
    return this.view.rule.schedule?.timeZone ?? 'UTC';
  }

  @Field(() => CatchUpEnum) get catchUp(): CatchUp {
    return this.view.rule.schedule?.catchUp ?? 'last';
  }

  @Field(() => [String], {description: 'Datasets whose new snapshots it is run for.'}) get datasets(): readonly string[] {
    return this.view.rule.when?.datasets ?? [];
  }

  @Field(() => TriggerModeEnum, {description: 'Of `datasets`.'}) get mode(): NonNullable<DatasetRule['mode']> {
    return this.view.rule.when?.mode ?? 'all';
  }

  @Field(() => DateTimeScalar, {nullable: true, description: 'The next time of `cron`; null while paused.'}) get nextAt(): Date | null {
    return this.view.paused ? null : this.view.nextAt;
  }

  @Field(() => DateTimeScalar, {nullable: true, description: 'The time its last run was made for.'}) get lastAt(): Date | null {
    return this.view.lastAt;
  }

  @Field(() => Boolean) get paused(): boolean {
    return this.view.paused;
  }

  @Field(() => String, {nullable: true, description: 'What must come first, in words; null: its next time alone.'}) get waitingFor(): string | null {
    return this.view.waitingFor;
  }

  @Field(() => Int, {description: 'Times that passed without a run, by the rule of `catchUp` or because no run could be made.'}) get skipped(): number {
    return this.view.skipped;
  }

  @Field(() => RunError, {nullable: true, description: 'Why its last time made no run.'}) get error(): RunError | null {
    return runError(this.view.error);
  }
}
