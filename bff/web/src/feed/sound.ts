import { useSyncExternalStore } from 'react'

// Browsers start videos by themselves only without sound; one tap turns it on for all of them.
let muted = true
const listeners = new Set<() => void>()

export function setMuted(now: boolean) {
  muted = now
  for (const listener of listeners) listener()
}

// useMuted tells whether videos are silent.
export function useMuted() {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    () => muted,
  )
}
