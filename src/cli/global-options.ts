import type {Command} from 'commander';
import type {ConfigFlags} from '../core/config.ts';
import {collect} from './command.ts';

/** Options of every command. */
export interface GlobalOptions extends ConfigFlags {
  readonly json?: boolean;
  readonly color: boolean;
  readonly url?: string;
  readonly secret?: string;
}

export function addGlobalOptions(program: Command): void {
  program
    .option('--json', 'answers for programs: one JSON document, or one a line for streams')
    .option('--project <folder>', 'the project folder (default: the working folder)')
    .option('--data <folder>', 'what Millrace keeps (default: .millrace in the project)')
    .option('--catalog <url>', 'a PostgreSQL server instead of the embedded catalog')
    .option('--set <key=value>', 'a setting; may be given several times', collect)
    .option('--url <url>', 'the server to ask (default: MILLRACE_URL, or the one that runs for the project)')
    .option('--secret <secret>', "the server's admin secret (default: the setting api.adminSecret)")
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--log-format <format>', 'auto, pretty or json')
    .option('--no-color', 'no colours, also on a terminal');
}

/** The part of the options that are settings. */
export function flagsOf({project, data, catalog, set, logLevel, logFormat, host, port, workers}: GlobalOptions): ConfigFlags {
  return {project, data, catalog, set, logLevel, logFormat, host, port, workers};
}
