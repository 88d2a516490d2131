import {Option} from 'commander';
import {MillraceError} from '../../core/errors.ts';
import {collect, wholeNumber} from '../command.ts';
import type {CliCommand} from '../command.ts';
import {ask, failureFields} from '../graph-client.ts';
import {time} from '../units.ts';

interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly on: readonly string[];
  readonly pipelines: readonly string[];
  readonly datasets: readonly string[];
}

interface Delivery {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly createdAt: string;
  readonly nextAttemptAt: string | null;
}

const webhookFields = 'id url on pipelines datasets createdBy createdAt';
const deliveryFields = 'id type state attempts status error createdAt nextAttemptAt deliveredAt body';
const topics = ['run_failed', 'freshness', 'quarantine'];

export const document = `query Webhooks { webhooks { ${webhookFields} waiting: deliveries(first: 100, state: PENDING) { id } dead: deliveries(first: 100, state: DEAD) { id } } }`;
export const createDocument = `mutation CreateWebhook($input: CreateWebhookInput!) { answer: createWebhook(input: $input) { ${failureFields} ... on WebhookCreated { webhook { ${webhookFields} } secret } } }`;
export const rotateDocument = `mutation RotateWebhookSecret($id: ID!, $secret: String, $formerHours: Float!) { answer: rotateWebhookSecret(id: $id, secret: $secret, formerHours: $formerHours) { ${failureFields} ... on WebhookSecretRotated { webhook { ${webhookFields} } secret } } }`;
export const deleteDocument = `mutation DeleteWebhook($id: ID!) { deleteWebhook(id: $id) { ${failureFields} } }`;
export const deliveriesDocument = `query Deliveries($first: Int!, $state: DeliveryState) { webhooks { id deliveries(first: $first, state: $state) { ${deliveryFields} } } }`;
export const resendDocument = `mutation ResendDelivery($id: ID!) { answer: resendDelivery(id: $id) { ${failureFields} ... on DeliveryQueued { delivery { ${deliveryFields} } } } }`;

