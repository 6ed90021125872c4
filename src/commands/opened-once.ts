/** The same for the same settings: what is opened is opened once, when it is first asked for, and is not closed. */
export function openedOnce<SomeSettings extends object, Opened>(
  open: (settings: SomeSettings) => Promise<Opened>,
): (settings: SomeSettings) => Promise<Opened> {
  const opened = new Map<string, Promise<Opened>>();
  return (settings) => {
    const key = settingsKey(settings);
    const known = opened.get(key) ?? open(settings);
    opened.set(key, known);
    return known;
  };
}

/** Equal for equal settings, whatever their order. */
export function settingsKey(settings: object): string {
  return JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}
