import {Arg, Ctx, Field, FieldResolver, Float, ID, Int, Mutation, ObjectType, Query, Resolver, Root, UseMiddleware} from 'type-graphql';
import type {DeliveryState} from '../../../webhooks/webhook.ts';
import {pageSize} from './arguments.ts';
import type {CoreContext} from './context.ts';
import {DeliveryStateEnum} from './enums.ts';
import {NotFound, answerUnion, failuresAsAnswers} from './failures.ts';
import {CreateWebhookInput} from './inputs.ts';
import {Webhook, WebhookDelivery} from './webhook.ts';

@ObjectType()
export class WebhookCreated {
  @Field(() => Webhook) readonly webhook: Webhook;
  @Field(() => String, {description: 'What bodies are signed with. It is shown here, and never again.'}) readonly secret: string;

  constructor(webhook: Webhook, secret: string) {
    this.webhook = webhook;
    this.secret = secret;
  }
}

@ObjectType()
export class WebhookSecretRotated {
  @Field(() => Webhook) readonly webhook: Webhook;
  @Field(() => String, {description: 'What bodies are signed with from now on. It is shown here, and never again.'}) readonly secret: string;

  constructor(webhook: Webhook, secret: string) {
    this.webhook = webhook;
    this.secret = secret;
  }
}

@ObjectType()
export class WebhookDeleted {
  @Field(() => ID) readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

@ObjectType()
export class DeliveryQueued {
  @Field(() => WebhookDelivery) readonly delivery: WebhookDelivery;

  constructor(delivery: WebhookDelivery) {
    this.delivery = delivery;
  }
}

const CreateWebhookResult = answerUnion('CreateWebhookResult', [WebhookCreated]);
const RotateWebhookSecretResult = answerUnion('RotateWebhookSecretResult', [WebhookSecretRotated, NotFound]);
const DeleteWebhookResult = answerUnion('DeleteWebhookResult', [WebhookDeleted, NotFound]);
const ResendDeliveryResult = answerUnion('ResendDeliveryResult', [DeliveryQueued, NotFound]);

@Resolver()
export class WebhookResolver {
  @Query(() => [Webhook], {description: 'Oldest first.'})
  async webhooks(@Ctx() {services, viewer}: CoreContext): Promise<Webhook[]> {
    return (await services.webhooks.list(viewer)).map(record => new Webhook(record));
  }

  @Mutation(() => CreateWebhookResult, {description: 'From now on, events are sent there until they are accepted.'})
  @UseMiddleware(failuresAsAnswers)
  async createWebhook(@Arg('input', () => CreateWebhookInput) input: CreateWebhookInput, @Ctx() {services, viewer}: CoreContext): Promise<typeof CreateWebhookResult> {
    const {webhook, secret} = await services.webhooks.create(viewer, {...input, secret: input.secret ?? undefined});
    return new WebhookCreated(new Webhook(webhook), secret);
  }

  @Mutation(() => RotateWebhookSecretResult, {description: 'Gives it another secret. For some hours bodies are signed by both, so that the receiver can change to it in its own time.'})
  @UseMiddleware(failuresAsAnswers)
  async rotateWebhookSecret(
    @Arg('id', () => ID) id: string,
    @Ctx() {services, viewer}: CoreContext,
    @Arg('formerHours', () => Float, {defaultValue: 24, description: 'How long bodies are signed by the secret before as well; 0: it is known to others.'}) formerHours: number,
    @Arg('secret', () => String, {nullable: true, description: 'whsec_ and 24 to 64 bytes in base64; default: a new one.'}) given?: string,
  ): Promise<typeof RotateWebhookSecretResult> {
    const {webhook, secret} = await services.webhooks.rotateSecret(viewer, id, {secret: given ?? undefined, formerHours});
    return new WebhookSecretRotated(new Webhook(webhook), secret);
  }

  @Mutation(() => DeleteWebhookResult, {description: 'Its deliveries go with it, also those that are not sent yet.'})
  @UseMiddleware(failuresAsAnswers)
  async deleteWebhook(@Arg('id', () => ID) id: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof DeleteWebhookResult> {
    await services.webhooks.remove(viewer, id);
    return new WebhookDeleted(id);
  }

  @Mutation(() => ResendDeliveryResult, {description: 'Sends a delivery again, at once, whatever became of it.'})
  @UseMiddleware(failuresAsAnswers)
  async resendDelivery(@Arg('id', () => ID) id: string, @Ctx() {services, viewer}: CoreContext): Promise<typeof ResendDeliveryResult> {
    return new DeliveryQueued(new WebhookDelivery(await services.webhooks.resend(viewer, id)));
  }
}

@Resolver(() => Webhook)
export class WebhookRelations {
  @FieldResolver(() => [WebhookDelivery], {description: 'Newest first.'})
  async deliveries(
    @Root() {id}: Webhook,
    @Ctx() {services, viewer}: CoreContext,
    @Arg('first', () => Int, {defaultValue: 20}) first: number,
    @Arg('state', () => DeliveryStateEnum, {nullable: true}) state?: DeliveryState,
  ): Promise<WebhookDelivery[]> {
    return (await services.webhooks.deliveries(viewer, id, {state: state ?? undefined, limit: pageSize(first)})).map(record => new WebhookDelivery(record));
  }
}
