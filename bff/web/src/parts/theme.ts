import { useSyncExternalStore } from 'react'

// The theme is dark, unless the system or the viewer asks for light.
type Theme = 'dark' | 'light'

const key = 'theme'
const system = window.matchMedia('(prefers-color-scheme: light)')
const listeners = new Set<() => void>()

function current(): Theme {
  const kept = localStorage.getItem(key)
  if (kept === 'dark' || kept === 'light') return kept
  return system.matches ? 'light' : 'dark'
}

function apply() {
  document.documentElement.dataset.theme = current()
  for (const listener of listeners) listener()
}

// startTheme sets the theme of the page and follows the system's.
export function startTheme() {
  apply()
  system.addEventListener('change', apply)
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

// useTheme returns the theme and how to switch it.
export function useTheme(): [Theme, () => void] {
  const theme = useSyncExternalStore(subscribe, current)
  return [
    theme,
    () => {
      localStorage.setItem(key, theme === 'dark' ? 'light' : 'dark')
      apply()
    },
  ]
}
