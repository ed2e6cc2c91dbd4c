import { makeStore } from '../store'

type Theme = 'dark' | 'light'

const key = 'theme'
const system = window.matchMedia('(prefers-color-scheme: light)')
const theme = makeStore<Theme>('dark')

// apply sets the theme of the page: the user's choice, or the theme of the system.
function apply() {
  const stored = localStorage.getItem(key)
  theme.set(stored === 'dark' || stored === 'light' ? stored : system.matches ? 'light' : 'dark')
  document.documentElement.dataset.theme = theme.get()
}

// startTheme sets the theme and follows changes of the system's theme.
export function startTheme() {
  apply()
  system.addEventListener('change', apply)
}

// useTheme returns the theme and a function that switches it.
export function useTheme(): [Theme, () => void] {
  const current = theme.useValue()
  return [
    current,
    () => {
      localStorage.setItem(key, current === 'dark' ? 'light' : 'dark')
      apply()
    },
  ]
}
