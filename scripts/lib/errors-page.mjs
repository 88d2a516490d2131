/**
 * docs/errors.md: the error table for people.
 * @param {Readonly<Record<string, {message: string, hint: string, http: number, exit?: number}>>} table
 * @returns {string} Markdown
 */
export function errorsPage(table) {
  const cell = (/** @type {string} */ text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const rows = Object.entries(table).map(
    ([code, {message, hint, http, exit}]) => `| \`${code}\` | ${cell(message)} | ${cell(hint)} | ${http} | ${exit ?? 1} |`,
  );
  return `# Errors

Every error has a code that does not change between versions: branch on it, not on the message. In GraphQL it is
\`extensions.code\`, over plain HTTP \`code\` of the JSON body; the command line shows it before the message. What stands in
{braces} is filled in, and is also given as \`details\`.

This page is printed from \`src/core/errors.ts\` by \`npm run docs\`.

| code | what happened | what to do | HTTP | exit code |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
