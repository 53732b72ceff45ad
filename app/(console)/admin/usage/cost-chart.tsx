import { useId } from 'react'
import { cost } from '../../format.ts'
import { dollars } from '../money.ts'
import { dayAsWords } from './period.ts'
import { costByDay, type DayCost, highestOf, shareOf } from './usage-rows.ts'
import type { Usage } from './use-usage.ts'

const HEIGHT = 100
/** The space between two bars, as a share of a day's width. */
const GAP = 0.2
const LINES = [0, HEIGHT / 2, HEIGHT]

/** The cost of each day as bars, and the same figures as a table. */
export function CostChart({ usage: { daily, days } }: { usage: Usage }) {
  const titleId = useId()
  const costs = costByDay(daily.rows, days)
  const [first, last] = [costs.at(0), costs.at(-1)]
  if (!first || !last) return null
  const highest = highestOf(costs)
  return (
    <figure aria-labelledby={titleId} className="mt-5">
      <figcaption id={titleId} className="text-sm font-medium">
        Cost by day
      </figcaption>
      <p className="mt-1 text-xs text-muted tabular-nums">Highest day: {cost(Number(highest) / 1e9)}</p>
      <Bars costs={costs} highest={highest} />
      <p className="flex justify-between text-xs text-muted">
        <span>{dayAsWords(first.day)}</span>
        {costs.length > 1 && <span>{dayAsWords(last.day)}</span>}
      </p>
      {costs.some(({ isPartial }) => isPartial) && (
        <p className="mt-1 text-xs text-muted">
          Dashed outline: some requests of the day have no known price and are not in its bar.
        </p>
      )}
      <CostTable costs={costs} />
    </figure>
  )
}

function Bars({ costs, highest }: { costs: readonly DayCost[]; highest: bigint }) {
  return (
    <svg
      aria-hidden="true"
      className="cost-chart"
      viewBox={`0 0 ${costs.length} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      {LINES.map(y => (
        <line key={y} x1={0} x2={costs.length} y1={y} y2={y} />
      ))}
      {costs.map(({ day, nanoUsd, isPartial }, index) => {
        const height = HEIGHT * shareOf(nanoUsd, highest)
        const place = { x: index + GAP / 2, width: 1 - GAP }
        return (
          <g key={day}>
            <rect className="bar-of-day" {...place} y={HEIGHT - height} height={height} />
            {isPartial && <rect className="partial" {...place} y={1} height={HEIGHT - 1} />}
            <title>{`${dayAsWords(day)}: ${amountOf({ nanoUsd, isPartial })}`}</title>
          </g>
        )
      })}
    </svg>
  )
}

const amountOf = ({ nanoUsd, isPartial }: Pick<DayCost, 'nanoUsd' | 'isPartial'>): string => {
  if (!isPartial) return dollars(nanoUsd)
  return nanoUsd === 0n ? cost(null) : `${dollars(nanoUsd)}, and more of unknown price`
}

function CostTable({ costs }: { costs: readonly DayCost[] }) {
  return (
    <details className="fold mt-2">
      <summary>Cost by day as a table</summary>
      <table className="costs" aria-label="Cost by day">
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {costs.toReversed().map(one => (
            <tr key={one.day}>
              <th scope="row">{dayAsWords(one.day)}</th>
              <td>{amountOf(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}
