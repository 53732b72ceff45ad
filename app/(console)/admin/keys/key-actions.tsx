import { type RefObject, useState } from 'react'
import { ConfirmButton } from '../../confirm-button.tsx'
import { useAdminApi } from '../admin-api.ts'
import type { ApiKey, MadeKey } from '../wire.ts'
import { RotateButton } from './rotate-button.tsx'

type Props = {
  apiKey: ApiKey
  changeButton: RefObject<HTMLButtonElement | null>
  isChanging: boolean
  onToggle: () => void
  onRotated: (made: MadeKey) => void
  onRevoked: (key: ApiKey) => void
}

/** Changing, rotating and revoking a key. */
export function KeyActions({ apiKey, changeButton, isChanging, onToggle, onRotated, onRevoked }: Props) {
  const { id, name } = apiKey
  const { call, send } = useAdminApi()
  const [error, setError] = useState<string>()
  const path = `/api/admin/keys/${id}`

  async function rotate(overlapSeconds: number) {
    const { value, failure } = await send<MadeKey>('POST', `${path}/rotate`, { overlapSeconds })
    setError(failure?.message)
    if (value) onRotated(value)
  }

  async function revoke() {
    const { value, failure } = await call<ApiKey>(`${path}/revoke`, { method: 'POST' })
    setError(failure?.message)
    if (value) onRevoked(value)
  }

  return (
    <>
      <div className="mt-2 -mb-1 -ml-2.5 flex flex-wrap items-center gap-x-1">
        <button
          ref={changeButton}
          type="button"
          className="text-button"
          aria-expanded={isChanging}
          aria-label={`Change ${name}`}
          onClick={onToggle}
        >
          Change
        </button>
        <RotateButton name={name} onRotate={overlapSeconds => void rotate(overlapSeconds)} />
        <ConfirmButton
          label="Revoke"
          name={`Revoke ${name}`}
          question={`Revoke “${name}”, and the keys that it made? Their calls are refused from now on. This can’t be undone.`}
          yes="Revoke key"
          no="Keep key"
          onConfirm={() => void revoke()}
        />
      </div>
      {error && (
        <p role="alert" className="mt-1 text-sm text-danger">
          {error}
        </p>
      )}
    </>
  )
}
