import { type RefObject, useRef, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { useAdminApi } from '../admin-api.ts'
import { BudgetLines } from '../budgets/budget-lines.tsx'
import type { ApiKey, Budget, MadeKey } from '../wire.ts'
import { KeyActions } from './key-actions.tsx'
import { fieldsOf, type KeyFields, keyChangeOf } from './key-fields.ts'
import { KeyForm } from './key-form.tsx'
import { factsOf, hasBudget, restrictionsOf, stateAsWords } from './key-words.ts'

const TONES = { active: 'well', revoked: 'still', expired: 'still' } as const

type Props = {
  apiKey: ApiKey
  /** Its own budget, where it has one and it is known. */
  budget: Budget | undefined
  onChange: (key: ApiKey) => void
  /** Called with a key that has a new secret. */
  onRotated: (made: MadeKey) => void
}

/** One key: its settings, its budget and its actions. */
export function KeyCard({ apiKey, budget, onChange, onRotated }: Props) {
  const { name, state } = apiKey
  const { announce, send } = useAdminApi()
  const [isOpen, setIsOpen] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const changeButton = useRef<HTMLButtonElement>(null)

  function close() {
    setIsOpen(false)
    changeButton.current?.focus()
  }

  async function change(fields: KeyFields): Promise<Failure | undefined> {
    const body = keyChangeOf(fieldsOf(apiKey), fields)
    const { value, failure } = await send<ApiKey>('PATCH', `/api/admin/keys/${apiKey.id}`, body)
    if (failure) return failure
    onChange(value)
    announce(`The key “${value.name}” is saved.`)
    close()
    return undefined
  }

  function revoked(key: ApiKey) {
    onChange(key)
    announce(`The key “${name}” is revoked.`)
    // The focused button disappears with the key's actions.
    heading.current?.focus()
  }

  return (
    <article aria-label={name} className="job" data-tone={TONES[state]} data-key-state={state}>
      <KeySummary apiKey={apiKey} heading={heading} />
      {budget && hasBudget(apiKey) && <BudgetLines budget={budget} name={`key ${name}`} />}
      {state !== 'revoked' && (
        <KeyActions
          apiKey={apiKey}
          changeButton={changeButton}
          isChanging={isOpen}
          onToggle={() => setIsOpen(!isOpen)}
          onRotated={onRotated}
          onRevoked={revoked}
        />
      )}
      {isOpen && state !== 'revoked' && (
        <KeyForm
          label={`Settings of ${name}`}
          submit="Save key"
          first={fieldsOf(apiKey)}
          onSubmit={change}
          onCancel={close}
        />
      )}
    </article>
  )
}

type SummaryProps = { apiKey: ApiKey; heading: RefObject<HTMLHeadingElement | null> }

function KeySummary({ apiKey, heading }: SummaryProps) {
  const { name, prefix } = apiKey
  const restrictions = restrictionsOf(apiKey)
  return (
    <>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 ref={heading} tabIndex={-1} className="min-w-0 font-medium wrap-anywhere outline-none">
          {name}
        </h3>
        <p className="tone text-sm font-medium">{stateAsWords(apiKey)}</p>
      </div>
      <ul aria-label={`Facts of ${name}`} className="facts mt-1 text-sm wrap-anywhere text-muted">
        <li>
          <code>{prefix}…</code>
        </li>
        {factsOf(apiKey).map(fact => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      {restrictions.length > 0 && (
        <ul aria-label={`Limits of ${name}`} className="facts mt-1 text-sm wrap-anywhere">
          {restrictions.map(restriction => (
            <li key={restriction}>{restriction}</li>
          ))}
        </ul>
      )}
    </>
  )
}
