import { useEffect } from 'react'
import { makeStore } from '../store'

const offline = makeStore(false)

// setOffline changes the state. The socket calls it when it connects and when its connection breaks.
export const setOffline = offline.set

// useOffline reports whether the server is known to be unreachable.
export const useOffline = offline.useValue

window.addEventListener('offline', () => setOffline(true))
window.addEventListener('online', () => setOffline(false))

// useReconnect calls a function each time the connection is back.
export function useReconnect(call: () => void) {
  useEffect(
    () =>
      offline.subscribe(() => {
        if (!offline.get()) call()
      }),
    [call],
  )
}
