import { cost } from '../../format.ts'
import type { Item } from '../../gateway/job-wire.ts'

/** The items with their results. Wider than a narrow screen, so it scrolls sideways by itself. */
export function ItemTable({ items, name }: { items: readonly Item[]; name: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className="mt-1 overflow-x-auto" aria-label={`Items of ${name}`} tabIndex={0}>
      <table className="items">
        <thead>
          <tr>
            <th scope="col">Item</th>
            <th scope="col">State</th>
            <th scope="col">Tries</th>
            <th scope="col">Cost</th>
            <th scope="col">Answer</th>
          </tr>
        </thead>
        <tbody>
          {items.map(item => (
            <tr key={item.id} data-item-state={item.state}>
              <th scope="row">{label(item)}</th>
              <td className="capitalize">{item.state}</td>
              <td className="tabular-nums">{item.attempts}</td>
              <td className="whitespace-nowrap tabular-nums">
                {item.costUsd === undefined ? '' : cost(item.costUsd)}
              </td>
              <td>{outcome(item)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** `12`, `faq`, and its position in an upload. */
function label({ id, file, line }: Item): string {
  if (!file) return id
  const location = line === undefined ? file : `${file}, line ${line}`
  return id === file || id.startsWith(`${file}:`) ? location : `${id} (${location})`
}

/** The first line of the answer, or why there is none. */
export function outcome({ content, error }: Item): string {
  if (error) return error.message
  return content?.split('\n').find(line => line.trim() !== '') ?? ''
}
