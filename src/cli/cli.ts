import {Command, CommanderError} from 'commander';
import type {Compose} from './app.ts';
import type {AnyCommand, CliCommand} from './command.ts';
import {commandGroups} from './commands.ts';
import {CommandContext} from './context.ts';
import {failureOf, usage} from './failure.ts';
import {addGlobalOptions} from './global-options.ts';
import type {GlobalOptions} from './global-options.ts';
import {Output} from './output.ts';
import type {Io} from './output.ts';

/**
 * Runs one command to its end.
 *
 * @param args what follows `millrace` on the command line
 * @returns the exit code: 0, or that of the error table for what went wrong, which standard error tells
 */
export async function runCli(args: readonly string[], io: Io, compose: Compose): Promise<number> {
  let exit = 0;
  const program = buildProgram(io, async (command, [given, options]) => {
    exit = await runCommand(command, given, options, io, compose);
  });
  try {
    await program.parseAsync(args.length === 0 ? ['help'] : args[0] === '--version' ? ['version', ...args.slice(1)] : args, {from: 'user'});
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const color = !args.includes('--no-color');
    const out = new Output(io, args.includes('--json'), color);
    const failure = failureOf(error instanceof CommanderError ? usage(sentence(error.message)) : error);
    out.failure(failure);
    out.close();
    return failure.exit;
  }
}

type Act = (command: CliCommand, call: readonly [args: readonly (string | undefined)[], options: GlobalOptions]) => Promise<void>;

function buildProgram(io: Io, act: Act): Command {
  const program = new Command('millrace')
    .description('One typed GraphQL graph over data, pipelines and models.')
    .usage('COMMAND [options]')
    .configureHelp({showGlobalOptions: true, helpWidth: Math.min(io.stdout.columns ?? 100, 110)})
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // What went wrong is told once, by runCli.
      outputError: () => {},
    })
    .exitOverride()
    .showSuggestionAfterError();
  addGlobalOptions(program);
  for (const [title, commands] of commandGroups) {
    program.commandsGroup(title);
    for (const command of commands) add(program, command, act);
  }
  program.commandsGroup('Other:').helpCommand('help [command]', 'show help for a command');
  program.addHelpText('after', '\nExit codes: 0 done, 1 refused, 2 wrong use, 3 the run failed, 4 it was cancelled, 5 damaged files, 6 another answer than\nits receipt, 7 in use by another, 8 unreachable.');
  return program;
}

function add(parent: Command, described: AnyCommand, act: Act): void {
  // Options are read by the command that declares them; their type is lost on the way through commander.
  const command = described as CliCommand;
  const made = parent.command(`${command.name}${command.args === undefined ? '' : ` ${command.args}`}`).summary(command.summary).description(`${command.summary[0]!.toUpperCase()}${command.summary.slice(1)}.`);
  made.copyInheritedSettings(parent);
  command.options?.(made);
  if (command.examples) made.addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`);
  for (const inner of command.commands ?? []) add(made, inner, act);
  if (command.run) made.action(async () => act(command, [made.processedArgs as (string | undefined)[], made.optsWithGlobals<GlobalOptions>()]));
}

async function runCommand(command: CliCommand, args: readonly (string | undefined)[], options: GlobalOptions, io: Io, compose: Compose): Promise<number> {
  const out = new Output(io, options.json === true, options.color);
  const context = new CommandContext(io, out, options, compose);
  try {
    return (await command.run!(context, args, options as never)) ?? 0;
  } catch (error) {
    const failure = failureOf(error);
    if (out.json) out.document({error: failure});
    out.failure(failure);
    return failure.exit;
  } finally {
    await context.close();
    out.close();
  }
}

/** `error: unknown option '--x'` as a sentence of the error table. */
function sentence(message: string): string {
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ').trim();
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}${/[.?!)]$/.test(text) ? '' : '.'}`;
}
