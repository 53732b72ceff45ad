import { useEffect, useEffectEvent, useState } from 'react'
import type { Failure } from '../gateway/wire.ts'
import { useAdminApi } from './admin-api.ts'
import { hasLimit, noticesOf } from './budgets/budget-words.ts'
import { BudgetsSection } from './budgets/budgets-section.tsx'
import { type Budgets, useBudgets } from './budgets/use-budgets.ts'
import { ownersIn, ownersOf, scopesOf } from './keys/key-words.ts'
import { KeysSection } from './keys/keys-section.tsx'
import { useKeys } from './keys/use-keys.ts'
import { RecommendationsSection } from './usage/recommendations-section.tsx'
import { UsageSection } from './usage/usage-section.tsx'
import type { Admin } from './wire.ts'

/** An admin’s requests a minute are limited, and each budget is one. */
const RELOAD_MS = 120_000

type Props = { admin: Admin; onSignOut: () => Promise<Failure | undefined> }

/** What a signed-in admin sees. */
export function AdminSections({ admin, onSignOut }: Props) {
  const list = useKeys()
  const budgets = useBudgets()
  const { want, loadLimited } = budgets
  const { keys } = list
  useEffect(() => void loadLimited(), [loadLimited])
  useEffect(() => {
    if (keys) want(scopesOf(keys))
  }, [keys, want])
  useLimitsInView(budgets)
  const keyName = (id: string) => keys?.find(key => key.id === id)?.name

  return (
    <>
      <SignedIn admin={admin} onSignOut={onSignOut} />
      <BudgetNotices notices={noticesOf([...budgets.budgets.values()], keyName)} />
      <KeysSection list={list} budgets={budgets} />
      <BudgetsSection
        list={budgets}
        owners={[...ownersOf(keys ?? []), ...ownersIn(budgets.budgets.keys())]}
      />
      <UsageSection />
      <RecommendationsSection />
    </>
  )
}

/** Reloads the budgets with a limit from time to time, so that a notice comes while the page is open. */
function useLimitsInView({ budgets, load }: Budgets): void {
  const reload = useEffectEvent(() => {
    const limited = [...budgets.values()].filter(hasLimit).map(({ scope }) => scope)
    if (!document.hidden && limited.length > 0) void load(limited)
  })
  useEffect(() => {
    const timer = setInterval(reload, RELOAD_MS)
    return () => clearInterval(timer)
  }, [])
}

function SignedIn({ admin, onSignOut }: Props) {
  const [failure, setFailure] = useState<Failure>()
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 text-sm text-muted">
      <p className="min-w-0 wrap-anywhere">
        Signed in {admin.id === 'admin' ? 'with the admin token' : `with the key “${admin.name}”`}
      </p>
      <button
        type="button"
        className="text-button -mr-2.5"
        onClick={async () => setFailure(await onSignOut())}
      >
        Sign out
      </button>
      {failure && (
        <p role="alert" className="basis-full text-danger">
          {failure.message}
        </p>
      )}
    </div>
  )
}

/** Says which budgets are spent to 80 % or more, and reads it out. */
function BudgetNotices({ notices }: { notices: readonly string[] }) {
  const { announce } = useAdminApi()
  const text = notices.join(' ')
  useEffect(() => {
    if (text !== '') announce(text)
  }, [text, announce])
  if (notices.length === 0) return null
  return (
    <section aria-label="Budget notices" className="notice mt-3">
      <ul className="flex flex-col gap-1 wrap-anywhere">
        {notices.map(notice => (
          <li key={notice}>{notice}</li>
        ))}
      </ul>
    </section>
  )
}
