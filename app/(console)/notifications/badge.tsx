import Link from 'next/link'
import { NotificationIcon } from '../icons.tsx'

/** The link to the batches, with the number of those that have finished since the user last looked. */
export function NotificationBadge({ count }: { count: number }) {
  const label = count === 0 ? 'Batches: nothing new' : `Batches: ${count} finished since you last looked`
  return (
    <Link href="/batch" prefetch={false} className="icon-button relative" aria-label={label} title={label}>
      <NotificationIcon />
      {count > 0 && <span className="badge">{count > 99 ? '99+' : count}</span>}
    </Link>
  )
}
