import { useSyncExternalStore } from 'react'

// makeStore returns a value outside of React that components can subscribe to.
export function makeStore<Value>(value: Value) {
  const listeners = new Set<() => void>()
  const get = () => value
  function set(newValue: Value) {
    if (newValue === value) return
    value = newValue
    for (const listener of listeners) listener()
  }
  function subscribe(listener: () => void) {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }
  return { get, set, subscribe, useValue: () => useSyncExternalStore(subscribe, get) }
}
