// One or many, as a language has it.

/** Chooses a form by a number. What a language says of millions is not needed here, nor of halves. */
export function pluralOf(language: string): (count: number, one: string, other: string) => string {
  const rules = new Intl.PluralRules(language);
  return (count, one, other) => (rules.select(count) === "one" ? one : other);
}
