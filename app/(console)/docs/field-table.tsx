import type { Row } from './rows.ts'
import { Words } from './words.tsx'

type Props = {
  caption: string
  rows: Row[] /** The schema's name, where it has one. */
  children?: string | undefined
}

/** Fields with their types and rules; on narrow screens each is a block. */
export function FieldTable({ caption, rows, children }: Props) {
  return (
    <table className="fields mt-4">
      <caption>
        {caption}
        {children && (
          <>
            {': '}
            <a className="link" href={`#schema-${children}`}>
              {children}
            </a>
          </>
        )}
      </caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Type</th>
          <th scope="col">Rules</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, type, reference, isRequired, rules }) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
              {isRequired && <span className="required"> required</span>}
            </th>
            <td>
              {reference ? (
                <a className="link" href={`#schema-${reference}`}>
                  {type}
                </a>
              ) : (
                type
              )}
            </td>
            <td>
              <Words>{rules}</Words>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
