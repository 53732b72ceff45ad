const EXAMPLES = [
  'Explain eventual consistency to someone who runs a library',
  'Write a TypeScript function that retries with exponential backoff',
  'Compare SQLite and Postgres for a small service, as a table',
  'Draft a kind reply that declines a meeting',
]

/** The content of a new conversation: an invitation, and examples that fill the composer without sending. */
export function EmptyState({ onPick }: { onPick: (example: string, examples: readonly string[]) => void }) {
  return (
    <section aria-labelledby="invitation" className="my-auto">
      <h2
        id="invitation"
        className="font-serif text-3xl leading-tight tracking-tight text-balance sm:text-4xl"
      >
        What would you like to talk through?
      </h2>
      <p className="mt-3 text-muted">One gateway, many models. Choose one below, or just ask.</p>
      <ul className="mt-8 grid gap-2.5 sm:grid-cols-2">
        {EXAMPLES.map(example => (
          <li key={example}>
            <button type="button" data-example className="example" onClick={() => onPick(example, EXAMPLES)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
