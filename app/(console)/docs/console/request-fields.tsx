import type { Draft, FirstDraft } from './draft.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

type Props = {
  draft: FirstDraft
  onWrite: (fields: Partial<Draft>) => void
  onFile: (file: File | undefined) => void
}

export function RequestFields({ draft, onWrite, onFile }: Props) {
  const { method, path, headers, body, examples, fileField } = draft
  return (
    <>
      <div className="flex flex-wrap gap-3">
        <label className="field">
          Method
          <select value={method} onChange={event => onWrite({ method: event.target.value })}>
            {METHODS.map(one => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label className="field min-w-0 flex-1 basis-56">
          Path and query
          <input
            type="text"
            autoComplete="off"
            spellCheck={false}
            value={path}
            onChange={event => onWrite({ path: event.target.value })}
          />
        </label>
      </div>
      <label className="field mt-3">
        Headers, one per line
        <textarea
          rows={1}
          spellCheck={false}
          value={headers}
          onChange={event => onWrite({ headers: event.target.value })}
        />
      </label>
      {examples.length > 1 && (
        <label className="field mt-3 self-start">
          Example
          <select
            onChange={event => onWrite({ body: examples[event.target.selectedIndex]?.body ?? body })}
            className="max-w-full self-start"
          >
            {examples.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {fileField && (
        <label className="field mt-3">
          File, as “{fileField}”
          <input type="file" onChange={event => onFile(event.target.files?.[0])} />
        </label>
      )}
      {(examples.length > 0 || method !== 'GET') && (
        <label className="field mt-3">
          {fileField ? 'Other fields, as JSON' : 'Body'}
          <textarea
            rows={4}
            spellCheck={false}
            value={body}
            onChange={event => onWrite({ body: event.target.value })}
          />
        </label>
      )}
    </>
  )
}
