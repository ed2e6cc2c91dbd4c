import type { SubscriptionForwarder } from '@urql/core'
import { type Client, createClient } from 'graphql-ws'
import { setOffline } from './connection'

// The WebSocket for subscriptions. It is open while there are subscriptions, and reconnects without limit. The browser
// sends the session cookie with the handshake.

const pongTimeout = 10_000 // ms

// openSocket returns a function that starts subscriptions, and a function that closes the socket.
export function openSocket(): { forward: SubscriptionForwarder; close: () => void } {
  let closed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const socket = createClient({
    url: new URL('/graphql', location.href).href.replace(/^http/, 'ws'),
    lazyCloseTimeout: 5_000,
    keepAlive: 15_000,
    retryAttempts: Infinity,
    shouldRetry: () => !closed,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(300 * 2 ** retries, 5_000) * (0.75 + Math.random() / 2))),
    on: {
      connected: () => setOffline(false),
      // A connection can break without a close event. Reconnect when a ping has no pong in time.
      ping: (received) => {
        if (received) return
        clearTimeout(timer)
        timer = setTimeout(() => socket.terminate(), pongTimeout)
      },
      pong: (received) => {
        if (received) clearTimeout(timer)
      },
      closed: (event) => {
        clearTimeout(timer)
        const { wasClean, code } = event as CloseEvent
        if (!closed && (!wasClean || code === 1001)) setOffline(true)
      },
    },
  })
  return {
    forward: (request) => ({
      subscribe: (sink) => ({
        unsubscribe: subscribe(socket, { ...request, query: request.query ?? '', variables: { ...request.variables } }, sink),
      }),
    }),
    close() {
      closed = true
      void socket.dispose()
    },
  }
}

type Sink = Parameters<ReturnType<SubscriptionForwarder>['subscribe']>[0]

// subscribe starts a subscription and returns a function that stops it. The socket repeats the payload after it
// reconnects, and subscribe repeats it after a temporary error. The payload then has the cursor of the last event, so no
// event is missed.
function subscribe(socket: Client, payload: { query: string; variables: Record<string, unknown> }, sink: Sink): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop: () => void = () => undefined
  const start = () => {
    stop = socket.subscribe(payload, {
      next(result) {
        for (const event of Object.values(result.data ?? {}) as { cursor?: string }[]) {
          if (event.cursor) payload.variables.after = event.cursor
        }
        sink.next(result as never)
      },
      error(error) {
        if (isTemporary(error)) timer = setTimeout(start, 1_000)
        else sink.error(error)
      },
      complete: () => sink.complete(),
    })
  }
  start()
  return () => {
    clearTimeout(timer)
    stop()
  }
}

// isTemporary reports whether a subscription ended with an error that a retry can fix, such as a server restart.
function isTemporary(error: unknown) {
  if (!Array.isArray(error)) return false
  return (error as { extensions?: { code?: unknown } }[]).some(({ extensions }) => extensions?.code === 'UPSTREAM_UNAVAILABLE')
}
