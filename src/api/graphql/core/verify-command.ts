/** A command for a POSIX shell that compares raw files of the project with the checksums they had; where none is a file of the project, `millrace doctor`. */
export function verifyCommand(files: readonly {readonly path: string; readonly sha256: string}[]): string {
  const lines = files.flatMap(({path, sha256}) => {
    const local = path.startsWith('package:') ? `node_modules/${path.slice('package:'.length)}` : path;
    // Uploads have no place in the project; sha256sum escapes names with such characters in a way of its own.
    return path.startsWith('upload:') || /[\\\n\r]/.test(local) || !/^[0-9a-f]{64}$/.test(sha256) ? [] : [quoted(`${sha256}  ${local}`)];
  });
  return lines.length === 0 ? 'millrace doctor' : `printf '%s\\n' ${lines.join(' ')} | sha256sum --check`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
