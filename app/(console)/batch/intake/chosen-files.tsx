import { useRef } from 'react'
import { CloseIcon } from '../../icons.tsx'
import { bytes } from './files.ts'
import { type Chosen, chosenFault } from './intake.ts'

type Props = { chosen: readonly Chosen[]; disabled: boolean; onRemove: (id: number) => void }

/** The chosen files, each with its error and a button to remove it. */
export function ChosenFiles({ chosen, disabled, onRemove }: Props) {
  const list = useRef<HTMLUListElement>(null)

  function remove(id: number) {
    onRemove(id)
    // The focused button disappears with its file.
    list.current?.focus()
  }

  return (
    <ul
      ref={list}
      tabIndex={-1}
      aria-label="Chosen files"
      className="mt-3 flex max-h-96 flex-col gap-1 overflow-y-auto outline-none"
    >
      {chosen.map(one => (
        <li
          key={one.id}
          className="flex shrink-0 items-center gap-2 rounded-lg bg-surface py-0.5 pr-0.5 pl-3 text-sm"
        >
          <span className="min-w-0 flex-1 py-1">
            <span className="wrap-anywhere">{one.file.name}</span>{' '}
            <span className="whitespace-nowrap text-muted">{bytes(one.file.size)}</span>
            <Fault text={chosenFault(one)} />
          </span>
          <button
            type="button"
            className="icon-button"
            aria-label={`Remove ${one.file.name}`}
            title="Remove"
            disabled={disabled}
            onClick={() => remove(one.id)}
          >
            <CloseIcon />
          </button>
        </li>
      ))}
    </ul>
  )
}

function Fault({ text }: { text: string | undefined }) {
  return text ? <span className="block text-danger">{text}</span> : null
}
