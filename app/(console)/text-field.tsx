import type { Ref } from 'react'

type Props = {
  label: string
  value: string
  onWrite: (value: string) => void
  maxLength: number
  placeholder?: string
  required?: boolean
  className?: string
  ref?: Ref<HTMLInputElement>
}

/** One line of text with its label. */
export function TextField({ label, value, onWrite, className = '', ...input }: Props) {
  return (
    <label className={`field ${className}`}>
      {label}
      <input
        type="text"
        autoComplete="off"
        value={value}
        onChange={event => onWrite(event.target.value)}
        {...input}
      />
    </label>
  )
}
