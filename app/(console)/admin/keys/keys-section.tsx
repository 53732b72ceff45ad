import { useRef, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { NewChatIcon } from '../../icons.tsx'
import { useAdminApi } from '../admin-api.ts'
import type { Budgets } from '../budgets/use-budgets.ts'
import { FailureNotice } from '../failure-notice.tsx'
import type { ApiKey, MadeKey } from '../wire.ts'
import { KeyCard } from './key-card.tsx'
import { type KeyFields, NO_FIELDS, newKeyOf } from './key-fields.ts'
import { KeyForm } from './key-form.tsx'
import { hasBudget } from './key-words.ts'
import { SecretNotice } from './secret-notice.tsx'
import type { Keys } from './use-keys.ts'

type Props = { list: Keys; budgets: Budgets }

/** All keys, newest first, and the form for a new one. */
export function KeysSection({ list, budgets }: Props) {
  const { failure, nextCursor, put } = list
  const { announce, send } = useAdminApi()
  const [isCreating, setIsCreating] = useState(false)
  const [made, setMade] = useState<MadeKey>()
  const newButton = useRef<HTMLButtonElement>(null)

  function close() {
    setIsCreating(false)
    newButton.current?.focus()
  }

  /** Without the secret, which only the notice has. */
  function show(withSecret: MadeKey) {
    const { key: _, ...key } = withSecret
    put(key)
    setMade(withSecret)
  }

  async function create(fields: KeyFields): Promise<Failure | undefined> {
    const { value, failure: refused } = await send<MadeKey>('POST', '/api/admin/keys', newKeyOf(fields))
    if (refused) return refused
    setIsCreating(false)
    show(value)
    return undefined
  }

  function done() {
    setMade(undefined)
    announce('The secret is hidden.')
    newButton.current?.focus()
  }

  return (
    <section aria-labelledby="keys" className="mt-6">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 id="keys" className="section-title">
          Keys
        </h2>
        <button
          ref={newButton}
          type="button"
          className="outline-button gap-1.5"
          aria-expanded={isCreating}
          onClick={() => setIsCreating(!isCreating)}
        >
          <NewChatIcon /> New key
        </button>
      </div>
      {isCreating && (
        <div className="job mt-3">
          <KeyForm label="New key" submit="Create key" first={NO_FIELDS} onSubmit={create} onCancel={close} />
        </div>
      )}
      {made && <SecretNotice key={made.key} made={made} onDone={done} />}
      {failure && <FailureNotice failure={failure} onRetry={() => void list.load(nextCursor ?? null)} />}
      <KeyList list={list} budgets={budgets} onRotated={show} />
    </section>
  )
}

type ListProps = Props & { onRotated: (made: MadeKey) => void }

function KeyList({ list: { keys, failure, nextCursor, load, put }, budgets, onRotated }: ListProps) {
  function changed(key: ApiKey) {
    put(key)
    if (hasBudget(key)) void budgets.load([`key:${key.id}`])
  }

  return (
    <>
      {!keys && !failure && <p className="mt-2 text-muted">Loading keys…</p>}
      {keys?.length === 0 && <p className="mt-2 text-muted">No keys yet.</p>}
      <ul className="mt-4 flex flex-col gap-3">
        {keys?.map(key => (
          <li key={key.id}>
            <KeyCard
              apiKey={key}
              budget={budgets.budgets.get(`key:${key.id}`)}
              onChange={changed}
              onRotated={onRotated}
            />
          </li>
        ))}
      </ul>
      {nextCursor && (
        <button type="button" className="outline-button mt-4" onClick={() => void load(nextCursor)}>
          Older keys
        </button>
      )}
    </>
  )
}
