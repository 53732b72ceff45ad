'use client'

import { useSyncExternalStore } from 'react'
import { chooseTheme, currentTheme, onThemeChange, THEMES, type Theme } from '../theme.ts'
import { MoonIcon, SunIcon, SystemIcon } from './icons.tsx'

const icons = { system: SystemIcon, light: SunIcon, dark: MoonIcon }

export function ThemeToggle() {
  const theme = useSyncExternalStore(onThemeChange, currentTheme, () => 'system' as const)
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme
  const Icon = icons[theme]
  const label = `Theme: ${theme}. Switch to ${next}`
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      onClick={() => chooseTheme(next)}
    >
      <Icon />
    </button>
  )
}
