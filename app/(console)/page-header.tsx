import Link from 'next/link'
import type { ReactNode } from 'react'
import { NotificationBadge } from './notifications/badge.tsx'
import { ThemeToggle } from './theme-toggle.tsx'

const PAGES = {
  '/': 'Chat',
  '/batch': 'Batch',
  '/evaluations': 'Evals',
  '/docs': 'API',
  '/admin': 'Admin',
} as const

type Props = {
  at: keyof typeof PAGES
  /** How many batches have finished since the user last looked. */
  finished: number
  /** Controls of this page only. */
  children?: ReactNode
}

/** The header of all pages, including the tab's title. */
export function PageHeader({ at, finished, children }: Props) {
  const name = at === '/' ? 'Parley' : `${PAGES[at]} · Parley`
  return (
    <header className="sticky top-0 z-20 bg-paper">
      <title>{finished > 0 ? `(${finished}) ${name}` : name}</title>
      <div className="column flex h-14 items-center justify-between gap-2">
        <div className="flex items-center gap-1 sm:gap-3">
          <h1 className="font-serif text-xl font-semibold tracking-tight max-[26rem]:sr-only">Parley</h1>
          <nav aria-label="Pages" className="flex">
            {Object.entries(PAGES).map(([href, label]) => (
              <Link
                key={href}
                href={href}
                prefetch={false}
                className="page-link"
                aria-current={href === at ? 'page' : undefined}
              >
                {label}
              </Link>
            ))}
          </nav>
        </div>
        <div className="-mr-2 flex items-center sm:gap-1">
          {children}
          <NotificationBadge count={finished} />
          <ThemeToggle />
        </div>
      </div>
    </header>
  )
}
