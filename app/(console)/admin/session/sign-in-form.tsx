import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react'
import { wait } from '../../format.ts'
import { withoutWait } from '../../gateway/failure.ts'
import type { Failure } from '../../gateway/wire.ts'
import { useCountdown } from '../../use-countdown.ts'

type Props = {
  /** Why the admin has to sign in, where that is not obvious. */
  notice: string | undefined
  onSignIn: (credential: string) => Promise<Failure | undefined>
}

type Refusal = { failure: Failure; until: number | undefined }

/** Asks for the admin token or an admin's key. The field has no name, so that no form submission can carry it. */
export function SignInForm({ notice, onSignIn }: Props) {
  const field = useRef<HTMLInputElement>(null)
  const [refusal, setRefusal] = useState<Refusal>()
  const [isChecking, setIsChecking] = useState(false)
  useEffect(() => {
    if (notice) field.current?.focus()
  }, [notice])
  const forget = useCallback(() => setRefusal(undefined), [])
  const left = useCountdown(refusal?.until, forget)
  const isHeld = refusal?.until !== undefined

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const credential = field.current?.value.trim() ?? ''
    if (credential === '' || isChecking || isHeld) return
    setIsChecking(true)
    const failure = await onSignIn(credential)
    if (!failure) return
    setIsChecking(false)
    const { retryAfterSeconds } = failure
    setRefusal({ failure, until: retryAfterSeconds && Date.now() + retryAfterSeconds * 1_000 })
    field.current?.select()
  }

  return (
    <form className="max-w-md" onSubmit={event => void submit(event)}>
      <h2 className="font-serif text-3xl tracking-tight">Sign in</h2>
      {notice && (
        <p role="alert" className="mt-2">
          {notice}
        </p>
      )}
      <label className="field mt-4">
        Admin token or an admin’s key
        <input
          ref={field}
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
          aria-describedby="sign-in-hint"
        />
      </label>
      <p id="sign-in-hint" className="mt-2 text-sm text-muted">
        The token is the gateway’s <code>ADMIN_TOKEN</code>. This page does not store it: a cookie that no
        script can read keeps you signed in for eight hours.
      </p>
      {refusal && <RefusalNotice refusal={refusal} left={left} />}
      <button type="submit" className="solid-button mt-4" disabled={isChecking || isHeld}>
        {isChecking ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  )
}

function RefusalNotice({ refusal: { failure, until }, left }: { refusal: Refusal; left: number }) {
  return (
    <div className="notice mt-4">
      <p role="alert">{withoutWait(failure)}</p>
      {until && (
        <p data-countdown className="text-sm text-muted tabular-nums">
          You can try again in {wait(left)}.
        </p>
      )}
    </div>
  )
}
