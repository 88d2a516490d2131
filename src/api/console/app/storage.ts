/** Another GraphiQL on the same address would otherwise show its tabs here, and ours there. */
const prefix = 'millrace:';

const names = () => Object.keys(localStorage).filter((name) => name.startsWith(prefix));

export const storage = {
  getItem: (name: string) => localStorage.getItem(prefix + name),
  setItem: (name: string, value: string) => localStorage.setItem(prefix + name, value),
  removeItem: (name: string) => localStorage.removeItem(prefix + name),
  clear: () => names().forEach((name) => localStorage.removeItem(name)),
  get length() {
    return names().length;
  },
};
