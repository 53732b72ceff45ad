import type { Budget } from '../wire.ts'
import { levelOf, PERIODS, renewalAsWords, shareSpent, spentAsWords } from './budget-words.ts'

const TITLES = { day: 'Today', month: 'This month' } as const
const TONES = { fine: 'well', notice: 'partly', 'spent-out': 'badly' } as const

/** What is spent and reserved of a budget in this UTC day and month. */
export function BudgetLines({ budget, name }: { budget: Budget; name: string }) {
  return (
    <ul aria-label={`Budget of ${name}`} className="mt-2 flex flex-col gap-2 text-sm">
      {PERIODS.map(period => {
        const one = budget[period]
        const share = shareSpent(one)
        return (
          <li key={period} className="budget-line" data-tone={TONES[levelOf(one)]}>
            <p className="tabular-nums wrap-anywhere">
              <span className="font-medium">{TITLES[period]}</span>: {spentAsWords(one)};{' '}
              <time dateTime={one.renewsAt}>{renewalAsWords(one, Date.now())}</time>
            </p>
            {share !== undefined && (
              <progress
                className="bar mt-1"
                value={Math.min(1, share)}
                max={1}
                aria-label={`${TITLES[period]}, spent by ${name}`}
              />
            )}
          </li>
        )
      })}
    </ul>
  )
}
