import type { FocusEvent, KeyboardEvent } from 'react'
import type { Tool } from '../../gateway/wire.ts'
import { toolAsWords } from './tool-words.ts'

type Props = {
  tools: Tool[]
  /** The names of those that the model may use. */
  chosen: readonly string[]
  onChoose: (name: string, isChosen: boolean) => void
}

/** The tools that the gateway runs for a model, to be allowed one by one. */
export function ToolPicker({ tools, chosen, onChoose }: Props) {
  if (tools.length === 0) return null
  return (
    <details className="tool-picker" onKeyDown={closeOnEscape} onBlur={closeWhenLeft}>
      <summary className="text-button">
        Tools
        {chosen.length > 0 && (
          <span className="tool-count">
            {chosen.length}
            <span className="sr-only"> chosen</span>
          </span>
        )}
      </summary>
      <fieldset className="tool-panel">
        <legend className="sr-only">Tools that the model may use</legend>
        {tools.map(({ name, description }) => (
          <label key={name}>
            <input
              type="checkbox"
              aria-labelledby={`tool-${name}`}
              aria-describedby={`about-tool-${name}`}
              checked={chosen.includes(name)}
              onChange={event => onChoose(name, event.target.checked)}
              onKeyDown={doNotSend}
            />
            <span>
              <span id={`tool-${name}`} className="block font-medium text-ink">
                {toolAsWords(name)}
              </span>
              <span id={`about-tool-${name}`}>{description}</span>
            </span>
          </label>
        ))}
      </fieldset>
    </details>
  )
}

/** Enter in a checkbox sends the form that it stands in: the question. */
function doNotSend(event: KeyboardEvent<HTMLInputElement>) {
  if (event.key === 'Enter') event.preventDefault()
}

function closeOnEscape(event: KeyboardEvent<HTMLDetailsElement>) {
  const picker = event.currentTarget
  if (event.key !== 'Escape' || !picker.open) return
  // It does not stop an answer as well.
  event.stopPropagation()
  picker.open = false
  picker.querySelector('summary')?.focus()
}

function closeWhenLeft({ currentTarget, relatedTarget }: FocusEvent<HTMLDetailsElement>) {
  if (relatedTarget && !currentTarget.contains(relatedTarget)) currentTarget.open = false
}
