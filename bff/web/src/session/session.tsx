import { createContext, lazy, type ReactNode, Suspense, use, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { type Client, Provider, useQuery } from 'urql'
import { unmask } from '../gql'
import { ViewerFragmentDoc, type ViewerFragment, WhoAmIDocument } from '../gql/graphql'
import { makeClient } from '../graph/client'

// The session is a cookie that no script can read. The token that signing in brings is handed to POST /session at once
// and forgotten; the server answers with the cookie. Each session has a cache and a socket of its own.

const Dialog = lazy(() => import('./SignIn'))

interface Session {
  viewer: ViewerFragment | null
  signedIn: boolean // whether what only viewers have should be asked for: while it is not known who asks, as last time
  known: boolean // whether it is clear by now who asks
  ask: () => void // opens the dialog
  withSession: (run: (client: Client) => void) => void // runs now, or after signing in
  begin: (token: string) => Promise<void>
  end: () => Promise<void>
}

const Context = createContext<Session | null>(null)

// Other tabs of this site hear when somebody signs in or out here.
const tabs = new BroadcastChannel('session')

// hint is kept where there is a session, which itself no script can see.
const hint = 'signed-in'

async function keep(method: 'POST' | 'DELETE', body?: unknown) {
  const response = await fetch('/session', {
    method,
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'minidouyin' },
    body: body === undefined ? null : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`session: ${response.status}`)
}

// ended is told when the server does not know the session any more.
const ended = new EventTarget()
const connect = () => makeClient(() => ended.dispatchEvent(new Event('ended')))

// SessionProvider gives the page the client of its session.
export function SessionProvider({ children }: { children: ReactNode }) {
  const [connection, setConnection] = useState(connect)
  const change = useCallback(() => setConnection(connect), [])
  useEffect(() => {
    // Those who use the old one are gone when the new one has been shown.
    return () => void setTimeout(connection.close, 1_000)
  }, [connection])
  useEffect(() => {
    let renewed = 0
    const renew = () => {
      if (Date.now() - renewed < 10_000) return // once for all operations that fail together
      renewed = Date.now()
      void keep('DELETE').then(change, () => undefined)
    }
    ended.addEventListener('ended', renew)
    tabs.addEventListener('message', change)
    return () => {
      ended.removeEventListener('ended', renew)
      tabs.removeEventListener('message', change)
    }
  }, [change])
  return (
    <Provider value={connection.client}>
      <Viewer client={connection.client} change={change}>
        {children}
      </Viewer>
    </Provider>
  )
}

function Viewer({ client, change, children }: { client: Client; change: () => void; children: ReactNode }) {
  const [{ data, error, operation }] = useQuery({ query: WhoAmIDocument })
  const [asking, setAsking] = useState(false)
  const waiting = useRef<((client: Client) => void) | null>(null)
  const viewer = data ? (unmask(ViewerFragmentDoc, data.viewer) ?? null) : null

  // What had to wait for a session goes on when the new client knows its viewer.
  useEffect(() => {
    const run = waiting.current
    if (!viewer || !run || operation === undefined) return
    void client.query(WhoAmIDocument, {}).then((result) => {
      if (!result.data?.viewer || waiting.current !== run) return
      waiting.current = null
      run(client)
    })
  }, [client, viewer, operation])

  const session = useMemo<Session>(
    () => ({
      viewer,
      signedIn: data ? viewer !== null : localStorage.getItem(hint) !== null,
      known: data !== undefined || error !== undefined,
      ask: () => setAsking(true),
      withSession(run) {
        if (viewer) return run(client)
        waiting.current = run
        setAsking(true)
      },
      async begin(token) {
        await keep('POST', { token })
        localStorage.setItem(hint, 'yes')
        setAsking(false)
        change()
        tabs.postMessage('changed')
      },
      async end() {
        await keep('DELETE')
        localStorage.removeItem(hint)
        change()
        tabs.postMessage('changed')
      },
    }),
    [viewer, data, error, client, change],
  )
  return (
    <Context value={session}>
      {children}
      {asking && (
        <Suspense>
          <Dialog
            close={() => {
              waiting.current = null
              setAsking(false)
            }}
          />
        </Suspense>
      )}
    </Context>
  )
}

// useSession returns who asks and how to change that.
export function useSession(): Session {
  const session = use(Context)
  if (!session) throw new Error('outside of SessionProvider')
  return session
}
