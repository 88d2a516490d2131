/** The admin secret of this browser tab; forgotten when the tab is closed. */
const key = 'millrace:secret';

export function authorization(): Record<string, string> {
  const secret = sessionStorage.getItem(key);
  return secret === null ? {} : {authorization: `Bearer ${secret}`};
}

let asking: Promise<void> | undefined;

/** Asks for the secret in a dialog; several requests that need it at once share one. */
export function askForSecret(): Promise<void> {
  asking ??= new Promise<void>((resolve) => {
    const dialog = document.createElement('dialog');
    dialog.className = 'secret';
    dialog.innerHTML = `<form method="dialog">
      <h2>Millrace</h2>
      <label>This server needs its admin secret.<input type="password" autocomplete="current-password" required autofocus></label>
      <button>Sign in</button>
    </form>`;
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('close', () => {
      sessionStorage.setItem(key, dialog.querySelector('input')!.value);
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  }).finally(() => (asking = undefined));
  return asking;
}
