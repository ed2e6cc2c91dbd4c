import { useSyncExternalStore } from 'react'

const desktop = window.matchMedia('(min-width: 900px)')

function subscribe(listener: () => void) {
  desktop.addEventListener('change', listener)
  return () => desktop.removeEventListener('change', listener)
}

// useDesktop reports whether the window is wide enough for two columns.
export const useDesktop = () => useSyncExternalStore(subscribe, () => desktop.matches)