export const webhooksCommand: CliCommand = {
  name: 'webhooks',
  summary: 'list who is told of failures, stale datasets and bad rows; add and remove',
  examples: ['millrace webhooks create https://alerts.example.org/millrace --on run_failed --on freshness', 'millrace webhooks deliveries WEBHOOK --state dead'],
  async run({out, graph}) {
    const {webhooks} = await ask<{webhooks: readonly (Webhook & {waiting: readonly unknown[]; dead: readonly unknown[]})[]}>(await graph(), document);
    out.rows(webhooks, [
      {title: 'WEBHOOK', value: ({id}) => id},
      {title: 'URL', value: ({url}) => url},
      {title: 'ON', value: ({on}) => on.map(topic => topic.toLowerCase()).join(', ')},
      {title: 'OF', value: ({pipelines, datasets}) => [...pipelines, ...datasets].join(', ')},
      {title: 'PENDING', value: ({waiting}) => waiting.length},
      {title: 'DEAD', value: ({dead}) => dead.length},
    ], 'There are no webhooks. Add one with: millrace webhooks create URL');
  },
  commands: [
    {
      name: 'create',
      args: '<url>',
      summary: 'send events there; shows the secret they are signed with, once',
      options(command) {
        command
          .addOption(new Option('--on <topic>', 'may be given several times (default: all)').choices(topics).argParser((value: string, before: string[] | undefined) => {
            if (!topics.includes(value)) throw new MillraceError('USAGE', {reason: `'${value}' is none of ${topics.join(', ')}.`});
            return collect(value, before);
          }))
          .option('--pipeline <name>', 'of this pipeline alone; may be given several times', collect)
          .option('--dataset <name>', 'about this dataset alone; may be given several times', collect)
          .option('--secret <secret>', 'whsec_ and bytes in base64 (default: a new one)');
      },
      async run({out, graph}, [url], {on = topics, pipeline = [], dataset = [], secret}: CreateOptions) {
        const {answer} = await ask<{answer: {webhook: Webhook; secret: string}}>(await graph(), createDocument, {
          input: {url, secret, on: on.map(topic => topic.toUpperCase()), pipelines: pipeline, datasets: dataset},
        });
        if (out.json) return out.document(answer);
        out.write(`Webhook ${answer.webhook.id} is told of ${on.join(', ')}.\nIts secret, which is not shown again: ${answer.secret}\n`);
      },
    } satisfies CliCommand<CreateOptions>,
    {
      name: 'rotate',
      args: '<webhook>',
      summary: 'give it another secret, shown once; for some hours messages are signed by both',
      options(command) {
        command
          .option('--secret <secret>', 'whsec_ and bytes in base64 (default: a new one)')
          .option('--former-hours <hours>', 'how long messages are signed by the secret before as well', wholeNumber, 24);
      },
      async run({out, graph}, [id], {secret, formerHours}: RotateOptions) {
        const {answer} = await ask<{answer: {webhook: Webhook; secret: string}}>(await graph(), rotateDocument, {id, secret, formerHours});
        if (out.json) return out.document(answer);
        out.write(`Its secret, which is not shown again: ${answer.secret}\n${formerHours === 0 ? 'Messages are signed by it alone.' : `Messages are signed by the one before as well for ${formerHours} ${formerHours === 1 ? 'hour' : 'hours'}.`}\n`);
      },
    } satisfies CliCommand<RotateOptions>,
    {
      name: 'delete',
      args: '<webhook>',
      summary: 'send nothing there any more',
      async run({out, graph}, [id]) {
        await ask(await graph(), deleteDocument, {id});
        if (out.json) out.document({id});
        else out.write(`Webhook ${id} is deleted.\n`);
      },
    },
    {
      name: 'deliveries',
      args: '<webhook>',
      summary: 'list what was sent, newest first',
      options(command) {
        command
          .addOption(new Option('--state <state>', 'in this state only').choices(['pending', 'delivered', 'dead']))
          .option('--first <number>', 'how many', wholeNumber, 20);
      },
      async run({out, graph}, [id], {state, first}: DeliveriesOptions) {
        const {webhooks} = await ask<{webhooks: readonly {id: string; deliveries: readonly Delivery[]}[]}>(await graph(), deliveriesDocument, {state: state?.toUpperCase(), first});
        const webhook = webhooks.find(one => one.id === id);
        if (!webhook) throw new MillraceError('WEBHOOK_NOT_FOUND', {id});
        out.rows(webhook.deliveries, [
          {title: 'DELIVERY', value: delivery => delivery.id},
          {title: 'TYPE', value: ({type}) => type},
          {title: 'STATE', value: delivery => delivery.state.toLowerCase()},
          {title: 'TRIES', value: ({attempts}) => attempts},
          {title: 'CREATED', value: ({createdAt}) => time(createdAt)},
          {title: 'AGAIN', value: ({nextAttemptAt}) => (nextAttemptAt === null ? '' : time(nextAttemptAt))},
          {title: '', value: ({error}) => error},
        ], 'Nothing was sent.');
      },
    } satisfies CliCommand<DeliveriesOptions>,
    {
      name: 'resend',
      args: '<delivery>',
      summary: 'send a delivery again, whatever became of it',
      async run({out, graph}, [id]) {
        const {answer} = await ask<{answer: {delivery: Delivery}}>(await graph(), resendDocument, {id});
        if (out.json) out.document(answer.delivery);
        else out.write(`Delivery ${id} is sent again.\n`);
      },
    },
  ],
};

interface CreateOptions {
  readonly on?: string[];
  readonly pipeline?: string[];
  readonly dataset?: string[];
  readonly secret?: string;
}

interface RotateOptions {
  readonly secret?: string;
  readonly formerHours: number;
}

interface DeliveriesOptions {
  readonly state?: string;
  readonly first: number;
}
