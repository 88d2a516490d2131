/** The commands, in the order in which help shows them. */
import type {AnyCommand} from './command.ts';
import {backfillCommand} from './commands/backfill.ts';
import {backupCommand} from './commands/backup.ts';
import {cancelCommand} from './commands/cancel.ts';
import {compactCommand} from './commands/compact.ts';
import {configCommand} from './commands/config.ts';
import {contractCommand} from './commands/contract.ts';
import {datasetsCommand} from './commands/datasets.ts';
import {detectCommand} from './commands/detect.ts';
import {doctorCommand} from './commands/doctor.ts';
import {enginesCommand} from './commands/engines.ts';
import {eraseCommand} from './commands/erase.ts';
import {eventsCommand} from './commands/events.ts';
import {gcCommand} from './commands/gc.ts';
import {ingestCommand} from './commands/ingest.ts';
import {lineageCommand} from './commands/lineage.ts';
import {modelsCommand} from './commands/models.ts';
import {planCommand} from './commands/plan.ts';
import {predictCommand} from './commands/predict.ts';
import {queryCommand} from './commands/query.ts';
import {replayCommand} from './commands/replay.ts';
import {restoreCommand} from './commands/restore.ts';
import {retryCommand} from './commands/retry.ts';
import {runCommand} from './commands/run.ts';
import {runsCommand} from './commands/runs.ts';
import {schedulesCommand} from './commands/schedules.ts';
import {serveCommand} from './commands/serve.ts';
import {verifyStepCommand} from './commands/verify-step.ts';
import {verifyCommand} from './commands/verify.ts';
import {versionCommand} from './commands/version.ts';
import {webhooksCommand} from './commands/webhooks.ts';
import {workCommand} from './commands/work.ts';

export const commandGroups: readonly (readonly [title: string, commands: readonly AnyCommand[]])[] = [
  ['Start:', [serveCommand, workCommand]],
  ['Pipelines:', [runCommand, planCommand, backfillCommand, detectCommand, ingestCommand, replayCommand, runsCommand, eventsCommand, cancelCommand, retryCommand, verifyStepCommand, schedulesCommand, webhooksCommand]],
  ['Data:', [datasetsCommand, contractCommand, queryCommand, lineageCommand, verifyCommand, compactCommand, eraseCommand]],
  ['Models:', [modelsCommand, predictCommand]],
  ['Installation:', [configCommand, enginesCommand, doctorCommand, gcCommand, backupCommand, restoreCommand, versionCommand]],
];
