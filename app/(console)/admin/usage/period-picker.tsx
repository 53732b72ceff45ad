import { type Days, PERIODS, type Period } from './period.ts'

type Props = {
  period: Period
  days: Days
  onPeriod: (period: Period) => void
  onDays: (days: Days) => void
}

/** The period as one of the usual ones, or by its first and last day. */
export function PeriodPicker({ period, days, onPeriod, onDays }: Props) {
  return (
    <>
      <label className="field">
        Period (UTC)
        <select value={period} onChange={event => onPeriod(event.target.value as Period)}>
          {Object.entries(PERIODS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {period === 'own' && (
        <>
          <DayField label="First day" day={days.from} onChoose={from => onDays({ ...days, from })} />
          <DayField label="Last day" day={days.to} onChoose={to => onDays({ ...days, to })} />
        </>
      )}
    </>
  )
}

type FieldProps = { label: string; day: string; onChoose: (day: string) => void }

function DayField({ label, day, onChoose }: FieldProps) {
  return (
    <label className="field">
      {label}
      <input
        type="date"
        required
        value={day}
        onChange={event => event.target.value !== '' && onChoose(event.target.value)}
      />
    </label>
  )
}
