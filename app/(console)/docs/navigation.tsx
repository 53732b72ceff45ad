type Section = {
  name: string
  id: string
  operations: { method: string; path: string; operation: { operationId: string; summary: string } }[]
}

/** Links to all operations: beside a wide page, folded above a narrow one. */
export function Navigation({ sections }: { sections: Section[] }) {
  return (
    <>
      <nav aria-label="Operations" className="side-navigation max-xl:hidden">
        <Links sections={sections} />
      </nav>
      <div className="column pt-2 xl:hidden">
        <details className="fold">
          <summary>All operations</summary>
          <nav aria-label="Operations">
            <Links sections={sections} />
          </nav>
        </details>
      </div>
    </>
  )
}

function Links({ sections }: { sections: Section[] }) {
  return (
    <ul className="reference-links">
      <li>
        <a href="#use-it-from">Use it from …</a>
      </li>
      {sections.map(({ id, name, operations }) => (
        <li key={id}>
          <a href={`#${id}`}>{name}</a>
          <ul>
            {operations.map(({ operation: { operationId, summary } }) => (
              <li key={operationId}>
                <a href={`#${operationId}`}>{summary}</a>
              </li>
            ))}
          </ul>
        </li>
      ))}
      <li>
        <a href="#schemas">Schemas</a>
      </li>
    </ul>
  )
}
