import { firstFitting } from '../conversation/history.ts'
import type { Turn } from '../conversation/turn.ts'
import type { TurnActions } from './turn-actions.ts'
import { TurnView } from './turn-view.tsx'

/** The conversation so far. Not a live region: the page's one status announces changes. */
export function Transcript({ turns, ...actions }: { turns: Turn[] } & TurnActions) {
  const asked = turns.at(-1)
  const firstSent = asked ? firstFitting(turns.slice(0, -1), asked.question) : 0
  return (
    <ol aria-label="Conversation" className="flex flex-col gap-10">
      {turns.map((turn, index) => (
        <li key={turn.id}>
          {index === firstSent && index > 0 && <LeftOut />}
          <TurnView turn={turn} {...(turn === asked && actions)} />
        </li>
      ))}
    </ol>
  )
}

function LeftOut() {
  return (
    <p className="mb-10 flex items-center gap-4 text-sm text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
      Older messages no longer fit and aren’t sent
    </p>
  )
}
