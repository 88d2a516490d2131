/** Webhooks and what was sent by them. Secrets are no fields. */
import {Field, ID, Int, ObjectType} from 'type-graphql';
import type {DeliveryRecord, DeliveryState, WebhookRecord, WebhookTopic} from '../../../webhooks/webhook.ts';
import {DeliveryStateEnum, WebhookTopicEnum} from './enums.ts';
import {DateTimeScalar, JsonScalar} from './scalars.ts';

@ObjectType({description: 'Where events are sent, signed by the convention of Standard Webhooks.'})
export class Webhook {
  @Field(() => ID) readonly id: string;
  @Field(() => String) readonly url: string;
  @Field(() => [WebhookTopicEnum], {name: 'on'}) readonly topics: readonly WebhookTopic[];
  @Field(() => [String], {description: 'Of these pipelines alone; empty: of all.'}) readonly pipelines: readonly string[];
  @Field(() => [String], {description: 'About these datasets alone; empty: about all.'}) readonly datasets: readonly string[];
  @Field(() => String) readonly createdBy: string;
  @Field(() => DateTimeScalar) readonly createdAt: Date;

  constructor({id, url, on, pipelines, datasets, createdBy, createdAt}: WebhookRecord) {
    this.id = id;
    this.url = url;
    this.topics = on;
    this.pipelines = pipelines;
    this.datasets = datasets;
    this.createdBy = createdBy;
    this.createdAt = createdAt;
  }
}

@ObjectType({description: 'One event for one webhook. It is sent at least once, each time with the same id.'})
export class WebhookDelivery {
  constructor(private readonly record: DeliveryRecord) {}

  @Field(() => ID, {description: 'The header webhook-id.'}) get id(): string {
    return this.record.id;
  }

  @Field(() => String, {description: '`run.failed`, `dataset.stale` or `dataset.quarantined`.'}) get type(): string {
    return this.record.type;
  }

  @Field(() => JsonScalar) get body(): unknown {
    return JSON.parse(this.record.body);
  }

  @Field(() => DeliveryStateEnum) get state(): DeliveryState {
    return this.record.state;
  }

  @Field(() => Int, {description: 'Tries so far.'}) get attempts(): number {
    return this.record.attempts;
  }

  @Field(() => Int, {nullable: true, description: "HTTP's, of the last try; null where there was no answer."}) get status(): number | null {
    return this.record.status;
  }

  @Field(() => String, {nullable: true, description: 'Why the last try failed.'}) get error(): string | null {
    return this.record.error;
  }

  @Field(() => DateTimeScalar) get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, {nullable: true, description: 'When it is sent again, while it is PENDING.'}) get nextAttemptAt(): Date | null {
    return this.record.state === 'pending' ? this.record.dueAt : null;
  }

  @Field(() => DateTimeScalar, {nullable: true}) get deliveredAt(): Date | null {
    return this.record.deliveredAt;
  }
}
