type Props = { label: string; value: string; onWrite: (value: string) => void }

/** An amount in US dollars; empty for no limit. */
export function AmountField({ label, value, onWrite }: Props) {
  return (
    <label className="field">
      {label}
      <input
        type="number"
        inputMode="decimal"
        min={0}
        step="any"
        placeholder="No limit"
        value={value}
        onChange={event => onWrite(event.target.value)}
      />
    </label>
  )
}
