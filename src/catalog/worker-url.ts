/** The URL of a worker's entry beside the caller: TypeScript when run from the sources, JavaScript from a build. */
export function workerUrl(name: string, callerUrl: string): URL {
  return new URL(`./${name}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl);
}
